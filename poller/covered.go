package poller

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// span is a range of hours or days, both ends included.
type span struct{ From, To uint64 }

// spans are ranges in order, none beside or within another.
type spans []span

// with is s and n.
func (s spans) with(n span) (out spans) {
	for i, old := range s {
		switch {
		case old.To+1 < n.From:
			out = append(out, old)
		case n.To+1 < old.From:
			return append(append(out, n), s[i:]...)
		default:
			n = span{min(n.From, old.From), max(n.To, old.To)}
		}
	}
	return append(out, n)
}

// without is s less n.
func (s spans) without(n span) (out spans) {
	for _, old := range s {
		if old.From < n.From {
			out = append(out, span{old.From, min(old.To, n.From-1)})
		}
		if old.To > n.To {
			out = append(out, span{max(old.From, n.To+1), old.To})
		}
	}
	return out
}

// size is how many hours or days they are.
func (s spans) size() (n uint64) {
	for _, one := range s {
		n += one.To - one.From + 1
	}
	return n
}

// covered is what was asked for of one dataset and resource, and what of it is
// complete.
type covered struct {
	Asked    spans `json:"asked"`
	Complete spans `json:"complete"`
}

func (c covered) take(one Coverage) covered {
	n := span{one.From, one.To}
	c.Asked = c.Asked.with(n)
	if one.Status == Complete {
		c.Complete = c.Complete.with(n)
	} else {
		c.Complete = c.Complete.without(n)
	}
	return c
}

// coverPrefix begins the names of a feed's notes of what is covered: the dataset and
// the resource follow.
func coverPrefix(feed string) string { return "cover/" + feed + "/" }

// readCovered reads what was kept of a feed's coverage, by dataset and resource.
func readCovered(ctx context.Context, journal Journal, feed string) (map[string]covered, error) {
	prefix := coverPrefix(feed)
	notes, err := journal.Notes(ctx, prefix)
	all := make(map[string]covered, len(notes))
	for name, text := range notes {
		var c covered
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, fmt.Errorf("read what %s covers: %w", strings.TrimPrefix(name, prefix), err)
		}
		all[strings.TrimPrefix(name, prefix)] = c
	}
	return all, err
}

// cover takes in coverage that is about to be committed, and notes it.
func (p *Poller) cover(all []Coverage, notes map[string][]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range all {
		name := one.Dataset + "/" + one.Resource
		p.covered[name] = p.covered[name].take(one)
		text, err := json.Marshal(p.covered[name])
		if err != nil {
			return fmt.Errorf("keep what %s covers: %w", name, err)
		}
		notes[coverPrefix(p.feed.Name())+name] = text
	}
	return nil
}

// ratios are which part of what was asked for is complete, by dataset.
func (p *Poller) ratios() map[string]float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, complete := map[string]uint64{}, map[string]uint64{}
	for name, c := range p.covered {
		dataset, _, _ := strings.Cut(name, "/")
		asked[dataset] += c.Asked.size()
		complete[dataset] += c.Complete.size()
	}
	ratios := map[string]float64{}
	for dataset, n := range asked {
		ratios[dataset] = float64(complete[dataset]) / float64(n)
	}
	return ratios
}
