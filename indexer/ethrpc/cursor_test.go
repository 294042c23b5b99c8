package ethrpc

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"superindex/indexer"
)

// However few bytes arrive at once, the window is filled before it is read.
func TestWindowIsFilled(t *testing.T) {
	text := append(bytes.Repeat([]byte{' '}, window+10), "[]"...)
	for _, size := range []int{0, len(text)} { // it is known, or not
		c := &cursor{buf: make([]byte, 0, window), from: iotest.OneByteReader(bytes.NewReader(text)), size: size}
		if !c.fill() || len(c.buf) != window {
			t.Errorf("of size %d: %d bytes at first", size, len(c.buf))
		}
		c.at, c.mark = window, window
		if !c.fill() || len(c.buf) != 12 {
			t.Errorf("of size %d: %d bytes then", size, len(c.buf))
		}
		if c.at = 12; c.fill() || c.err != nil {
			t.Errorf("of size %d: more, or %v", size, c.err)
		}
		if c.more() || !errors.Is(c.err, io.ErrUnexpectedEOF) {
			t.Errorf("of size %d: it was cut off: %v", size, c.err)
		}
	}
}

// What came before an error is read, and the error is the one that came first.
func TestFirstErrorStays(t *testing.T) {
	first, from := errors.New("first"), &failing{text: "[1,"}
	from.errs = []error{first, errors.New("second")}
	c := &cursor{from: from}
	c.enter('[')
	if v := c.value(); c.err != nil || string(c.bytes(v)) != "1" {
		t.Fatal(v, c.err)
	}
	if c.next(false) || !errors.Is(c.err, first) {
		t.Error(c.err)
	}
}

// failing gives its text and the first error at once, then the others.
type failing struct {
	text string
	errs []error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := copy(p, f.text), f.errs[0]
	f.text, f.errs = "", f.errs[1:]
	return n, err
}

// A log that the end of the window cuts in two is read like the others: no more is
// learned than of an answer that is there at once.
func TestCutLogsAreAlike(t *testing.T) {
	const blocks = 20
	within := indexer.Range{From: benchRange.From, To: benchRange.From + blocks - 1}
	answer, _ := benchAnswer(blocks)
	learned := func(c *cursor) *shape {
		s := newScan(within, everything{}, nil)
		_, calls := headerCalls(ends(within))
		if err := decode(c, append(calls, &call{read: s.read})); err != nil || s.all != blocks*benchLogs {
			t.Fatal(s.all, err)
		}
		return &s.arena.shape
	}
	whole := learned(&cursor{buf: answer, size: len(answer)})
	cut := learned(&cursor{from: iotest.HalfReader(bytes.NewReader(answer)), size: len(answer)})
	if cut.next != whole.next || cut.molds != whole.molds {
		t.Errorf("%d molds in place of %d, or others", cut.next, whole.next)
	}
}
