package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

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
	js, err := d.nats()
	if err != nil {
		return p, err
	}
	defer js.Conn().Close()
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
	// rounds is how often the messages are stored: so few are held that the memory
	// they take does not slow the measurement down.
	rounds = 10
	// askEvery is how many messages go out between two questions whether the server
	// has them, and asked how many questions are open. Atomic batches of a thousand,
	// which the server writes twice, take 1.7 times the CPU, and an answer to each
	// message a tenth more.
	askEvery, asked = 1000, 4
	// syncEvery is how many messages are put on the disk at once.
	syncEvery = 10 * askEvery
)

// jetstreamAlone is how fast a server in this process stores the same messages, in
// a stream of the same form, one behind the other and on the disk: the fastest way
// that is known, and the sink's. But no message expects another, and none is made.
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
		js, err := connect(s.FullURL())
		if err != nil {
			return m, err
		}
		defer js.Conn().Close()
		if _, err := js.CreateStream(ctx, p.config); err != nil {
			return m, fmt.Errorf("make the stream: %w", err)
		}
		ids := idsOf(p.all)
		watch := newWatch()
		for held := 0; held < rounds*len(p.all); {
			if held%len(p.all) == 0 {
				ids.give(p.all, held/len(p.all))
			}
			some := p.all[held%len(p.all):]
			some = some[:min(len(some), syncEvery)]
			if err := publish(ctx, js.Conn(), some, held); err != nil {
				return m, err
			}
			if err := s.Sync(p.config.Name); err != nil {
				return m, err
			}
			held += len(some)
		}
		return watch.measure(uint64(rounds * len(p.all))), nil
	})
}

// roundIDs are the messages' ids of each round, as long as the sink's: the server passes
// over a message whose id it had within the stream's window, which a fast round is in.
type roundIDs [rounds][][]string

func idsOf(all []*nats.Msg) *roundIDs {
	ids := new(roundIDs)
	for round := range ids {
		for _, m := range all {
			id := m.Header.Get(jetstream.MsgIDHeader)
			ids[round] = append(ids[round], []string{string(rune('0'+round)) + id[min(1, len(id)):]})
		}
	}
	return ids
}

// give gives the messages those of a round.
func (ids *roundIDs) give(all []*nats.Msg, round int) {
	for i, m := range all {
		m.Header[jetstream.MsgIDHeader] = ids[round][i]
	}
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
		last := i == len(all)-1
		if m.Reply = ""; last || (i+1)%askEvery == 0 {
			m.Reply, open = inbox, append(open, held+i+1)
		}
		if err := conn.PublishMsg(m); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		for ; len(open) > asked || last && len(open) > 0; open = open[1:] {
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
