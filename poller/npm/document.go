package npm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"superindex/chain"
	"superindex/poller"
)

// document is the ask for a package's document.
type document struct{ name string }

// released is what is known of a package's releases and maintainers.
type released struct {
	ETag        string    `json:"etag"`
	Newest      time.Time `json:"newest"` // release that was brought
	Maintainers string    `json:"maintainers"`
}

// packument is what is read of a package's document.
type packument struct {
	Name        string            `json:"name"`
	Time        map[string]string `json:"time"` // by version; created and modified stand among them
	Maintainers []struct {
		Name string `json:"name"`
	} `json:"maintainers"`
}

func (f *Feed) fetchDocument(ctx context.Context, ask poller.Ask, d document) (result poller.Result, err error) {
	r := ask.Of[0]
	var s released
	if r.Into(&s) != nil {
		s = released{}
	}
	answer, err := poller.Do(ctx, f.opts.Client, poller.Request{
		What: "the document of " + d.name, ETag: s.ETag,
		URL: f.opts.Registry + "/" + strings.ReplaceAll(url.PathEscape(d.name), "/", "%2F"),
	})
	switch {
	case err != nil:
		return result, err
	case answer.Unchanged():
		return result, nil
	case answer.Gone():
		result.After = []poller.Resource{r.With(s, time.Now().Add(unknownFor))}
		return result, nil
	}
	var p packument
	if err := answer.Into(&p); err != nil {
		return result, err
	}
	if result.Rows, err = p.rows(&s); err != nil {
		return result, err
	}
	s.ETag = answer.Header.Get("ETag")
	result.Payloads = []poller.Payload{{What: ofDocument + d.name, Body: answer.Body}}
	result.After = []poller.Resource{r.With(s, time.Time{})}
	return result, nil
}

type releaseRow struct {
	Package   string    `json:"package"`
	Version   string    `json:"version"`
	Published time.Time `json:"published_at"`
}

type maintainersRow struct {
	Package     string   `json:"package"`
	Maintainers []string `json:"maintainers"`
}

// rows are the releases since the newest that was brought, the oldest first, and
// the maintainers where they are others.
func (p *packument) rows(s *released) (rows []chain.Row, err error) {
	var news []releaseRow
	for version, text := range p.Time {
		at, err := time.Parse(time.RFC3339, text)
		if version == "created" || version == "modified" || err != nil || !at.After(s.Newest) {
			continue
		}
		news = append(news, releaseRow{p.Name, version, at.UTC()})
	}
	slices.SortFunc(news, func(a, b releaseRow) int {
		return cmp.Or(a.Published.Compare(b.Published), strings.Compare(a.Version, b.Version))
	})
	for _, n := range news {
		row, err := rowOf("releases", p.Name+"@"+n.Version, n.Published, n)
		if err != nil {
			return nil, err
		}
		rows, s.Newest = append(rows, row), n.Published
	}
	names := []string{}
	for _, m := range p.Maintainers {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	if joined := strings.Join(names, " "); joined != s.Maintainers {
		row, err := rowOf("maintainers", p.Name, s.Newest, maintainersRow{p.Name, names})
		if err != nil {
			return nil, err
		}
		rows, s.Maintainers = append(rows, row), joined
	}
	return rows, nil
}

func rowOf(kind, id string, at time.Time, body any) (chain.Row, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return chain.Row{}, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	return chain.Row{Kind: kind, ID: id, Time: uint64(max(0, at.Unix())), Body: text}, nil
}
