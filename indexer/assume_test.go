package indexer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"superindex/chain"
)

// ruler is a chain of one block a second, block 0 of second 1000, without an end.
type ruler struct {
	Source
	heads Heads
	first uint64   // the lowest block that the node has
	asked []uint64 // headers
}

func (r *ruler) Heads(context.Context) (Heads, error) { return r.heads, nil }

func (r *ruler) Headers(_ context.Context, numbers []uint64) (all []chain.Block, _ error) {
	for _, n := range numbers {
		if r.asked = append(r.asked, n); n >= r.first {
			all = append(all, chain.Block{BlockRef: tick(n), Time: 1000 + n})
		}
	}
	return all, nil
}

func tick(n uint64) chain.BlockRef { return chain.BlockRef{Number: n, Hash: chain.Hash{byte(n), 1}} }

func TestAssume(t *testing.T) {
	tagged := Heads{Latest: tick(1000), Safe: tick(990), Final: tick(980)}
	half := Heads{Latest: tick(1000), Safe: tick(990)}
	bare := Heads{Latest: tick(1000)}
	for name, c := range map[string]struct {
		heads  Heads
		blocks uint64
		always bool
		want   Heads
	}{
		"tags":                 {tagged, 100, false, tagged},
		"no tags":              {bare, 100, false, Heads{Latest: tick(1000), Safe: tick(900), Final: tick(900), Assumed: true}},
		"safe alone":           {half, 100, false, Heads{Latest: tick(1000), Safe: tick(990), Final: tick(900), Assumed: true}},
		"against the tags":     {tagged, 100, true, Heads{Latest: tick(1000), Safe: tick(900), Final: tick(900), Assumed: true}},
		"longer than it lives": {bare, 5000, false, Heads{Latest: tick(1000), Safe: tick(0), Final: tick(0), Assumed: true}},
	} {
		a := &Assume{Source: &ruler{heads: c.heads}, Blocks: c.blocks, Always: c.always}
		if got, err := a.Heads(t.Context()); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	a := &Assume{Source: &ruler{heads: bare, first: 950}, Blocks: 100}
	if _, err := a.Heads(t.Context()); !errors.Is(err, errNoHeader) {
		t.Errorf("a pruned header: %v", err)
	}
}

// TestAssumeAsksSeldom: a header is asked for once a hundredth of the window, and
// again where the chain went back below it.
func TestAssumeAsksSeldom(t *testing.T) {
	r := &ruler{}
	a := &Assume{Source: r, Blocks: 1000}
	for latest := uint64(5000); latest < 5100; latest++ {
		r.heads.Latest = tick(latest)
		if h, err := a.Heads(t.Context()); err != nil || h.Final.Number > latest-1000 || h.Final.Number+10 <= latest-1000 {
			t.Fatalf("at %d: %+v, %v", latest, h, err)
		}
	}
	if len(r.asked) != 10 {
		t.Errorf("asked for %v", r.asked)
	}
	r.heads.Latest = tick(4000)
	if h, err := a.Heads(t.Context()); err != nil || h.Final != tick(3000) {
		t.Errorf("after the chain went back: %+v, %v", h, err)
	}
}

func TestStartResolves(t *testing.T) {
	at := func(second int64) Start { return Start{At: time.Unix(second, 0)} }
	for name, c := range map[string]struct {
		start Start
		final uint64
		want  uint64
		fault string
	}{
		"finalized":           {Start{}, 500, 501, ""},
		"back":                {Start{Number: 100, FromTop: true}, 500, 401, ""},
		"back, too far":       {Start{Number: 1000, FromTop: true}, 500, 1, ""},
		"a block":             {Start{Number: 7, Absolute: true}, 500, 7, ""},
		"a block, none final": {Start{Number: 7, Absolute: true}, 0, 7, ""},
		"finalized, none":     {Start{}, 0, 0, "no finalized block yet"},
		"a time, none final":  {at(1300), 0, 0, "no finalized block yet"},
		"a time":              {at(1300), 500, 300, ""},
		"a time between":      {Start{At: time.Unix(1299, 1)}, 500, 300, ""},
		"the last second":     {at(1500), 500, 500, ""},
		"after the last":      {at(1501), 500, 0, "no block of 1970-01-01T00:25:01Z or later is finalized yet; the last one is 500"},
		"before the first":    {at(0), 500, 1, ""},
		"below the chain":     {Start{At: time.Unix(1010, 0), Number: 200}, 500, 200, ""},
		"pruned":              {at(1003), 500, 0, "read header 63: the node does not have it"},
	} {
		r := &ruler{first: 126}
		if name != "pruned" {
			r.first = 0
		}
		final := tick(c.final)
		if c.final == 0 {
			final = chain.BlockRef{}
		}
		c.start.At = c.start.At.UTC()
		got, err := c.start.Resolve(t.Context(), r, final)
		switch {
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		case c.fault == "" && (err != nil || got != c.want):
			t.Errorf("%s: %d, %v; want %d", name, got, err, c.want)
		case len(r.asked) > 10:
			t.Errorf("%s: it took %d requests", name, len(r.asked))
		}
	}
}
