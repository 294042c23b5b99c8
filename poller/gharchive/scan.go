package gharchive

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"superindex/chain"
)

// What is held of a file at once. The rows are those of one step.
const (
	maxLine     = 4 << 20 // a longer one is left out; the longest seen are below 1 MiB
	stepRows    = 20_000
	maxRowBytes = 6 << 20
	maxRawBytes = 16 << 20
)

// scan reads an hour's file.
type scan struct {
	watch Watch
	from  int // the rows before this one were brought
	most  int // rows at once

	rows []chain.Row
	raw  []byte // the lines of rows, as they came
	more bool   // there are rows after these

	lines, kept, unread int
	bytes               int64
	sha                 string
	first, last         time.Time

	size int
	seen map[string]bool // ids of rows: a file may have an event twice
}

var errEmpty = errors.New("the file has no line that is an event")

// read reads the file to its end: until there it is not known to be whole. An error
// means that nothing of it can be used.
func (f *scan) read(file io.Reader) error {
	f.seen = map[string]bool{}
	hash := sha256.New()
	unpacked, err := gzip.NewReader(io.TeeReader(file, io.MultiWriter(hash, (*count)(&f.bytes))))
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	lines := bufio.NewReaderSize(unpacked, 1<<16)
	buffer := make([]byte, 0, maxLine)
	for {
		line, long, err := next(lines, buffer)
		if long || len(line) > 0 {
			f.line(line, long)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
	}
	if f.lines == f.unread {
		return errEmpty
	}
	f.sha = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// count counts the bytes written to it.
type count int64

// Write implements io.Writer.
func (c *count) Write(p []byte) (int, error) {
	*c += count(len(p))
	return len(p), nil
}

// next reads a line into buffer, without its end. Of one that is too long it keeps
// the beginning, and says so.
func next(from *bufio.Reader, buffer []byte) (line []byte, long bool, err error) {
	for {
		part, err := from.ReadSlice('\n')
		if len(buffer)+len(part) > maxLine {
			long = true
		} else {
			buffer = append(buffer, part...)
		}
		if err != bufio.ErrBufferFull {
			for len(buffer) > 0 && (buffer[len(buffer)-1] == '\n' || buffer[len(buffer)-1] == '\r') {
				buffer = buffer[:len(buffer)-1]
			}
			return buffer, long, err
		}
	}
}

// line takes a line in.
func (f *scan) line(line []byte, long bool) {
	f.lines++
	if long {
		f.unread++
		return
	}
	e, err := parse(line)
	if err != nil {
		f.unread++
		return
	}
	if f.first.IsZero() || e.CreatedAt.Before(f.first) {
		f.first = e.CreatedAt
	}
	if e.CreatedAt.After(f.last) {
		f.last = e.CreatedAt
	}
	if !f.watch.has(e.Repo.Name) || f.seen[e.ID] {
		return
	}
	body, err := e.row()
	if err != nil {
		f.unread++
		return
	}
	f.seen[e.ID] = true
	f.keep(chain.Row{Kind: eventsKind, ID: e.ID, Time: uint64(max(0, e.CreatedAt.Unix())), Body: body}, line)
}

// keep takes a row in, if it is of this part.
func (f *scan) keep(row chain.Row, line []byte) {
	f.kept++
	if f.kept <= f.from || f.more {
		return
	}
	full := len(f.rows) == f.most || f.size+len(row.Body) > maxRowBytes || len(f.raw)+len(line) > maxRawBytes
	if full && len(f.rows) > 0 {
		f.more = true
		return
	}
	f.rows, f.size = append(f.rows, row), f.size+len(row.Body)
	f.raw = append(append(f.raw, line...), '\n')
}
