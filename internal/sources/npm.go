package sources

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The limits of the service that counts downloads.
const (
	npmBulk     = 128
	npmBulkDays = 365
	npmMonths   = 18
)

// NPM is the service that counts downloads, and a registry beside it.
type NPM struct {
	// Count is how often a package was downloaded on a day; false where the service
	// has no figure for it.
	Count func(name string, day time.Time) (n uint64, ok bool)

	// Known reports whether there is such a package; nil knows all.
	Known func(name string) bool

	// Documents are those of packages, JSON by name, with their ETags.
	Documents map[string]Document

	Now func() time.Time
}

// Document is a package's.
type Document struct{ ETag, Body string }

type npmDay struct {
	Downloads uint64 `json:"downloads"`
	Day       string `json:"day"`
}

type npmRange struct {
	Start     string   `json:"start"`
	End       string   `json:"end"`
	Package   string   `json:"package"`
	Downloads []npmDay `json:"downloads"`
}

// ServeHTTP implements http.Handler.
func (s *NPM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/downloads/range/")
	if !ok {
		s.document(w, r)
		return
	}
	days, list, _ := strings.Cut(rest, "/")
	from, to, _ := strings.Cut(days, ":")
	first, errFrom := time.Parse(time.DateOnly, from)
	last, errTo := time.Parse(time.DateOnly, to)
	names := strings.Split(list, ",")
	bulk := len(names) > 1
	if errFrom != nil || errTo != nil || last.Before(first) || bulk && (len(names) > npmBulk || strings.Contains(list, "@")) {
		refuse(w, http.StatusBadRequest, "bad request")
		return
	}
	if !bulk {
		if !s.known(list) {
			refuse(w, http.StatusNotFound, "package "+list+" not found")
			return
		}
		answer(w, s.count(list, later(first, last.AddDate(0, -npmMonths, 1)), last))
		return
	}
	all := map[string]*npmRange{}
	for _, name := range names {
		all[name] = nil
		if s.known(name) {
			all[name] = s.count(name, later(first, last.AddDate(0, 0, 1-npmBulkDays)), last)
		}
	}
	answer(w, all)
}

func (s *NPM) known(name string) bool { return s.Known == nil || s.Known(name) }

// count has the days that are over, and of which the service has a figure.
func (s *NPM) count(name string, first, last time.Time) *npmRange {
	out := &npmRange{first.Format(time.DateOnly), last.Format(time.DateOnly), name, []npmDay{}}
	today := s.Now().UTC().Truncate(24 * time.Hour)
	for day := first; !day.After(last) && day.Before(today); day = day.AddDate(0, 0, 1) {
		if n, ok := s.Count(name, day); ok {
			out.Downloads = append(out.Downloads, npmDay{n, day.Format(time.DateOnly)})
		}
	}
	return out
}

func (s *NPM) document(w http.ResponseWriter, r *http.Request) {
	name, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/"))
	d, ok := s.Documents[name]
	switch {
	case err != nil || !ok:
		refuse(w, http.StatusNotFound, "not found")
	case r.Header.Get("If-None-Match") == d.ETag:
		w.WriteHeader(http.StatusNotModified)
	default:
		w.Header().Set("ETag", d.ETag)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(d.Body)) // a client that left asks again
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body) // a client that left asks again
}

func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why}) // a client that left asks again
}
