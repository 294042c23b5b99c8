package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// The server's error codes that mean something to the sink.
const (
	codeWrongLastID       = 10070
	codeWrongLast         = 10071
	codeWrongLastConstant = 10164
	codeInvalidConfig     = 10052
	codeTooLarge          = 10054 // a message
	codeNoAccountSpace    = 10002
	codeNoResources       = 10023
	codeNoStorage         = 10047
	codeStoreFailed       = 10077 // the store's own words follow, "maximum bytes exceeded" among them
)

// errRefused is what a second writer meets, and a retry of a write whose
// acknowledgement was lost. Whose the stream is, Position says. A message that is
// not the first of a Write and that the server does not take for another reason
// leads here too; the next Write begins with it and is told the reason.
var errRefused = errors.New("the stream does not end where this write left it: another writer, an earlier write that took effect after all," +
	" or a message that the server did not take")

// explain says what an error of the server on a stream means, and whether a retry can mend it.
func (s *Sink) explain(of chain.Stream, err error) error {
	if denied := s.link.refusal(of); denied != nil {
		return chain.Fatal(denied, "let the sink's NATS user publish to superindex.> and $JS.API.>, and subscribe to _INBOX.>")
	}
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api):
		return explainCode(err, int(api.ErrorCode))
	case errors.Is(err, nats.ErrMaxPayload):
		return tooLarge(err)
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("no JetStream answers: %w", err)
	case errors.Is(err, nats.ErrReconnectBufExceeded):
		return errors.New("not connected to the NATS server")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the NATS server did not answer in time: %w", err)
	}
	return err
}

func explainCode(err error, code int) error {
	switch code {
	case codeWrongLastID, codeWrongLast, codeWrongLastConstant:
		return fmt.Errorf("%w (%w)", errRefused, err)
	case codeTooLarge:
		return tooLarge(err)
	case codeNoAccountSpace, codeNoResources, codeNoStorage, codeStoreFailed:
		return fmt.Errorf("the NATS server has no space left for the stream: %w (raise the stream's max_bytes or the account's limits, let the stream discard old messages, or free disk)", err)
	}
	return err
}

func tooLarge(err error) error {
	return chain.Fatal(fmt.Errorf("a message is too large even without data and args: %w", err),
		"raise the server's max_payload, or the stream's max_msg_size, to 128 KiB or more")
}
