package indexer

import (
	"context"
	"testing"
)

// Large answers leave room for few calls at once; it is given back.
func TestRoom(t *testing.T) {
	r := newRoom()
	r.saw(30 << 20)
	first, err := r.take(t.Context())
	if err != nil || first != 30<<20 {
		t.Fatalf("%d, %v", first, err)
	}
	if _, err := r.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	full, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.take(full); err == nil {
		t.Fatal("a third answer of 30 MiB found room")
	}
	r.give(first)
	if _, err := r.take(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a loop took and did not give back is free again once it has ended.
func TestStay(t *testing.T) {
	r := newRoom()
	r.saw(fetchBytes)
	for range 3 {
		s := &stay{room: r}
		first, err := s.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.give(first)
		s.leave()
	}
}
