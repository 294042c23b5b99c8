package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/indexer"
	"superindex/internal/fold"
	"superindex/internal/oracle"
	sink "superindex/sinks/jetstream"
)

// watchPause is between two looks of the reader that never sleeps: short against
// the time between blocks, long against one look.
const watchPause = 50 * time.Millisecond

// watch reads the views all the time: at no instant may they show two forks.
func (s *stage) watch(ctx context.Context) error {
	conn, err := warehouse(s.config)
	if err != nil {
		return err
	}
	s.reads, err = oracle.Watch(ctx, conn, s.networks[0].Stream, watchPause)
	return errors.Join(err, conn.Close())
}

// settleWithin is how long the daemon may take to come to the head of a chain that
// stands still: a head that has gone down is a rewind only after half a minute.
const settleWithin = time.Minute

// verdict compares warehouse and folded stream with the chain, row by row.
func (s *stage) verdict(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	client, err := oracle.Dial(ctx, s.dev.URL())
	if err != nil {
		return err
	}
	defer client.Close()
	head, err := s.settle(ctx)
	if err != nil {
		return err
	}
	stream := s.networks[0].Stream
	want, heads, err := oracle.Read(ctx, client, oracle.Query{Network: stream.Name, From: 1, To: head, Watched: slices.Collect(s.networks[0].Watch.All())})
	if err != nil {
		return err
	}
	held, err := s.fromWarehouse(ctx, stream)
	if err != nil {
		return err
	}
	folded, err := s.fromStream(ctx, stream, heads)
	if err != nil {
		return err
	}
	if s.reads.Good == 0 {
		return fmt.Errorf("demo: the reader beside never got an answer: %w", s.reads.Last)
	}
	n := s.now()
	fmt.Fprintf(s.out, "\n%d blocks, %d events, %d reorgs undone (the last %d deep); a reader that never slept saw one fork in each of %d looks\n",
		head, len(want), n.Reorgs, n.LastReorg.Depth(), s.reads.Good)
	err = errors.Join(named("warehouse", oracle.Compare(want, held)), named("stream", oracle.Compare(want, folded)))
	if err == nil {
		fmt.Fprintf(s.out, "chain = warehouse = folded stream: %d rows, equal in address, topics, data, block time and finality\n", len(want))
	}
	return err
}

func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s differs from the chain: %w", what, err)
}

// settle waits until the journal has the chain's head, safe and finalized, and every
// sink the journal's last step. It returns the head's number.
func (s *stage) settle(ctx context.Context) (uint64, error) {
	for {
		heads, err := s.networks[0].Source.Heads(ctx)
		if err != nil {
			return 0, fmt.Errorf("demo: %w", err)
		}
		if s.settled(heads) {
			return heads.Latest.Number, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("demo: the daemon did not come to the head within %v: %+v", settleWithin, s.status.Snapshot())
		case <-time.After(watchPause):
		}
	}
}

func (s *stage) settled(heads indexer.Heads) bool {
	st, err := s.journal.Stat(demoNetwork)
	if err != nil || st.Last != heads.Latest || st.Safe != heads.Safe || st.Final != heads.Final || len(st.Owed) > 0 {
		return false
	}
	held := s.now().Sinks
	return len(held) == len(s.sinks) && !slices.ContainsFunc(held, func(k indexer.SinkStatus) bool { return k.Seq != st.Head })
}

// now is the chain's status.
func (s *stage) now() indexer.NetworkStatus {
	for _, n := range s.status.Snapshot() {
		if n.Network == demoNetwork {
			return n
		}
	}
	return indexer.NetworkStatus{}
}

func (s *stage) fromWarehouse(ctx context.Context, stream chain.Stream) (oracle.Set, error) {
	conn, err := warehouse(s.config)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return oracle.FromWarehouse(ctx, conn, stream)
}

// fromStream follows every message as a consumer does, to the last one.
func (s *stage) fromStream(ctx context.Context, stream chain.Stream, heads oracle.Heads) (oracle.Set, error) {
	users := s.server.Users()
	conn, err := nats.Connect(users.URL, nats.UserInfo(users.Reader, users.ReaderPassword))
	if err != nil {
		return nil, fmt.Errorf("demo: consume: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("demo: consume: %w", err)
	}
	messages, err := js.Stream(ctx, sink.StreamName(stream))
	if err != nil {
		return nil, fmt.Errorf("demo: consume: %w", err)
	}
	f := fold.New()
	if err := f.Follow(ctx, messages, func(pending uint64) bool { return pending > 0 }); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	rows := make([]oracle.Folded, 0, len(f.Rows))
	for _, r := range f.Rows {
		at, err := time.Parse(time.RFC3339, r.BlockTime)
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		rows = append(rows, oracle.Folded{
			Network: stream.Name, BlockNumber: r.BlockNumber, BlockHash: r.BlockHash, BlockTime: uint64(at.Unix()), TxHash: r.TxHash,
			LogIndex: r.LogIndex, Address: r.Address, Topics: r.Topics, Data: r.Data,
		})
	}
	return oracle.FromStream(rows, heads)
}
