package oracle

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"superindex/chain"
)

// Key names a log for ever: a log of another fork has another block hash.
type Key struct {
	Network string
	Block   chain.Hash
	Index   uint32 // within the block
}

// Row is what is compared of a log.
type Row struct {
	Number   uint64     // of its block
	Time     uint64     // of its block, seconds since 1970
	Tx       chain.Hash // that made it
	Address  chain.Address
	Finality string // "unsafe", "safe" or "finalized"
	Digest   Digest // of topics and data
}

// Digest is of a log's topics and data.
type Digest [16]byte

// Set is what a store, or the chain, holds.
type Set map[Key]Row

// digest is the digest of topics and data. The number of topics is a part of it,
// so that a topic is never taken for data.
func digest(topics []chain.Hash, data []byte) Digest {
	h := sha256.New()
	h.Write([]byte{byte(len(topics))})
	for _, topic := range topics {
		h.Write(topic[:])
	}
	h.Write(data)
	return Digest(h.Sum(nil))
}

// add refuses a log that is there already: no store may show one twice.
func (s Set) add(k Key, r Row) error {
	if _, ok := s[k]; ok {
		return fmt.Errorf("log %d of block %v is there twice", k.Index, chain.BlockRef{Number: r.Number, Hash: k.Block})
	}
	s[k] = r
	return nil
}

// Heads are the numbers of a network's heads; 0 where one is not known.
type Heads struct{ Latest, Safe, Final uint64 }

// finality is the word for a block of this number.
func (h Heads) finality(number uint64) string {
	switch {
	case number <= h.Final:
		return "finalized"
	case number <= h.Safe:
		return "safe"
	}
	return "unsafe"
}

// shown is how many differences an error lists.
const shown = 8

// Compare returns nil where got is want, else an error that counts the
// differences and lists the first ones, in the chain's order.
func Compare(want, got Set) error {
	var faults []fault
	for k, w := range want {
		switch g, ok := got[k]; {
		case !ok:
			faults = append(faults, fault{k, w, "missing"})
		case g != w:
			faults = append(faults, fault{k, w, differs(w, g)})
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok {
			faults = append(faults, fault{k, g, "surplus"})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, fault.compare)
	lines := make([]string, 0, shown+1)
	for _, f := range faults[:min(shown, len(faults))] {
		lines = append(lines, f.String())
	}
	return fmt.Errorf("%d differences in %d logs (%d wanted):\n\t%s",
		len(faults), len(got), len(want), strings.Join(lines, "\n\t"))
}

// fault is one difference.
type fault struct {
	Key
	row  Row
	what string
}

func (f fault) String() string {
	return fmt.Sprintf("%s block %v log %d of %v, transaction %v: %s", f.Network,
		chain.BlockRef{Number: f.row.Number, Hash: f.Block}, f.Index, f.row.Address, f.row.Tx, f.what)
}

func (f fault) compare(g fault) int {
	return cmp.Or(cmp.Compare(f.Network, g.Network), cmp.Compare(f.row.Number, g.row.Number),
		slices.Compare(f.Block[:], g.Block[:]), cmp.Compare(f.Index, g.Index))
}

// differs names each member that differs, with both values.
func differs(want, got Row) string {
	var parts []string
	for _, m := range []struct {
		name      string
		want, got any
	}{
		{"block number", want.Number, got.Number},
		{"time", want.Time, got.Time},
		{"transaction", want.Tx, got.Tx},
		{"address", want.Address, got.Address},
		{"finality", want.Finality, got.Finality},
		{"digest of topics and data", want.Digest, got.Digest},
	} {
		if m.want != m.got {
			parts = append(parts, fmt.Sprintf("%s is %v, want %v", m.name, m.got, m.want))
		}
	}
	return strings.Join(parts, "; ")
}

// String is the digest in hex.
func (d Digest) String() string { return fmt.Sprintf("%x", d[:]) }
