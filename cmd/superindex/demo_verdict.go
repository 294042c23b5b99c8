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
	"superindex/internal/agree"
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
	head, err := s.settle(ctx)
	if err != nil {
		return err
	}
	want, err := s.compare(ctx, s.networks[0].Stream)
	if want == nil {
		return err
	}
	if s.reads.Good == 0 {
		return fmt.Errorf("demo: the reader beside never got an answer: %w", s.reads.Last)
	}
	n := s.now()
	fmt.Fprintf(s.out, "\n%d blocks, %d events, %d reorgs undone (the last %d deep); a reader that never slept saw one fork in each of %d looks\n",
		head, len(want), n.Reorgs, n.LastReorg.Depth(), s.reads.Good)
	if err == nil {
		fmt.Fprintf(s.out, "chain = warehouse = folded stream: %d rows, equal in address, topics, data, block time and finality\n", len(want))
	}
	return err
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

// compare reads what a user of the warehouse and a consumer of the stream read.
func (s *stage) compare(ctx context.Context, stream chain.Stream) (oracle.Set, error) {
	client, err := oracle.Dial(ctx, s.dev.URL())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	conn, err := warehouse(s.config)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	users := s.server.Users()
	link, err := nats.Connect(users.URL, nats.UserInfo(users.Reader, users.ReaderPassword))
	if err != nil {
		return nil, fmt.Errorf("demo: consume: %w", err)
	}
	defer link.Close()
	js, err := jetstream.New(link)
	if err != nil {
		return nil, fmt.Errorf("demo: consume: %w", err)
	}
	messages, err := js.Stream(ctx, sink.StreamName(stream))
	if err != nil {
		return nil, fmt.Errorf("demo: consume: %w", err)
	}
	stores := agree.Stores{Warehouse: conn, Stream: messages}
	return stores.Compare(ctx, client, stream, slices.Collect(s.networks[0].Watch.All()))
}
