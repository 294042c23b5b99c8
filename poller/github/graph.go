package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"superindex/poller"
)

// reply is what GraphQL wraps an answer in.
type reply[T any] struct {
	Data    *T      `json:"data"`
	Errors  []fault `json:"errors"`
	Message string  `json:"message"`
}

// fault is what GraphQL says is wrong. A path names the part of the data that is not
// there for it.
type fault struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

// post makes a query and reads its data, which may be there in part. body is the
// answer as it came.
func post[T any](ctx context.Context, f *Feed, what, query string, variables any) (r reply[T], body []byte, err error) {
	question, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return r, nil, fmt.Errorf("%s: %w", what, err)
	}
	for range f.tokens + 1 { // each may be at its limit: the wallet gives another one then
		answer, err := poller.Do(ctx, f.opts.Client, poller.Request{What: what, URL: f.base + "graphql", Body: question})
		if err != nil {
			return r, nil, err
		}
		if answer.Code != http.StatusOK {
			return r, nil, &poller.StatusError{Code: answer.Code, What: what}
		}
		r = reply[T]{}
		if err := answer.Into(&r); err != nil {
			return r, nil, fmt.Errorf("%s: %w", what, err)
		}
		if !r.limited() {
			return r, answer.Body, r.fault(what)
		}
	}
	return r, nil, &poller.LimitedError{Reason: "GraphQL: " + r.Errors[0].Message}
}

func (r *reply[T]) limited() bool { return slices.ContainsFunc(r.Errors, fault.ofPoints) }

// ofPoints: the token has no points left, as the headers say too. A secondary limit
// is the wallet's to know.
func (f fault) ofPoints() bool {
	return f.Type == "RATE_LIMITED" && !strings.Contains(strings.ToLower(f.Message), "secondary")
}

// fault is what is wrong with the whole answer.
func (r *reply[T]) fault(what string) error {
	switch {
	case r.Data != nil:
		return nil
	case len(r.Errors) > 0:
		return fmt.Errorf("%s: GitHub says: %.200s", what, r.Errors[0].Message)
	}
	return fmt.Errorf("%s: GitHub answers without data: %.200s", what, r.Message)
}

// gone reports whether GitHub says of a part of the answer that there is no such thing.
// Else it is not there for a fault, and may be the next time.
func (r *reply[T]) gone(path ...any) bool {
	known := len(r.Errors) == 0
	for _, e := range r.Errors {
		if len(e.Path) == 0 {
			return false // of the whole: nobody knows what it stands for
		}
		if fmt.Sprint(e.Path...) == fmt.Sprint(path...) {
			known = e.Type == "NOT_FOUND"
		}
	}
	return known
}
