package fold

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// Fold is one network's chain as of the last message taken.
type Fold struct {
	Rows       map[Key]Row
	Seq, Index uint64 // of that message: keep them with the rows
}

// New is a fold that has taken nothing.
func New() *Fold { return &Fold{Rows: map[Key]Row{}} }

// Take changes the rows as one message says.
func (f *Fold) Take(subject string, header nats.Header, body []byte) error {
	seq, err := strconv.ParseUint(header.Get("Superindex-Seq"), 10, 64)
	index, err2 := strconv.ParseUint(header.Get("Superindex-Index"), 10, 64)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if seq < f.Seq || seq == f.Seq && index <= f.Index {
		return nil // a repetition
	}
	f.Seq, f.Index = seq, index
	what := strings.Split(subject, ".")[3] // superindex.evm.<network>.<what>
	if what == "finality" || what == "rows" {
		return nil // nothing that changes the chain
	}
	var m struct {
		Row
		From, To  struct{ Number uint64 }
		Addresses []string // none: all
		Published bool
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	switch what {
	case "event":
		f.Rows[m.Key] = m.Row
	case "revert": // every block above `to` is gone
		maps.DeleteFunc(f.Rows, func(_ Key, r Row) bool { return r.BlockNumber > m.To.Number })
	case "refill": // what the range held before is gone; its rows came just before, with the same seq
		maps.DeleteFunc(f.Rows, func(_ Key, r Row) bool {
			return m.Published && r.Seq < m.Seq && m.From.Number <= r.BlockNumber && r.BlockNumber <= m.To.Number &&
				(len(m.Addresses) == 0 || slices.Contains(m.Addresses, r.Address))
		})
	}
	return nil
}
