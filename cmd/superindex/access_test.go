package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTheTokenIsAskedOfAllButTheProbes(t *testing.T) {
	inner := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		token, path, header string
		want                int
	}{
		{"", "/metrics", "", 200},
		{"s3cret", "/metrics", "", 401},
		{"s3cret", "/api/status", "Bearer s3cre", 401},
		{"s3cret", "/debug/pprof/heap", "s3cre", 401},
		{"s3cret", "/metrics", "Bearer s3cret", 200},
		{"s3cret", "/healthz", "", 200},
		{"s3cret", "/readyz", "", 200},
		{"s3cret", "/healthz/../metrics", "", 401},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
		r.Header.Set("Authorization", c.header)
		w := httptest.NewRecorder()
		guarded(c.token, inner).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%+v: %d", c, w.Code)
		}
	}
}
