package sources

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"
)

// OpenCollective is the service, as far as transactions of an account go.
type OpenCollective struct {
	Stable bool // the same order each time

	mu       sync.Mutex
	accounts map[string][]Transaction
	turn     int
}

// Transaction is one as the service gives it. Amounts are in the currency's units.
type Transaction struct {
	ID          string    `json:"id"`
	Group       string    `json:"group"`
	Type        string    `json:"type"`
	Kind        string    `json:"kind"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"createdAt"`
	IsRefund    bool      `json:"isRefund"`
	IsRefunded  bool      `json:"isRefunded"`
	Amount      Money     `json:"amount"`
	Net         Money     `json:"netAmount"`
	InHost      Money     `json:"amountInHostCurrency"`
	Refund      *ID       `json:"refundTransaction"`
	Account     *Slug     `json:"account"`
	From        *Slug     `json:"fromAccount"`
	To          *Slug     `json:"toAccount"`
	Host        *Slug     `json:"host"`
}

// Money is an amount in a currency.
type Money struct {
	Value    float64 `json:"value"`
	Currency string  `json:"currency"`
}

// ID names another transaction.
type ID struct {
	ID string `json:"id"`
}

// Slug names an account.
type Slug struct {
	Slug string `json:"slug"`
}

// Book adds transactions to an account, made where it is new.
func (s *OpenCollective) Book(account string, all ...Transaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts == nil {
		s.accounts = map[string][]Transaction{}
	}
	for _, t := range all {
		t.Account = &Slug{account}
		s.accounts[account] = append(s.accounts[account], t)
	}
}

// ServeHTTP implements http.Handler. Transactions of the same moment come in another
// order each time, as they may from the real service.
func (s *OpenCollective) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Query     string `json:"query"`
		Variables struct {
			Slug          string
			From          time.Time
			Limit, Offset int
		} `json:"variables"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Query == "" || asked.Variables.Limit > 1000 {
		refuse(w, http.StatusBadRequest, "bad request")
		return
	}
	v := asked.Variables
	all, known := s.page(v.Slug, v.From)
	if !known {
		answer(w, map[string]any{"data": map[string]any{"account": nil}})
		return
	}
	from := min(v.Offset, len(all))
	nodes := all[from:min(from+v.Limit, len(all))]
	answer(w, map[string]any{"data": map[string]any{"account": map[string]any{"transactions": map[string]any{"nodes": nodes}}}})
}

func (s *OpenCollective) page(account string, from time.Time) (all []Transaction, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	booked, known := s.accounts[account]
	all = []Transaction{}
	for _, t := range booked {
		if !t.CreatedAt.Before(from) {
			all = append(all, t)
		}
	}
	if s.turn++; s.turn%2 == 0 && !s.Stable {
		slices.Reverse(all)
	}
	slices.SortStableFunc(all, func(a, b Transaction) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt)) })
	return all, known
}
