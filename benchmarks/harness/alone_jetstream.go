package harness

import (
	"context"
	"crypto/rand"
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

// again is a message without what belongs to the batch that it came in.
func again(m jetstream.Msg) *nats.Msg {
	out := nats.NewMsg(m.Subject())
	out.Data = m.Data()
	for key, values := range m.Headers() {
		if key != jetstream.ExpectedLastSeqHeader && key != "Nats-Batch-Id" && key != "Nats-Batch-Sequence" && key != "Nats-Batch-Commit" {
			out.Header[key] = values
		}
	}
	return out
}

// batchSize is how many messages an atomic batch may have.
const batchSize = 1000

// jetstreamAlone is how fast a server in this process stores the same messages, in
// a stream of the same form, in full atomic batches.
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
		for from := 0; from < len(p.all); from += batchSize {
			if err := publish(ctx, conn, p.all[from:min(len(p.all), from+batchSize)]); err != nil {
				return m, err
			}
		}
		return watch.measure(uint64(len(p.all))), nil
	})
}

// publish stores messages as one atomic batch.
func publish(ctx context.Context, conn *nats.Conn, all []*nats.Msg) error {
	id := rand.Text()
	for i, m := range all {
		m.Header["Nats-Batch-Id"] = []string{id}
		m.Header["Nats-Batch-Sequence"] = []string{strconv.Itoa(i + 1)}
		if i < len(all)-1 {
			if err := conn.PublishMsg(m); err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			continue
		}
		m.Header["Nats-Batch-Commit"] = []string{"1"}
		reply, err := conn.RequestMsgWithContext(ctx, m)
		if err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		var ack struct {
			Count int             `json:"count"`
			Error json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal(reply.Data, &ack); err != nil || ack.Error != nil || ack.Count != len(all) {
			return errors.Join(fmt.Errorf("commit: the server answers %s", reply.Data), err)
		}
	}
	return nil
}
