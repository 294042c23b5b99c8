package jetstream

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"superindex/chain"
)

// Options say where the streams are and how much they keep. The limits are for
// streams that do not exist yet: an existing one keeps the limits it has.
type Options struct {
	URL         string                     // nats:// or tls://, several with commas between; user:password@ where they are asked for
	Local       nats.InProcessConnProvider // the server, where it runs in this process: it is reached without the network; nil for none
	Credentials string                     // path of a .creds file; "" for none
	Retention   time.Duration              // of a message; 0 for ever
	MaxBytes    int64                      // of one stream; 0 without limit
	Replicas    int                        // of each stream; 0 is 1
	History     bool                       // publish the events of fills; without it only the message that a range was filled
	AckWait     time.Duration              // how long an answer of the server may take; 0 is 5 s

	// Sync returns once all that the server acknowledged before the call, of the
	// JetStream stream of that name, would outlive a loss of power. It is called by one
	// goroutine at a time a stream. Nil where the server sees to that, or nobody does.
	Sync func(stream string) error

	// Room takes so many bytes of the server's disk for what is to be published, until
	// they are given back; an error where they are not there. Nil where nobody knows.
	Room func(bytes int64) (give func(), err error)

	// Owners names the projects that own an address, for the body's `projects`. It
	// is called for each event, from several goroutines; nil for none.
	Owners func(network string, a chain.Address) []string

	// RowOwners does the same for a feed's row. Nil, or a nil answer, adds no
	// `projects` to its body: the row is about nothing that projects own.
	RowOwners func(feed string, row *chain.Row) []string
	Log       *slog.Logger
}

const defaultAckWait = 5 * time.Second

// Check names the field that cannot be used. It never shows the URL, which may
// hold a password.
func (o Options) Check() error {
	if o.URL == "" {
		return errors.New("jetstream: URL is empty")
	}
	for _, text := range strings.Split(o.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		var wrong *url.Error
		switch {
		case errors.As(err, &wrong):
			return fmt.Errorf("jetstream: URL: %w", wrong.Err)
		case u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss":
			return fmt.Errorf("jetstream: URL: its scheme is %q, not nats or tls", u.Scheme)
		}
	}
	for name, n := range map[string]int64{
		"Retention": int64(o.Retention), "MaxBytes": o.MaxBytes, "Replicas": int64(o.Replicas), "AckWait": int64(o.AckWait),
	} {
		if n < 0 {
			return fmt.Errorf("jetstream: %s: %d is negative", name, n)
		}
	}
	if o.Log == nil {
		return errors.New("jetstream: Log is nil")
	}
	return nil
}
