package sources

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// GHArchive is the source of hourly files.
type GHArchive struct {
	// Lines are those of an hour's file; false where the source does not have it.
	Lines func(at time.Time) (lines []string, ok bool)
}

// ServeHTTP implements http.Handler. An hour in a name has no zero before it.
func (s *GHArchive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, err := time.Parse("/2006-01-02-15.json.gz", r.URL.Path)
	named := fmt.Sprintf("/%s-%d.json.gz", at.Format(time.DateOnly), at.Hour())
	if err == nil && named == r.URL.Path {
		if lines, ok := s.Lines(at); ok {
			w.Header().Set("Content-Type", "application/gzip")
			_, _ = w.Write(Pack(lines)) // a client that left asks again
			return
		}
	}
	w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code></Error>"))
}

// Pack is a file of lines.
func Pack(lines []string) []byte {
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	_, _ = w.Write([]byte(strings.Join(lines, "\n") + "\n")) // a buffer takes all
	_ = w.Close()
	return file.Bytes()
}

// Happening is an event of GitHub as a file has it.
type Happening struct {
	ID, Type, Repo, Actor string
	At                    time.Time
	Payload               any
}

// Line is the event's.
func (h Happening) Line() string {
	owner, _, _ := strings.Cut(h.Repo, "/")
	text, err := json.Marshal(struct {
		ID        string         `json:"id"`
		Type      string         `json:"type"`
		Actor     map[string]any `json:"actor"`
		Repo      map[string]any `json:"repo"`
		Payload   any            `json:"payload"`
		Public    bool           `json:"public"`
		CreatedAt string         `json:"created_at"`
		Org       map[string]any `json:"org"`
	}{
		h.ID, h.Type,
		map[string]any{"id": 7, "login": h.Actor, "url": "https://api.github.com/users/" + h.Actor},
		map[string]any{"id": 99, "name": h.Repo, "url": "https://api.github.com/repos/" + h.Repo},
		h.Payload, true, h.At.UTC().Format(time.RFC3339),
		map[string]any{"id": 8, "login": owner},
	})
	if err != nil {
		panic(err) // a test's own payload
	}
	return string(text)
}
