package opencollective

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"superindex/chain"
	"superindex/poller"
)

// kind is the kind of the rows.
const kind = "transactions"

// overlap is how far before the newest transaction a round begins: some are booked
// days late, with the date of what they book.
const overlap = 48 * time.Hour

// state is where an account's transactions stand.
type state struct {
	Cursor  time.Time       `json:"cursor"` // of the newest that was brought
	From    time.Time       `json:"from"`   // the page that is next begins there; zero begins a round
	Offset  int             `json:"offset"` // within what was created in that very moment
	Covered uint64          `json:"covered"`
	Seen    map[string]seen `json:"seen"` // what may come again
}

// seen is a transaction that was brought.
type seen struct {
	At   int64  `json:"at"`   // when it was created, seconds since 1970
	Body string `json:"body"` // digest of its row
}

// stateOf reads a resource's state; one that cannot be read is the first.
func stateOf(r poller.Resource) state {
	s := state{}
	if r.Into(&s) != nil {
		s = state{}
	}
	if s.Seen == nil {
		s.Seen = map[string]seen{}
	}
	return s
}

// open begins a round where none is under way.
func (s *state) open(first time.Time) {
	if !s.From.IsZero() {
		return
	}
	s.From, s.Offset = first, 0
	if at := s.Cursor.Add(-overlap); !s.Cursor.IsZero() && at.After(first) {
		s.From = at
	}
}

var errNode = errors.New("a transaction without an id, a date, an amount or a currency")

// read makes rows of the transactions that are new or have changed.
func (s *state) read(nodes []node) (rows []chain.Row, err error) {
	for i := range nodes {
		n := &nodes[i]
		if n.ID == "" || n.CreatedAt.IsZero() || n.Amount.Value == "" || n.Amount.Currency == "" {
			return nil, errNode
		}
		body, err := json.Marshal(n.row())
		if err != nil {
			return nil, fmt.Errorf("transaction %s: %w", n.ID, err)
		}
		now := seen{n.CreatedAt.Unix(), digest(body)}
		if s.Seen[n.ID] == now {
			continue
		}
		s.Seen[n.ID] = now
		rows = append(rows, chain.Row{Kind: kind, ID: n.ID, Time: uint64(max(0, n.CreatedAt.Unix())), Body: body})
		if n.CreatedAt.After(s.Cursor) {
			s.Cursor = n.CreatedAt
		}
	}
	return rows, nil
}

// next moves to the page after one that was read; false where there is none, and the
// round has ended.
func (s *state) next(nodes []node, page int) bool {
	more := len(nodes) >= page
	if more {
		last := nodes[len(nodes)-1].CreatedAt
		if from := last.Add(-time.Millisecond); from.After(s.From) { // whether or not the source takes it as included
			s.From, s.Offset = from, 0
		} else {
			s.Offset += len(nodes)
		}
	} else {
		s.From, s.Offset = time.Time{}, 0
	}
	for id, one := range s.Seen {
		if one.At < s.Cursor.Add(-overlap).Unix() && (!more || one.At < s.From.Unix()) {
			delete(s.Seen, id)
		}
	}
	return more
}

func digest(body []byte) string {
	h := fnv.New64a()
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// row is a transaction as the view shows it.
type row struct {
	ID           string       `json:"id"`
	Group        string       `json:"group"` // of the two sides of one movement
	Type         string       `json:"type"`  // CREDIT or DEBIT
	Kind         string       `json:"kind"`
	Description  string       `json:"description"`
	CreatedAt    time.Time    `json:"created_at"`
	Amount       json.Number  `json:"amount"` // below zero for a DEBIT
	Currency     string       `json:"currency"`
	Net          *json.Number `json:"net_amount"` // after fees; null where the source does not say
	NetCurrency  string       `json:"net_currency"`
	InHost       *json.Number `json:"host_amount"`
	HostCurrency string       `json:"host_currency"`
	IsRefund     bool         `json:"is_refund"`
	IsRefunded   bool         `json:"is_refunded"` // as of the poll; the view knows it of what was refunded since
	Refund       string       `json:"refund_id"`   // of a refund what it refunds, of what was refunded its refund
	Account      string       `json:"account"`
	From         string       `json:"from_account"`
	To           string       `json:"to_account"`
	Host         string       `json:"host"`
}

func (n *node) row() row {
	r := row{
		ID: n.ID, Group: n.Group, Type: n.Type, Kind: n.Kind, Description: n.Description, CreatedAt: n.CreatedAt.UTC(),
		Amount: n.Amount.Value, Currency: n.Amount.Currency, Net: number(n.Net), NetCurrency: n.Net.Currency,
		InHost: number(n.InHost), HostCurrency: n.InHost.Currency, IsRefund: n.IsRefund, IsRefunded: n.IsRefunded,
		Account: n.Account.Slug, From: n.From.Slug, To: n.To.Slug, Host: n.Host.Slug,
	}
	if n.Refund != nil {
		r.Refund = n.Refund.ID
	}
	return r
}

// number is an amount's value; nil for none.
func number(a amount) *json.Number {
	if a.Value == "" {
		return nil
	}
	return &a.Value
}
