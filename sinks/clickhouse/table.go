package clickhouse

import (
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"superindex/chain"
)

// An INSERT is sent in blocks of so many rows or bytes, so that the columns stay
// small; the server joins them. It takes in one while the next is made.
const (
	blockLength = 8192
	blockBytes  = 8 << 20
)

// table is one table's columns, filled from steps and sent block by block.
type table struct {
	name    string
	columns proto.Input
	count   func(step *chain.Step) int          // how many rows a step has
	add     func(step *chain.Step, row int) int // appends one of them, of about so many bytes

	steps []chain.Step // whose rows are to come
	row   int          // the next one of steps[0]
}

func newTable(name string, count func(*chain.Step) int, add func(*chain.Step, int) int, columns proto.Input) *table {
	return &table{name: name, columns: columns, count: count, add: add}
}

// from begins with the first row of steps.
func (t *table) from(steps []chain.Step) { t.steps, t.row = steps, 0 }

// next fills the columns with the next block of rows, and says whether there is one.
func (t *table) next() bool {
	for i := range t.columns {
		t.columns[i].Data.(checked).reset()
	}
	rows, size := 0, 0
	for len(t.steps) > 0 && rows < blockLength && size < blockBytes {
		if t.row == t.count(&t.steps[0]) {
			t.steps, t.row = t.steps[1:], 0
			continue
		}
		size += t.add(&t.steps[0], t.row)
		t.row++
		rows++
	}
	return rows > 0
}

// checked is a column that the table must have with its own type.
type checked struct {
	proto.ColInput
	name string
}

func in(name string, column proto.ColInput) proto.InputColumn {
	return proto.InputColumn{Name: name, Data: checked{column, name}}
}

func (c checked) reset() { c.ColInput.(proto.Resettable).Reset() }

// EncodeState is for a column that has one.
func (c checked) EncodeState(b *proto.Buffer) {
	if s, ok := c.ColInput.(proto.StateEncoder); ok {
		s.EncodeState(b)
	}
}

// Infer compares the column with the table's, as the server says it is. Moments of
// another precision hold all the same.
func (c checked) Infer(has proto.ColumnType) error {
	moments := strings.HasPrefix(string(has), "DateTime") && strings.HasPrefix(string(c.Type()), "DateTime")
	if moments || !has.Conflicts(c.Type()) {
		return nil
	}
	return &alteredError{c.name, has, c.Type()}
}

// alteredError is a column that somebody gave another type.
type alteredError struct {
	column    string
	has, want proto.ColumnType
}

func (e *alteredError) Error() string {
	return fmt.Sprintf("column %s is %s, not %s", e.column, e.has, e.want)
}
