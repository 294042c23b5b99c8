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

// Do makes a request and reads the answer whole. Another answer than those of Answer
// is a *StatusError.
func Do(ctx context.Context, client *http.Client, r Request) (a Answer, err error) {
	stream, err := Open(ctx, client, r)
	if err != nil {
		return a, err
	}
	a.Code, a.Header = stream.Code, stream.Header
	if a.Body, err = io.ReadAll(stream.Body); err != nil {
		err = fmt.Errorf("%s: read the answer: %w", r.What, err)
	}
	return a, errors.Join(err, stream.Body.Close())
}

// Stream is an answer that is read as it comes. The caller closes Body.
type Stream struct {
	Answer // without its Body
	Body   io.ReadCloser
}

// Open makes a request. Another answer than those of Answer is a *StatusError.
func Open(ctx context.Context, client *http.Client, r Request) (*Stream, error) {
	req, err := r.http(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.What, withoutURL(err))
	}
	s := &Stream{Answer{Code: resp.StatusCode, Header: resp.Header}, resp.Body}
	if s.Code/100 == 2 || s.Unchanged() || s.Gone() {
		return s, nil
	}
	return nil, errors.Join(&StatusError{s.Code, r.What}, resp.Body.Close())
}

func (r *Request) http(ctx context.Context) (*http.Request, error) {
	method := http.MethodGet
	if r.Body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, method), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.What, withoutURL(err))
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
	return req, nil
}

// withoutURL is the error without the URL, which may hold a secret.
func withoutURL(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}
