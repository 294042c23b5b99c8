package fold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Key is the identity of a log within a network.
type Key struct {
	BlockHash string `json:"block_hash"`
	LogIndex  uint32 `json:"log_index"`
}

// Row is an event's body: as many of its fields as the consumer wants.
type Row struct {
	Key
	Seq         uint64          `json:"seq"`
	BlockNumber uint64          `json:"block_number"`
	BlockTime   string          `json:"block_time"` // RFC 3339, UTC
	TxHash      string          `json:"tx_hash"`
	Address     string          `json:"address"`
	Event       string          `json:"event"`
	Args        json.RawMessage `json:"args"` // null where the message was too large
	Topics      []string        `json:"topics"`
	Data        string          `json:"data"`
}

// Follow takes the messages of a stream, from the first one that it holds, until
// each says false. each is called after every message with the number of those
// that follow it.
func (f *Fold) Follow(ctx context.Context, stream jetstream.Stream, each func(pending uint64) bool) error {
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("next message: %w", err)
		}
		meta, err := m.Metadata()
		if err := errors.Join(err, f.Take(m.Subject(), m.Headers(), m.Data())); err != nil {
			return fmt.Errorf("message on %s: %w", m.Subject(), err)
		}
		if !each(meta.NumPending) {
			return nil
		}
	}
}
