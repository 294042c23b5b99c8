package poller

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestAPayloadIsKeptOnceAndReadAsItCame(t *testing.T) {
	fs := vfs.NewMem()
	p, err := OpenPayloads("payloads", fs)
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i, body := range []string{"one", "one", "two"} {
		if err := p.put("f", first.Add(time.Duration(i)*time.Hour), []Payload{{"a", []byte(body)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.put("other", first, []Payload{{"a", []byte("three")}}); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err = OpenPayloads("payloads", fs); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := map[string]time.Time{}
	err = p.Each("f", func(k Kept) error {
		if k.Hash != sha256.Sum256(k.Body) || k.Feed != "f" || k.What != "a" {
			t.Errorf("read %+v", k)
		}
		got[string(k.Body)] = k.Fetched
		return nil
	})
	if err != nil || len(got) != 2 || !got["one"].Equal(first) || !got["two"].Equal(first.Add(2*time.Hour)) {
		t.Errorf("read %v, %v", got, err)
	}
}
