package decoder

import (
	"encoding/json"
	"fmt"
	"testing"

	"superindex/chain"
)

// TestShare says how many of the real logs the built-in table decodes. The least
// is what the 650 shared layouts decode, which the table is to beat.
func TestShare(t *testing.T) {
	table := builtinTable(t)
	for _, c := range []struct {
		name  string
		least float64 // percent
	}{{opLogs, 90}, {baseLogs, 90}, {ethereumLogs, 94}, {poolLogs, 99}, {olderLogs, 90}} {
		var stats Stats
		var kinds [3]int
		var buf []byte
		logs := realLogs(t, c.name)
		for _, l := range logs {
			e := chain.Event{Log: l}
			var why Reason
			buf, why = table.Decode(&e, buf[:0])
			stats[why]++
			kinds[e.Decoding]++
			if why == Fits && !json.Valid(e.Args) {
				t.Errorf("args of %s are no JSON: %s", e.Signature, e.Args)
			}
		}
		share := 100 * float64(stats[Fits]) / float64(len(logs))
		t.Logf("%-48s %6d logs: %6.2f %% decoded, %d ambiguous, %d of unknown topic0, %d with another number of topics, %d broken",
			c.name, len(logs), share, kinds[chain.Ambiguous], stats[Unknown], stats[TopicCount], stats[OutOfData]+stats[Backwards]+stats[OutOfType]+stats[LeftOver]+stats[TooMuchWork])
		if share < c.least {
			t.Errorf("%s: only %.2f %%", c.name, share)
		}
	}
}

// sharedEvent is one layout of the shared ABIs, with what was found out about it.
type sharedEvent struct {
	Sig, Layout string
	Topic0      chain.Hash
	Anonymous   bool
	ABI         json.RawMessage
}

func sharedEvents(t testing.TB) (events []sharedEvent) {
	t.Helper()
	if err := json.NewDecoder(shared(t, "abi/events.json.gz")).Decode(&events); err != nil {
		t.Fatal(err)
	}
	return events
}

// sharedLayouts are the shared ABIs, read as any ABI is.
func sharedLayouts(t testing.TB) (layouts []*Layout) {
	t.Helper()
	for _, e := range sharedEvents(t) {
		read, err := ParseABI(fmt.Appendf(nil, "[%s]", e.ABI))
		if err != nil {
			t.Fatalf("%s: %v", e.Sig, err)
		}
		layouts = append(layouts, read...)
	}
	return layouts
}

// TestSharedABIs compares signature, topic0 and indexed arguments of 650 layouts
// with what others found, and with what the built-in table has for that topic0.
func TestSharedABIs(t *testing.T) {
	layouts := sharedLayouts(t)
	table := builtinTable(t)
	known := 0
	for i, e := range sharedEvents(t) {
		l := layouts[i]
		if l.signature != e.Sig || l.Indexed() != e.Layout || l.anonymous != e.Anonymous || !e.Anonymous && l.topic0 != e.Topic0 {
			t.Errorf("%s %s %s is %s %s %s to us", e.Sig, e.Layout, e.Topic0, l.signature, l.Indexed(), l.topic0)
		}
		if ours := table.general.find(&e.Topic0); ours != nil && !e.Anonymous {
			for _, b := range ours.layouts[l.topics-1] {
				if b.signature != e.Sig || b.Indexed() != e.Layout {
					t.Errorf("the built-in %s %s is %s %s in the shared ABIs", b.signature, b.Indexed(), e.Sig, e.Layout)
				}
				known++
			}
		}
	}
	t.Logf("%d shared layouts, %d of them built in", len(layouts), known)
}

// TestRealEqualsGeth decodes every real log whose layout is known with both
// decoders, and counts how many of them are as an encoder would write them.
func TestRealEqualsGeth(t *testing.T) {
	builtin, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	table := New(builtin.And(Sources{Layouts: sharedLayouts(t)}))
	for _, name := range allLogs {
		compared, exact := 0, 0
		for _, log := range realLogs(t, name) {
			if len(log.Topics) == 0 || table.general.find(&log.Topics[0]) == nil {
				continue
			}
			for _, l := range table.general.find(&log.Topics[0]).layouts[len(log.Topics)-1] {
				compared++
				r := reader{data: log.Data, left: aliasing * len(log.Data), exact: true}
				if why := r.event(l, log.Topics[1:]); why != Fits {
					t.Errorf("%s: %s in %s: %v", name, l.signature, log.TxHash, why)
				}
				if r.exact {
					exact++
				}
				if err := sameAsGeth(t, l, log.Topics[1:], log.Data); err != nil {
					t.Errorf("%s: %s in %s: %v", name, l.signature, log.TxHash, err)
				}
			}
		}
		t.Logf("%-48s %6d logs equal accounts/abi, %d of them exact", name, compared, exact)
	}
}

// TestTwoLayouts has the topic0 that the shared ABIs know with two layouts. A log
// of each is given to the built-in table, and goes to the right one.
func TestTwoLayouts(t *testing.T) {
	byTopic := map[chain.Hash][]*Layout{}
	for _, l := range sharedLayouts(t) {
		if !l.anonymous {
			byTopic[l.topic0] = append(byTopic[l.topic0], l)
		}
	}
	table, dice, twice := builtinTable(t), newDice(1), 0
	seen := map[string]int{}
	for _, name := range allLogs {
		for _, log := range realLogs(t, name) {
			if len(log.Topics) > 0 && len(byTopic[log.Topics[0]]) == 2 {
				e := chain.Event{Log: log}
				table.Decode(&e, nil)
				seen[e.Signature+" with "+fmt.Sprint(len(log.Topics))+" topics "+e.Decoding.String()]++
			}
		}
	}
	for _, pair := range byTopic {
		if len(pair) != 2 {
			continue
		}
		twice++
		for _, l := range pair {
			log, values := dice.log(t, l)
			e := chain.Event{Log: log}
			table.Decode(&e, nil)
			ours := table.general.find(&l.topic0).layouts[l.topics-1]
			if len(ours) != 1 || ours[0].Indexed() != l.Indexed() || e.Decoding != chain.Decoded || string(e.Args) != gethJSON(ours[0], values) {
				t.Errorf("%s %s: %v, %s", l.signature, l.Indexed(), e.Decoding, e.Args)
			}
		}
	}
	if twice != 14 {
		t.Errorf("%d topic0 with two layouts", twice)
	}
	for what, n := range seen {
		t.Logf("%6d real logs of %s", n, what)
	}
}
