package reorg

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"superindex/chain"
)

// What Ancestor finds where the node and the window do not meet.
var (
	// ErrContested: the node has another block where the window is finalized.
	// Nobody's word is taken until they agree.
	ErrContested = errors.New("contested: the node contradicts the finalized block")
	// ErrBehind: the node does not reach up to the finalized block.
	ErrBehind = errors.New("the node is behind the finalized block")
)

// Tracker holds the window: the blocks that may still be reorganised.
//
// blocks[0] is the floor: the finalized block, or the block a new journal began
// at. Above it every block of our fork is there, one a height, up to the head.
// Hash equality between two forks is monotone in the height: they agree up to
// the ancestor and nowhere above it. That is what makes a binary search right,
// and a window of a fixed number of blocks, which other indexers use, needless:
// an OP Stack chain may take back everything above finalized.
type Tracker struct {
	blocks      []chain.BlockRef
	safe, final chain.BlockRef
}

// Head is the block that the next one must extend.
func (t *Tracker) Head() chain.BlockRef { return t.blocks[len(t.blocks)-1] }

// Floor is the lowest block of the window.
func (t *Tracker) Floor() chain.BlockRef { return t.blocks[0] }

// Safe and Final are zero while none has been taken.
func (t *Tracker) Safe() chain.BlockRef { return t.safe }

// Final is the finalized block; it never goes back but by the operator's rewind.
func (t *Tracker) Final() chain.BlockRef { return t.final }

// Len is the number of blocks in the window.
func (t *Tracker) Len() int { return len(t.blocks) }

// Blocks is the window, lowest first. The caller does not keep or change it.
func (t *Tracker) Blocks() []chain.BlockRef { return t.blocks }

// Holds reports whether ref, by number and hash, is in the window.
func (t *Tracker) Holds(ref chain.BlockRef) bool {
	have, ok := t.at(ref.Number)
	return ok && have == ref
}

// Conflicts reports whether the window has another block at ref's height: a fork.
func (t *Tracker) Conflicts(ref chain.BlockRef) bool {
	have, ok := t.at(ref.Number)
	return ok && ref != (chain.BlockRef{}) && have != ref
}

func (t *Tracker) at(number uint64) (chain.BlockRef, bool) {
	floor := t.Floor().Number
	if number < floor || number > t.Head().Number {
		return chain.BlockRef{}, false
	}
	return t.blocks[number-floor], true
}

// Finality returns what may be taken of a node's word once added, which extends
// the head, is held too. Both are taken by hash only: a number says nothing of the
// fork it was read on. Safe may go back; final never does.
func (t *Tracker) Finality(safe, final chain.BlockRef, added ...chain.Block) (newSafe, newFinal chain.BlockRef) {
	held := func(ref chain.BlockRef) bool {
		return t.Holds(ref) || slices.ContainsFunc(added, func(b chain.Block) bool { return b.BlockRef == ref })
	}
	newSafe, newFinal = t.safe, t.final
	if held(final) && final.Number >= t.final.Number {
		newFinal = final
	}
	if held(safe) {
		newSafe = safe
	}
	if newSafe.Number < newFinal.Number {
		newSafe = newFinal
	}
	return newSafe, newFinal
}

// Play moves the window as the step says. It is the only way a window moves, so
// the window always equals what the steps so far imply.
func (t *Tracker) Play(s *chain.Step) { t.do(t.plan(s)) }

// move is what a step does to the window: keep so many blocks from the floor up,
// add these, then forget what lies below floor. The journal stores exactly this.
type move struct {
	keep        int
	add         []chain.BlockRef
	floor       uint64
	safe, final chain.BlockRef
}

// plan says what s does to the window, and changes nothing.
func (t *Tracker) plan(s *chain.Step) move {
	switch {
	case s.Apply != nil:
		return t.planApply(s.Apply)
	case s.Revert != nil:
		return t.planRevert(s.Revert)
	}
	return move{keep: len(t.blocks), floor: t.Floor().Number, safe: t.safe, final: t.final}
}

func (t *Tracker) planApply(b *chain.Batch) move {
	m := move{keep: len(t.blocks), safe: b.Safe, final: b.Final}
	head := t.Head()
	for _, block := range b.Blocks {
		if block.Number == head.Number+1 {
			head = block.BlockRef
			m.add = append(m.add, head)
		}
	}
	if head != b.Last { // blocks between are missing: the range lies below finalized
		m.keep, m.add = 0, []chain.BlockRef{b.Last}
	}
	m.floor = t.floorAfter(m)
	return m
}

func (t *Tracker) planRevert(r *chain.Revert) move {
	if r.Cause == chain.Begin { // nothing that was known before counts; To is final to us, for nothing below it is held
		return move{add: []chain.BlockRef{r.To}, floor: r.To.Number, final: r.To}
	}
	m := move{safe: t.safe, final: t.final}
	if t.Holds(r.To) {
		m.keep = int(r.To.Number-t.Floor().Number) + 1
	} else {
		m.add = []chain.BlockRef{r.To}
	}
	if m.safe.Number > r.To.Number {
		m.safe = r.To
	}
	if m.final.Number > r.To.Number {
		m.final = r.To
	}
	m.floor = t.floorAfter(m)
	return m
}

// floorAfter is the finalized block where the moved window holds it, so that
// what lies below is forgotten; else the lowest block that m leaves.
func (t *Tracker) floorAfter(m move) uint64 {
	if slices.Contains(m.add, m.final) || m.keep > 0 && t.Holds(m.final) {
		return m.final.Number
	}
	if m.keep > 0 {
		return t.Floor().Number
	}
	return m.add[0].Number
}

func (t *Tracker) do(m move) {
	t.blocks = append(t.blocks[:m.keep], m.add...)
	t.blocks = slices.Delete(t.blocks, 0, int(m.floor-t.Floor().Number))
	t.safe, t.final = m.safe, m.final
}

// Ancestor finds the highest block of the window that the node has too. hashAt
// asks one and the same node for its canonical block at a height, ok false where
// it has none; it is called about log2(Len) times. The node may move meanwhile:
// an ancestor that is too low only costs blocks that are read again, and one that
// is no longer canonical shows as a fork at the next step.
func (t *Tracker) Ancestor(hashAt func(number uint64) (hash chain.Hash, ok bool, err error)) (chain.BlockRef, error) {
	var failed error
	agrees := func(i int) bool {
		if failed != nil {
			return false
		}
		hash, ok, err := hashAt(t.blocks[i].Number)
		failed = err
		return ok && hash == t.blocks[i].Hash
	}
	above := sort.Search(len(t.blocks), func(i int) bool { return !agrees(i) })
	if failed != nil {
		return chain.BlockRef{}, fmt.Errorf("find the ancestor of %v: %w", t.Head(), failed)
	}
	if above == 0 {
		return chain.BlockRef{}, t.noAncestor(hashAt)
	}
	return t.blocks[above-1], nil
}

func (t *Tracker) noAncestor(hashAt func(uint64) (chain.Hash, bool, error)) error {
	hash, ok, err := hashAt(t.Floor().Number)
	switch {
	case err != nil:
		return fmt.Errorf("find the ancestor of %v: %w", t.Head(), err)
	case !ok:
		return fmt.Errorf("%w: it has no block %d", ErrBehind, t.Floor().Number)
	case hash == t.Floor().Hash:
		return fmt.Errorf("%w: it moved while it was asked", ErrBehind)
	}
	return fmt.Errorf("%w: %v here, %v there", ErrContested, t.Floor(), chain.BlockRef{Number: t.Floor().Number, Hash: hash})
}

// Clone is a tracker of its own with the same window.
func (t *Tracker) Clone() *Tracker {
	return &Tracker{blocks: slices.Clone(t.blocks), safe: t.safe, final: t.final}
}
