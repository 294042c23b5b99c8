package sinktest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"superindex/chain"
)

// Base is the number of the block that every script's chain stands on; the
// chain's first letter is block Base+1.
const Base = 1000

const firstSeq = 1 << 40

// Script writes a history as a journal would number it. A chain is a string, a
// letter a block: Go("abcd") and then Go("abxy") is a Revert to b and an Apply
// of x and y. The same string always has the same hashes and events. A small
// letter has 1 to 3 events, a capital one 400, a dot none.
type Script struct {
	Stream chain.Stream

	path        string // the fork that is held
	safe, final int    // how many letters of it
	told        [2]int // safe and final of the step before
	journal     chain.JournalID
	seq         chain.Seq
	steps       []chain.Step
	forks       map[chain.Hash]string // the chain that ends in that block
}

// NewScript begins a journal of its own for the network that is called name. Its
// first step is there: the Revert to the base block.
func NewScript(name string) *Script {
	id := sha256.Sum256([]byte(name))
	s := &Script{
		Stream: chain.Stream{Name: name, ChainID: 1 + uint64(binary.BigEndian.Uint32(id[:]))},
		seq:    firstSeq,
		forks:  map[chain.Hash]string{},
	}
	return s.Begin("")
}

// Steps are all steps so far.
func (s *Script) Steps() []chain.Step { return s.steps }

// Path is the fork that is held now.
func (s *Script) Path() string { return s.path }

// Begin starts another journal that takes over from the chain to.
func (s *Script) Begin(to string) *Script {
	id := sha256.Sum256(fmt.Appendf(nil, "%s %d", s.Stream.Name, s.seq))
	copy(s.journal[:], id[:])
	s.seq += 1 << 20
	s.path, s.told = to, [2]int{}
	s.safe, s.final = min(s.safe, len(to)), min(s.final, len(to))
	return s.add(chain.Step{Revert: &chain.Revert{To: s.Block(to).BlockRef, Time: s.now(), Cause: chain.Begin}})
}

// Go moves to another fork: a Revert where the fork that is held is left, an
// Apply where the new one has more blocks.
func (s *Script) Go(path string) *Script {
	shared := 0
	for shared < min(len(path), len(s.path)) && path[shared] == s.path[shared] {
		shared++
	}
	if shared < s.final {
		panic(fmt.Sprintf("script: %q leaves the finalized part of %q", path, s.path))
	}
	if shared < len(s.path) {
		s.revert(path[:shared], chain.Reorg)
	}
	if shared < len(path) {
		s.apply(path)
	}
	return s
}

// Rewind goes back to the chain to, below finalized too, as the operator may.
func (s *Script) Rewind(to string) *Script {
	s.final = min(s.final, len(to))
	return s.revert(to, chain.Rewind)
}

// Each is Go with a step for each block that is added.
func (s *Script) Each(path string) *Script {
	for n := range path {
		if !strings.HasPrefix(s.path, path[:n+1]) {
			s.Go(path[:n+1])
		}
	}
	return s.Go(path)
}

// Final says in an empty Apply that n blocks are finalized, and one more safe.
func (s *Script) Final(n int) *Script {
	s.final, s.safe = max(n, s.final), max(n, s.final, min(n+1, len(s.path)))
	s.apply(s.path)
	return s
}

// Late fills blocks from to to (counted from 1) with the events of an address
// that no Apply holds.
func (s *Script) Late(from, to int) *Script {
	return s.fill(from, to, []chain.Address{late}, func(path string) []chain.Event { return s.events(path, late, 100, 2) })
}

// Repair fills blocks from to to with all their events but the first of each
// block, decoded to other arguments.
func (s *Script) Repair(from, to int) *Script {
	return s.fill(from, to, nil, func(path string) []chain.Event {
		events := s.eventsOf(path)
		for i := range events {
			events[i].Name, events[i].Args = "Repaired", fmt.Appendf(nil, `{"again":"%d"}`, s.seq)
		}
		return events[min(1, len(events)):]
	})
}

// Observe adds n rows of coverage.
func (s *Script) Observe(n int) *Script {
	rows := &chain.Rows{Feed: "coverage"}
	for i := range n {
		body := fmt.Appendf(nil, `{"source":"%s","dataset":"logs","watch_set":"%s","range_from":%d,"range_to":%d,`+
			`"unit":"block","level":"link","status":"complete","reason":""}`, s.Stream, chain.WatchID{1}, Base+i, Base+i)
		rows.Rows = append(rows.Rows, chain.Row{Kind: "logs", ID: fmt.Sprint(Base + i), Time: s.now(), Body: body})
	}
	return s.add(chain.Step{Rows: rows})
}

// clone is a script that goes on from here on its own.
func (s *Script) clone() *Script {
	c := *s
	c.steps, c.forks = slices.Clip(s.steps), maps.Clone(s.forks)
	return &c
}

func (s *Script) revert(path string, cause chain.Cause) *Script {
	from := s.Block(s.path).BlockRef
	s.safe, s.path = min(s.safe, len(path)), path
	return s.add(chain.Step{Revert: &chain.Revert{To: s.Block(path).BlockRef, From: from, Time: s.now(), Cause: cause}})
}

func (s *Script) apply(path string) {
	b := &chain.Batch{Parent: s.Block(s.path).BlockRef, Last: s.Block(path).BlockRef, Watch: chain.WatchID{byte(len(s.steps) / 4)}}
	for n := len(s.path) + 1; n <= len(path); n++ {
		events := s.eventsOf(path[:n])
		b.Blocks = append(b.Blocks, s.blockWith(path[:n], len(events)))
		b.Events = append(b.Events, events...)
	}
	s.path = path
	b.Proof = chain.Proof{Level: chain.LevelLink, Rows: uint32(len(b.Events))}
	if s.safe > 0 {
		b.Safe = s.Block(path[:s.safe]).BlockRef
	}
	if s.final > 0 {
		b.Final = s.Block(path[:s.final]).BlockRef
	}
	now := [2]int{s.safe, s.final}
	b.Moved, s.told = now != s.told, now
	s.add(chain.Step{Apply: b})
}

func (s *Script) fill(from, to int, addresses []chain.Address, events func(path string) []chain.Event) *Script {
	if to > s.final {
		panic("script: a fill above finalized")
	}
	f := &chain.Fill{From: Base + uint64(from), To: s.Block(s.path[:to]).BlockRef, Addresses: addresses, Watch: chain.WatchID{2}}
	for n := from; n <= to; n++ {
		if e := events(s.path[:n]); len(e) > 0 {
			f.Blocks = append(f.Blocks, s.blockWith(s.path[:n], len(e)))
			f.Events = append(f.Events, e...)
		}
	}
	f.Proof.Rows = uint32(len(f.Events))
	return s.add(chain.Step{Fill: f})
}

func (s *Script) add(step chain.Step) *Script {
	digest := uint64(0)
	if len(s.steps) > 0 {
		digest = s.steps[len(s.steps)-1].Digest
	}
	s.seq++
	step.Journal, step.Stream, step.Seq = s.journal, s.Stream, s.seq
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %d %s %d %d", digest, s.journal, s.seq, s.path, s.final, len(s.steps)))
	step.Digest = binary.BigEndian.Uint64(sum[:])
	s.steps = append(s.steps, step)
	return s
}

func (s *Script) now() uint64 { return 1_700_000_000 + uint64(len(s.steps)) }
