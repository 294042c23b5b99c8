package opencollective

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"superindex/poller"
)

// query asks for one page. Events and projects of an account count as its own.
const query = `query Transactions($slug: String, $from: DateTime, $limit: Int!, $offset: Int!) {
  account(slug: $slug, throwIfMissing: false) {
    transactions(limit: $limit, offset: $offset, dateFrom: $from, orderBy: {field: CREATED_AT, direction: ASC}, includeChildrenTransactions: true) {
      nodes {
        id group type kind description createdAt isRefund isRefunded
        amount { value currency }
        netAmount { value currency }
        amountInHostCurrency { value currency }
        refundTransaction { id }
        account { slug }
        fromAccount { slug }
        toAccount { slug }
        host { slug }
      }
    }
  }
}`

type variables struct {
	Slug   string    `json:"slug"`
	From   time.Time `json:"from"`
	Limit  int       `json:"limit"`
	Offset int       `json:"offset"`
}

// data is the answer to query.
type data struct {
	Account *struct {
		Transactions struct {
			Nodes []node `json:"nodes"`
		} `json:"transactions"`
	} `json:"account"`
}

type node struct {
	ID          string    `json:"id"`
	Group       string    `json:"group"`
	Type        string    `json:"type"`
	Kind        string    `json:"kind"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"createdAt"`
	IsRefund    bool      `json:"isRefund"`
	IsRefunded  bool      `json:"isRefunded"`
	Amount      amount    `json:"amount"`
	Net         amount    `json:"netAmount"`
	InHost      amount    `json:"amountInHostCurrency"`
	Refund      *struct {
		ID string `json:"id"`
	} `json:"refundTransaction"`
	Account named `json:"account"`
	From    named `json:"fromAccount"`
	To      named `json:"toAccount"`
	Host    named `json:"host"`
}

// amount is money as the source writes it: no float comes between.
type amount struct {
	Value    json.Number `json:"value"`
	Currency string      `json:"currency"`
}

type named struct {
	Slug string `json:"slug"`
}

// reply is what GraphQL wraps an answer in.
type reply struct {
	Data   data `json:"data"`
	Errors []struct {
		Message    string `json:"message"`
		Extensions struct {
			Code string `json:"code"`
		} `json:"extensions"`
	} `json:"errors"`
}

// page asks for the page at which the state stands.
func (f *Feed) page(ctx context.Context, account string, s state) (d data, body []byte, err error) {
	what := "transactions of " + account
	question, err := json.Marshal(map[string]any{"query": query, "variables": variables{account, s.From, f.opts.Page, s.Offset}})
	if err != nil {
		return d, nil, fmt.Errorf("%s: %w", what, err)
	}
	request := poller.Request{What: what, URL: f.opts.URL, Body: question, Header: map[string]string{}}
	if f.opts.Token != "" {
		request.Header["Personal-Token"] = f.opts.Token
	}
	answer, err := poller.Do(ctx, f.opts.Client, request)
	if err != nil {
		return d, nil, err
	}
	if answer.Code != http.StatusOK {
		return d, nil, &poller.StatusError{Code: answer.Code, What: what}
	}
	var r reply
	if err := answer.Into(&r); err != nil {
		return d, nil, fmt.Errorf("%s: %w", what, err)
	}
	return r.Data, answer.Body, r.fault(what)
}

// fault is what the source says is wrong, although it answers 200.
func (r *reply) fault(what string) error {
	if len(r.Errors) == 0 {
		return nil
	}
	first := r.Errors[0]
	if strings.Contains(strings.ToLower(first.Message), "rate limit") || strings.Contains(first.Extensions.Code, "RATE_LIMIT") {
		return &poller.LimitedError{Reason: "GraphQL: " + first.Message}
	}
	return fmt.Errorf("%s: the source says: %.200s", what, first.Message)
}
