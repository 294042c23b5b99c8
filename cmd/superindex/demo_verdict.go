package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/indexer"
	"superindex/internal/agree"
	"superindex/internal/oracle"
	sink "superindex/sinks/jetstream"
)

// watchPause is between two looks of a reader that never sleeps: short against the
// time between blocks, long against one look.
const watchPause = 150 * time.Millisecond

// watch reads the views of one chain all the time: at no instant may they show two
// forks.
func (s *stage) watch(ctx context.Context, i int) error {
	conn, err := warehouse(s.config)
	if err != nil {
		return err
	}
	s.reads[i], err = oracle.Watch(ctx, conn, s.chains[i].stream(), watchPause)
	return errors.Join(err, conn.Close())
}

func (c demoChain) stream() chain.Stream { return chain.Stream{Name: c.name, ChainID: c.chainID} }

// settleWithin is how long the daemon may take to come to the head of a chain that
// stands still: a head that has gone down is a rewind only after half a minute.
const settleWithin = 3 * time.Minute

// verdict compares warehouse and folded stream with every chain, row by row.
func (s *stage) verdict(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 2, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nnetwork\tblocks\tevents\treorgs undone\tthe last\treads by a reader that never slept\t\n")
	rows := 0
	var wrong error
	for i := range s.chains {
		n, err := s.judge(ctx, t, i)
		wrong = errors.Join(wrong, err)
		rows += n
	}
	if err := errors.Join(wrong, t.Flush()); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\nchain = warehouse = folded stream on %d networks: %d rows, equal in address, topics, data, block time and finality;\n"+
		"the readers saw one fork in every look\n", len(s.chains), rows)
	_, err := s.out.Write(b.Bytes())
	return err
}

// judge compares one chain, writes its line and returns how many rows are equal.
func (s *stage) judge(ctx context.Context, t *tabwriter.Writer, i int) (rows int, err error) {
	// Where it ends soon after it removed blocks, the daemon has finalized more of it than it shows.
	if err := s.chains[i].Regain(ctx); err != nil {
		return 0, fmt.Errorf("demo: %w", err)
	}
	head, err := s.settle(ctx, s.chains[i])
	if err != nil {
		return 0, err
	}
	want, err := s.compare(ctx, s.chains[i])
	if err != nil {
		return 0, err
	}
	if s.reads[i].Good == 0 {
		return 0, fmt.Errorf("demo: the reader of %s never got an answer: %w", s.chains[i].name, s.reads[i].Last)
	}
	n := s.now(s.chains[i].name)
	_, err = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d deep\t%d\t\n", n.Network, head, len(want), n.Reorgs, n.LastReorg.Depth(), s.reads[i].Good)
	return len(want), err
}

// network is the chain as the engine follows it.
func (s *stage) network(c demoChain) indexer.Network {
	all := s.selected().networks
	return all[slices.IndexFunc(all, func(n indexer.Network) bool { return n.Name == c.name })]
}

// settle waits until the journal has the chain's head, safe and finalized, and every
// sink the journal's last step. It returns the head's number.
func (s *stage) settle(ctx context.Context, c demoChain) (uint64, error) {
	for {
		heads, err := s.network(c).Source.Heads(ctx)
		if err != nil {
			return 0, fmt.Errorf("demo: %w", err)
		}
		if s.settled(c.name, heads) {
			return heads.Latest.Number, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("demo: the daemon did not come to the head of %s within %v: %+v", c.name, settleWithin, s.now(c.name))
		case <-time.After(watchPause):
		}
	}
}

func (s *stage) settled(name string, heads indexer.Heads) bool {
	st, err := s.journal.Stat(name)
	if err != nil || st.Last != heads.Latest || st.Safe != heads.Safe || st.Final != heads.Final || len(st.Owed) > 0 {
		return false
	}
	held := s.now(name).Sinks
	return len(held) == len(s.sinks) && !slices.ContainsFunc(held, func(k indexer.SinkStatus) bool { return k.Seq != st.Head })
}

// now is a chain's status.
func (s *stage) now(name string) indexer.NetworkStatus {
	for _, n := range s.status.Snapshot() {
		if n.Network == name {
			return n
		}
	}
	return indexer.NetworkStatus{}
}

// compare reads what a user of the warehouse and a consumer of the stream read.
func (s *stage) compare(ctx context.Context, c demoChain) (oracle.Set, error) {
	client, err := oracle.Dial(ctx, c.URL())
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
	messages, err := js.Stream(ctx, sink.StreamName(c.stream()))
	if err != nil {
		return nil, fmt.Errorf("demo: consume: %w", err)
	}
	stores := agree.Stores{Warehouse: conn, Stream: messages}
	return stores.Compare(ctx, client, c.stream(), slices.Collect(s.network(c).Watch.All()))
}
