package poller

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Request is a request for JSON.
type Request struct {
	What   string // what it asks for, for errors: they never show the URL
	URL    string
	Method string            // "" is GET, or POST where there is a body
	Body   []byte            // JSON, if any
	Header map[string]string // more than what Do sets
	ETag   string            // of the answer that is held: the source may say that it is still so
}

// Answer is what came: 2xx, or 304 for the request's ETag, or one of the answers
// that say that a thing is not there: 404, 410, 451.
type Answer struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Unchanged reports whether what the request's ETag names is still so.
func (a *Answer) Unchanged() bool { return a.Code == http.StatusNotModified }

// Gone reports whether the source does not have, or does not show, the thing.
func (a *Answer) Gone() bool {
	return a.Code == http.StatusNotFound || a.Code == http.StatusGone || a.Code == http.StatusUnavailableForLegalReasons
}

// Into reads the body, which is JSON.
func (a *Answer) Into(v any) error {
	if err := json.Unmarshal(a.Body, v); err != nil {
		return fmt.Errorf("the answer is not in the form expected: %w", err)
	}
	return nil
}

// Do makes a request. Another answer than those of Answer is a *StatusError.
func Do(ctx context.Context, client *http.Client, r Request) (a Answer, err error) {
	method := http.MethodGet
	if r.Body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, method), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return a, fmt.Errorf("%s: %w", r.What, hidden(err))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "superindex")
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.ETag != "" {
		req.Header.Set("If-None-Match", r.ETag)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return a, fmt.Errorf("%s: %w", r.What, hidden(err))
	}
	return read(resp, r.What)
}

func read(resp *http.Response, what string) (a Answer, err error) {
	defer resp.Body.Close()
	a = Answer{Code: resp.StatusCode, Header: resp.Header}
	if a.Body, err = io.ReadAll(resp.Body); err != nil {
		return a, fmt.Errorf("%s: read the answer: %w", what, err)
	}
	if resp.StatusCode/100 == 2 || a.Unchanged() || a.Gone() {
		return a, nil
	}
	return a, &StatusError{resp.StatusCode, what}
}

// hidden is the error without the URL, which may hold a secret.
func hidden(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}
