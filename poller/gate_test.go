package poller

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// source answers requests without a network: what it says is a script.
type source struct {
	script []reply
	at     []time.Time
	sent   []*http.Request
}

type reply struct {
	code   int
	header string // "Name: value"
	body   string
	err    error
}

func (s *source) RoundTrip(req *http.Request) (*http.Response, error) {
	r := s.script[min(len(s.at), len(s.script)-1)]
	s.at, s.sent = append(s.at, time.Now()), append(s.sent, req)
	if r.err != nil {
		return nil, r.err
	}
	resp := &http.Response{StatusCode: r.code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(r.body)), Request: req}
	if name, value, ok := strings.Cut(r.header, ": "); ok {
		resp.Header.Set(name, value)
	}
	return resp, nil
}

// ask makes one request through a gate.
func ask(t *testing.T, s *source, o GateOptions, r Request) (Answer, error) {
	t.Helper()
	o.Feed, o.Next = "f", s
	if o.Metrics == nil {
		o.Metrics = NewMetrics(prometheus.NewRegistry())
	}
	r.What, r.URL = "a thing", "http://source.example/secret"
	a, err := Do(t.Context(), NewGate(o).Client(), r)
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the error shows the URL: %v", err)
	}
	return a, err
}

func TestTheBudgetIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{script: []reply{{code: 200, body: "{}"}}}
		gate := NewGate(GateOptions{Feed: "f", PerHour: 60, Burst: 2, Next: s, Metrics: NewMetrics(prometheus.NewRegistry())})
		began := time.Now()
		for range 4 {
			if _, err := Do(t.Context(), gate.Client(), Request{URL: "http://source.example"}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 119*time.Second || took > 121*time.Second {
			t.Errorf("4 requests, 2 at once and 60 an hour, took %v", took)
		}
	})
}

func TestWhatTheServerFailsAtIsRetriedWithJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{script: []reply{{err: io.ErrUnexpectedEOF}, {code: 503}, {code: 200, body: `{"a":1}`}}}
		m := NewMetrics(prometheus.NewRegistry())
		a, err := ask(t, s, GateOptions{Metrics: m}, Request{Body: []byte("question")})
		if err != nil || string(a.Body) != `{"a":1}` {
			t.Fatalf("got %s, %v", a.Body, err)
		}
		for i, most := range []time.Duration{time.Second, 2 * time.Second} {
			if wait := s.at[i+1].Sub(s.at[i]); wait < most/2 || wait > most {
				t.Errorf("the %d. wait is %v, not %v to %v", i+1, wait, most/2, most)
			}
		}
		last, err := io.ReadAll(s.sent[2].Body)
		if err != nil || string(last) != "question" || s.sent[2].Method != http.MethodPost {
			t.Errorf("the repetition sends %s %q, %v", s.sent[2].Method, last, err)
		}
		if failed := testutil.ToFloat64(m.requests.WithLabelValues("f", "failed")); failed != 2 {
			t.Errorf("%v failed requests counted, not 2", failed)
		}
	})
}

func TestAServerThatStaysDownIsAStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{script: []reply{{code: 502}}}
		_, err := ask(t, s, GateOptions{}, Request{})
		var status *StatusError
		if !errors.As(err, &status) || status.Code != 502 || len(s.at) != 3 {
			t.Errorf("after %d tries: %v", len(s.at), err)
		}
		if _, err := ask(t, &source{script: []reply{{err: io.EOF}}}, GateOptions{Tries: 1}, Request{}); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want what the network said", err)
		}
	})
}

func TestLimitsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in5m := time.Now().Add(5 * time.Minute).UTC().Format(http.TimeFormat)
		for name, c := range map[string]struct {
			reply reply
			after time.Duration
		}{
			"429":                  {reply{code: 429}, 0},
			"429 with seconds":     {reply{code: 429, header: "Retry-After: 90"}, 90 * time.Second},
			"503 with a date":      {reply{code: 503, header: "Retry-After: " + in5m}, 5 * time.Minute},
			"403 with seconds":     {reply{code: 403, header: "Retry-After: 60"}, time.Minute},
			"HTML by its type":     {reply{code: 200, header: "Content-Type: text/html; charset=UTF-8", body: "error code: 1015"}, 0},
			"HTML by its contents": {reply{code: 200, body: "\n <!DOCTYPE html>"}, 0},
		} {
			s := &source{script: []reply{c.reply}}
			_, err := ask(t, s, GateOptions{}, Request{})
			var limited *LimitedError
			if !errors.As(err, &limited) || limited.After != c.after || len(s.at) != 1 {
				t.Errorf("%s: after %d requests %v", name, len(s.at), err)
			}
		}
	})
}

func TestABodyIsBounded(t *testing.T) {
	for size, want := range map[int]error{10: nil, 11: ErrTooLarge, 1 << 20: ErrTooLarge} {
		s := &source{script: []reply{{code: 200, body: strings.Repeat("1", size)}}}
		if a, err := ask(t, s, GateOptions{MaxBytes: 10}, Request{}); !errors.Is(err, want) || want == nil && len(a.Body) != size {
			t.Errorf("%d bytes where 10 are allowed: %d, %v", size, len(a.Body), err)
		}
	}
}

func TestConditionalRequests(t *testing.T) {
	s := &source{script: []reply{{code: 304}}}
	a, err := ask(t, s, GateOptions{}, Request{ETag: `"v1"`, Header: map[string]string{"Authorization": "token"}})
	if err != nil || !a.Unchanged() || s.sent[0].Header.Get("If-None-Match") != `"v1"` || s.sent[0].Header.Get("Authorization") != "token" {
		t.Errorf("got %+v, %v, sent %v", a, err, s.sent[0].Header)
	}
	for _, code := range []int{404, 410, 451} {
		if a, err := ask(t, &source{script: []reply{{code: code}}}, GateOptions{}, Request{}); err != nil || !a.Gone() {
			t.Errorf("%d: got %+v, %v", code, a, err)
		}
	}
	if _, err := ask(t, &source{script: []reply{{code: 401}}}, GateOptions{}, Request{}); err == nil || !strings.Contains(err.Error(), "a thing: the source answers 401") {
		t.Errorf("401: %v", err)
	}
}

func TestAnEndedContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		s := &source{script: []reply{{code: 500}}}
		gate := NewGate(GateOptions{Feed: "f", Next: s, Metrics: NewMetrics(prometheus.NewRegistry())})
		if _, err := Do(ctx, gate.Client(), Request{URL: "http://source.example"}); !errors.Is(err, context.DeadlineExceeded) || len(s.at) != 1 {
			t.Errorf("after %d tries: %v", len(s.at), err)
		}
	})
}

func TestABodyThatIsNotJSONIsNoAnswer(t *testing.T) {
	a := Answer{Body: bytes.Repeat([]byte("{"), 3)}
	if err := a.Into(new(cursor)); err == nil {
		t.Error("{{{ was read")
	}
}
