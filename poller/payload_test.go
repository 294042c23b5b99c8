package poller

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
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

// TestPayloadsThatAreOpenSayWhose: beside a daemon, the way out is said.
func TestPayloadsThatAreOpenSayWhose(t *testing.T) {
	dir := t.TempDir()
	p, err := OpenPayloads(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := OpenPayloads(dir, nil); err == nil || !strings.Contains(err.Error(), "which another superindex holds: stop that one first") {
		t.Error(err)
	}
}

// TestALargePayloadIsKeptInParts: between others of the same name, and read whole.
func TestALargePayloadIsKeptInParts(t *testing.T) {
	p, err := OpenPayloads("payloads", vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	want := map[[sha256.Size]byte]int{}
	for _, size := range []int{0, 1, payloadPart - 1, payloadPart, payloadPart + 1, 2*payloadPart + 7} {
		body := bytes.Repeat([]byte(strconv.Itoa(size)+"abcd"), size/4+1)[:size]
		if err := p.put("f", time.Unix(int64(size), 0), []Payload{{"a", body}, {"a/b", []byte("small")}}); err != nil {
			t.Fatal(err)
		}
		want[sha256.Sum256(body)] = size
	}
	want[sha256.Sum256([]byte("small"))] = 5
	err = p.Each("f", func(k Kept) error {
		if size, ok := want[k.Hash]; !ok || size != len(k.Body) || sha256.Sum256(k.Body) != k.Hash {
			t.Errorf("%s: %d bytes, want %d", k.What, len(k.Body), size)
		}
		delete(want, k.Hash)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("not read: %v, %v", want, err)
	}
}

// Of more answers than there is room for, the oldest go, with all of their parts; also
// those that another process kept.
func TestTheOldestAnswersGo(t *testing.T) {
	fs, random := vfs.NewMem(), rand.New(rand.NewPCG(1, 2))
	open := func() *Payloads {
		p, err := OpenPayloads("payloads", fs)
		if err != nil {
			t.Fatal(err)
		}
		p.most = 12 << 20
		return p
	}
	p := open()
	for i := range 9 {
		body := make([]byte, []int{3 << 20, payloadPart + 10}[i%2]) // that cannot be compressed
		for j := range body {
			body[j] = byte(random.Uint32())
		}
		feed := []string{"one", "two"}[i%2]
		for range 2 { // again, it takes no more room
			if err := p.put(feed, time.Unix(int64(1000+i), 0), []Payload{{strconv.Itoa(i), body}}); err != nil {
				t.Fatal(err)
			}
		}
		if i == 4 {
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			p = open()
		}
	}
	defer p.Close()
	var left []string
	for _, feed := range []string{"one", "two"} {
		if err := p.Each(feed, func(k Kept) error { left = append(left, k.What); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(left, []string{"6", "8", "7"}) || p.kept < 10<<20 || p.kept > p.most {
		t.Errorf("left are %q, %d bytes", left, p.kept)
	}
}
