package clickhouse

import (
	"fmt"
	"math"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"superindex/chain"
)

// An INSERT is sent in blocks of so many rows, so that the columns stay small, but for the
// one that ends a part; the server joins them. It takes in one while the next is made.
const blockLength = 8192

// table is one table's columns, filled from steps and sent block by block.
type table struct {
	name    string
	columns proto.Input
	count   func(step *chain.Step) int           // how many rows a step has
	add     func(step *chain.Step, from, to int) // appends those of them

	part  int          // see begin
	whole bool         // steps are a part by themselves
	sent  int          // rows of the INSERT
	steps []chain.Step // whose rows are to come
	row   int          // the next one of steps[0]
}

func newTable(name string, count func(*chain.Step) int, add func(*chain.Step, int, int), columns proto.Input) *table {
	return &table{name: name, columns: columns, count: count, add: add}
}

// begin is for a new INSERT. The server makes a part of the blocks that it has once they
// have so many rows; at the end where it is 0.
func (t *table) begin(part int) { t.part, t.sent, t.steps = part, 0, nil }

// from goes on with the rows of steps.
func (t *table) from(steps []chain.Step) {
	t.steps, t.row = steps, 0
	t.whole = t.part > 0 && t.rowsOf(steps) >= t.part
}

// next fills the columns with the next block of rows, and says whether there is one. The
// block that ends a part has all that is left: what the server got after it would be
// another part, and so would one that has as many rows behind others.
func (t *table) next() bool {
	for i := range t.columns {
		t.columns[i].Data.(checked).reset()
	}
	rows, most := 0, blockLength
	if t.whole || t.part > 0 && t.sent+most >= t.part {
		most = math.MaxInt
	}
	for len(t.steps) > 0 && rows < most {
		step := &t.steps[0]
		n := min(t.count(step)-t.row, most-rows)
		if n == 0 {
			t.steps, t.row = t.steps[1:], 0
			continue
		}
		t.add(step, t.row, t.row+n)
		t.row, rows = t.row+n, rows+n
	}
	if t.sent += rows; len(t.steps) == 0 {
		t.steps = nil // nothing here keeps them
	}
	return rows > 0
}

// rowsOf is how many rows the steps have.
func (t *table) rowsOf(steps []chain.Step) (rows int) {
	for i := range steps {
		rows += t.count(&steps[i])
	}
	return rows
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
