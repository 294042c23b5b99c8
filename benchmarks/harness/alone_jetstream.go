package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	server "superindex/internal/embedded/nats"
	sink "superindex/sinks/jetstream"
)

// published are messages of a network's stream, as they were published.
type published struct {
	config jetstream.StreamConfig
	all    []*nats.Msg
}

// published reads the first messages of the network's stream.
func (d *daemon) published(ctx context.Context, most int) (p published, err error) {
	conn, err := d.nats()
	if err != nil {
		return p, err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return p, fmt.Errorf("connect to the stream: %w", err)
	}
	from, err := js.Stream(ctx, sink.StreamName(stream))
	if err != nil {
		return p, fmt.Errorf("find the stream: %w", err)
	}
	p.config = from.CachedInfo().Config
	consumer, err := from.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return p, fmt.Errorf("read the stream: %w", err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return p, fmt.Errorf("read the stream: %w", err)
	}
	defer messages.Stop()
	for most = min(most, int(from.CachedInfo().State.Msgs)); len(p.all) < most; {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return p, fmt.Errorf("read the stream: %w", err)
		}
		p.all = append(p.all, again(m))
	}
	return p, nil
}

// again is a message as it was published, without what coupled it to the one before.
func again(m jetstream.Msg) *nats.Msg {
	out := nats.NewMsg(m.Subject())
	out.Data = m.Data()
	for key, values := range m.Headers() {
		if key != jetstream.ExpectedLastSeqHeader && key != jetstream.ExpectedLastMsgIDHeader {
			out.Header[key] = values
		}
	}
	return out
}

const (
	// batchSize is how many messages go out between two questions whether the server
	// has them: with as many in flight it is slower in atomic batches of a thousand,
	// which are written twice, and with a question for each message.
	batchSize = 1000
	// syncEvery is how many messages are put on the disk at once.
	syncEvery = 10 * batchSize
)

// jetstreamAlone is how fast a server in this process stores the same messages, in
// a stream of the same form, one behind the other and on the disk: the fastest way
// that is known. Nothing is looked at but whether all are there.
func (b *bench) jetstreamAlone(ctx context.Context, p published) (measure, error) {
	return b.limit(limitJetStream, func() (m measure, err error) {
		dir, err := b.folder("jetstream-alone")
		if err != nil {
			return m, err
		}
		s, err := server.Start(ctx, server.Options{Dir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return m, err
		}
		defer s.Close()
		conn, err := nats.Connect(s.FullURL())
		if err != nil {
			return m, fmt.Errorf("connect to the server: %w", err)
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			return m, fmt.Errorf("connect to the server: %w", err)
		}
		if _, err := js.CreateStream(ctx, p.config); err != nil {
			return m, fmt.Errorf("make the stream: %w", err)
		}
		watch := newWatch()
		for from := 0; from < len(p.all); from += syncEvery {
			if err := publish(ctx, conn, p.all[from:min(len(p.all), from+syncEvery)], from); err != nil {
				return m, err
			}
			if err := s.Sync(p.config.Name); err != nil {
				return m, err
			}
		}
		return watch.measure(uint64(len(p.all))), nil
	})
}

// publish stores messages in a stream that holds `held` of them.
func publish(ctx context.Context, conn *nats.Conn, all []*nats.Msg, held int) error {
	inbox := conn.NewInbox()
	answers, err := conn.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer answers.Unsubscribe() //nolint:errcheck // the connection ends with the measurement
	var open []int              // the sequences that the server was asked for
	for i, m := range all {
		m.Header[jetstream.ExpectedLastSeqHeader] = []string{strconv.Itoa(held + i)}
		if (i+1)%batchSize == 0 || i == len(all)-1 {
			m.Reply, open = inbox, append(open, held+i+1)
		}
		if err := conn.PublishMsg(m); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		for ; len(open) > 4 || i == len(all)-1 && len(open) > 0; open = open[1:] {
			if err := stored(ctx, answers, open[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// stored waits until the server says that it holds all up to a sequence.
func stored(ctx context.Context, answers *nats.Subscription, sequence int) error {
	reply, err := answers.NextMsgWithContext(ctx)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	var ack struct {
		Seq   int             `json:"seq"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil || ack.Error != nil || ack.Seq != sequence {
		return errors.Join(fmt.Errorf("publish: the server answers %s", reply.Data), err)
	}
	return nil
}
