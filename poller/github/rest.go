package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v92/github"

	"superindex/poller"
)

// answer is what REST says.
type answer struct {
	code int // 200, 304 for the tag, 404, 410 or 451
	body []byte
	tag  tag
	next string        // the number of the next page; "" where there is none
	wait time.Duration // before the same may be asked again
}

// get asks for JSON. A tag makes it conditional, for the token that it was given to.
func (f *Feed) get(ctx context.Context, what, path string, query url.Values, t tag) (a answer, err error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	req, err := f.rest.NewRequest(ctx, http.MethodGet, path, nil)
	if err != nil {
		return a, fmt.Errorf("%s: %w", what, err)
	}
	if t.ETag != "" {
		req.Header.Set("If-None-Match", t.ETag)
		req.Header.Set(tokenHeader, t.Token)
	}
	if strings.HasSuffix(req.URL.Path, "/stargazers") {
		req.Header.Set("Accept", "application/vnd.github.star+json") // else they have no time
	}
	resp, err := f.rest.BareDo(req)
	if resp != nil {
		a.code = resp.StatusCode
		a.tag = tag{resp.Header.Get("ETag"), resp.Header.Get(tokenHeader)}
		a.wait = seconds(resp.Header.Get("X-Poll-Interval"))
		if resp.NextPage > 0 {
			a.next = strconv.Itoa(resp.NextPage)
		}
	}
	if err != nil {
		return a, refusal(what, a.code, err)
	}
	defer resp.Body.Close()
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, fmt.Errorf("%s: read the answer: %w", what, err)
	}
	return a, nil
}

// refusal is what an error of go-github means: nil for an answer that says something.
func refusal(what string, code int, err error) error {
	var named *url.Error
	var said *gh.ErrorResponse
	switch {
	case errors.As(err, &named):
		return fmt.Errorf("%s: %w", what, named.Err) // without the URL
	case !errors.As(err, &said):
		return fmt.Errorf("%s: %w", what, err)
	}
	switch code {
	case http.StatusNotModified, http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return nil
	}
	return &poller.StatusError{Code: code, What: what}
}

// readAll reads the body, which is a list.
func readAll[T any](a *answer, what string) (all []*T, err error) {
	if err := json.Unmarshal(a.body, &all); err != nil {
		return nil, fmt.Errorf("%s: the answer is not in the form expected: %w", what, err)
	}
	for _, one := range all {
		if one == nil {
			return nil, fmt.Errorf("%s: the answer holds nothing where something should be", what)
		}
	}
	return all, nil
}
