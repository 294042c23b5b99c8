package github

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"superindex/chain"
	"superindex/poller"
)

// tokenHeader names the token of an ETag in a request, and the one that was used in an
// answer. It stays within the process.
const tokenHeader = "X-Superindex-Token"

// The limits that GitHub keeps apart, and all of them.
const (
	ofREST    = "core"
	ofGraphQL = "graphql"
	ofAll     = ""
)

// How long a token is parked where GitHub does not say: after a secondary limit, the
// second time twice as long; after it was refused.
const (
	secondaryFirst = time.Minute
	secondaryMost  = time.Hour
	refusedFor     = time.Hour
)

// wallet is an http.RoundTripper that gives each request a token that is not at its
// limit. It is safe for concurrent use.
type wallet struct {
	next http.RoundTripper
	host string // tokens are for it alone

	mu     sync.Mutex
	tokens []*token
	turn   int
}

type token struct {
	name      string // digest of the secret
	secret    string // "" for none
	parked    map[string]time.Time
	secondary int  // limits of that kind in a row
	refused   bool // GitHub does not know it
}

func newWallet(secrets []string, host string, next http.RoundTripper) *wallet {
	if next == nil {
		next = http.DefaultTransport
	}
	if len(secrets) == 0 {
		secrets = []string{""}
	}
	w := &wallet{next: next, host: host}
	for _, secret := range secrets {
		sum := sha256.Sum256([]byte(secret))
		w.tokens = append(w.tokens, &token{name: hex.EncodeToString(sum[:4]), secret: secret, parked: map[string]time.Time{}})
	}
	return w
}

// until is when a token may be used for what a limit is of.
func (t *token) until(resource string) time.Time {
	if t.parked[ofAll].After(t.parked[resource]) {
		return t.parked[ofAll]
	}
	return t.parked[resource]
}

// RoundTrip implements http.RoundTripper. A request with a body must have GetBody. Where
// every token is at its limit the error is a *poller.LimitedError; where GitHub refuses
// all of them it is fatal.
func (w *wallet) RoundTrip(req *http.Request) (*http.Response, error) {
	resource := ofREST
	if strings.HasSuffix(req.URL.Path, "/graphql") {
		resource = ofGraphQL
	}
	for {
		t, err := w.pick(resource, req.Header.Get(tokenHeader))
		if err != nil {
			return nil, err
		}
		again, err := w.with(req, t)
		if err != nil {
			return nil, err
		}
		resp, err := w.next.RoundTrip(again)
		if err != nil {
			return nil, err
		}
		limited, err := w.note(t, resource, resp)
		if err != nil || limited {
			if err := errors.Join(err, resp.Body.Close()); err != nil {
				return nil, err
			}
			continue
		}
		resp.Header.Set(tokenHeader, t.name)
		return resp, nil
	}
}

// with is the request with a token. An ETag of another token is left out.
func (w *wallet) with(req *http.Request, t *token) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, fmt.Errorf("repeat a request: %w", err)
		}
		again.Body = body
	}
	if again.Header.Get(tokenHeader) != t.name {
		again.Header.Del("If-None-Match")
	}
	again.Header.Del(tokenHeader)
	again.Header.Del("Authorization")
	if t.secret != "" && req.URL.Host == w.host {
		again.Header.Set("Authorization", "Bearer "+t.secret)
	}
	return again, nil
}

// pick is a token that is not parked: the one that is asked for, else by turns.
func (w *wallet) pick(resource, wanted string) (*token, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, first, refused := time.Now(), time.Time{}, 0
	w.turn++
	var found *token
	for i := range w.tokens {
		t := w.tokens[(w.turn+i)%len(w.tokens)]
		until := t.until(resource)
		switch {
		case !until.After(now):
			if found == nil || t.name == wanted {
				found = t
			}
		case t.refused:
			refused++
			fallthrough
		case first.IsZero() || until.Before(first):
			first = until
		}
	}
	switch {
	case found != nil:
		return found, nil
	case refused == len(w.tokens):
		return nil, chain.Fatal(errors.New("GitHub refuses the token"), "set poller.github.tokens to tokens that are valid")
	}
	return nil, &poller.LimitedError{After: first.Sub(now), Reason: fmt.Sprintf("every token is at GitHub's limit (%d)", len(w.tokens))}
}

// note takes down what an answer says of its token's limits; true where it is no answer
// but a limit, or a token that is refused.
func (w *wallet) note(t *token, resource string, resp *http.Response) (bool, error) {
	now := time.Now()
	after, reset := seconds(resp.Header.Get("Retry-After")), reset(resp.Header, now)
	over := resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests
	spent := resp.Header.Get("X-RateLimit-Remaining") == "0"
	named := cmp.Or(resp.Header.Get("X-RateLimit-Resource"), resource)
	if refused := over && !spent && after == 0 && resp.StatusCode == http.StatusForbidden; refused || resource == ofGraphQL && resp.StatusCode == http.StatusOK {
		var err error
		if over, err = saysLimit(resp); err != nil {
			return false, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case resp.StatusCode == http.StatusUnauthorized && t.secret != "":
		t.refused, t.parked[ofAll] = true, now.Add(refusedFor)
		return true, nil
	case over && after > 0: // a secondary limit, and perhaps a primary one too
		t.secondary++
		t.parked[ofAll] = now.Add(after)
	case over && !spent:
		t.parked[ofAll] = now.Add(min(secondaryFirst<<min(t.secondary, 10), secondaryMost))
		t.secondary++
	case spent:
		t.parked[named] = reset
	case resp.StatusCode < 400:
		t.secondary, t.refused = 0, false
	}
	return over, nil
}

// saysLimit reports whether an answer without data says in its text alone that it is a
// limit: a 403, or, of GraphQL, a 200. It leaves the body to be read.
func saysLimit(resp *http.Response) (bool, error) {
	start, err := io.ReadAll(io.LimitReader(resp.Body, mostSaid))
	if err != nil {
		return false, fmt.Errorf("read what GitHub says: %w", err)
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), resp.Body), resp.Body}
	text := bytes.ToLower(start)
	if !bytes.Contains(text, []byte("rate limit")) && !bytes.Contains(text, []byte("abuse detection")) {
		return false, nil
	}
	var said struct {
		Data   json.RawMessage `json:"data"`
		Errors []fault         `json:"errors"`
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		return true, nil
	case len(start) == mostSaid || json.Unmarshal(start, &said) != nil || len(said.Data) > 0 && string(said.Data) != "null":
		return false, nil // what was asked for speaks of limits
	}
	return !slices.ContainsFunc(said.Errors, fault.ofPoints), nil
}

// mostSaid is more than an answer has that is nothing but a refusal, in bytes.
const mostSaid = 64 << 10

func seconds(text string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0
	}
	return max(0, time.Duration(n)*time.Second)
}

// reset is when a primary limit ends, a second later for clocks that differ; in a
// minute where the answer does not say.
func reset(h http.Header, now time.Time) time.Time {
	if at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		if at := time.Unix(at+1, 0); at.After(now) {
			return at
		}
	}
	return now.Add(time.Minute)
}
