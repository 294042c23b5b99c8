package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/benchmarks/report"
	"superindex/chain"
	sink "superindex/sinks/jetstream"
)

// latencies are how long blocks took.
type latencies struct {
	mu       sync.Mutex
	asked    []time.Duration // from when a block was there until the node was asked for its logs
	inStream []time.Duration // from the node's answer on, of every block that was the head of a batch
	inView   []time.Duration // the same of some blocks, until the view would show them: each costs the warehouse a few queries
	shown    []time.Duration // how long the query of the view took that showed them
}

// messages notes when the stream has a batch's last message, until stop is called.
func (t *latencies) messages(ctx context.Context, d *daemon, nodes []*served) (stop func(), err error) {
	js, err := d.nats()
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		of := chain.Stream{Name: n.network(), ChainID: n.o.ChainID}
		consumer, err := js.OrderedConsumer(ctx, sink.StreamName(of), jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverNewPolicy, FilterSubjects: []string{"superindex.evm." + of.Name + ".finality"},
		})
		if err == nil {
			_, err = consumer.Consume(func(m jetstream.Msg) { t.message(n, m.Data()) })
		}
		if err != nil {
			js.Conn().Close()
			return nil, fmt.Errorf("read the stream of %s: %w", of, err)
		}
	}
	return js.Conn().Close, nil // the consumers end with it
}

func (t *latencies) message(n *served, body []byte) {
	now := time.Now()
	var m struct {
		Head chain.BlockRef `json:"head"`
	}
	if json.Unmarshal(body, &m) != nil {
		return
	}
	came, known := n.Came(m.Head.Hash)
	given, asked := n.Given(m.Head.Hash)
	if !known || !asked {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, given.Sub(came))
	t.inStream = append(t.inStream, now.Sub(given))
}

// probeEvery is between the beginnings of two looks into the view, and lookEvery
// between two queries of one: they share the cores with what they measure.
const (
	probeEvery = 250 * time.Millisecond
	lookEvery  = 25 * time.Millisecond
)

// rows takes a block that its node has not given yet, again and again, and asks
// the view for its rows from when it is given until they are there.
func (t *latencies) rows(ctx context.Context, d *daemon, nodes []*served) error {
	conn, err := d.warehouse()
	if err != nil {
		return err
	}
	defer conn.Close()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		n, block := fresh(nodes, i)
		if n == nil {
			continue
		}
		readable, shown, err := look(ctx, conn, n, block)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errOvertaken):
			continue
		case err != nil:
			return err
		}
		t.mu.Lock()
		t.inView, t.shown = append(t.inView, readable), append(t.shown, shown)
		t.mu.Unlock()
	}
}

// fresh is a head that its node has not given yet, of the first network from i on
// that has one.
func fresh(nodes []*served, i int) (*served, chain.BlockRef) {
	for j := range nodes {
		n := nodes[(i+j)%len(nodes)]
		if head := n.Head(); head.Number > n.o.Blocks {
			if _, given := n.Given(head.Hash); !given {
				return n, head
			}
		}
	}
	return nil, chain.BlockRef{}
}

// errOvertaken is a block that was not asked for before the second one after it came:
// it may have been read in a range.
var errOvertaken = errors.New("the block was not asked for")

// look waits until a block is given and then until all of its rows can be read. It asks
// the view, which costs the server 15 ms each time, once the table has some: readable is
// until the view was asked, and shown how long it then took to show all of them.
func look(ctx context.Context, conn driver.Conn, n *served, block chain.BlockRef) (readable, shown time.Duration, err error) {
	rows := func(from string) (n uint64, err error) {
		err = conn.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM %s SETTINGS max_threads = 1", from)).Scan(&n)
		return n, err
	}
	raw := fmt.Sprintf("raw_events WHERE chain_id = %d AND block_number = %d AND block_hash = unhex('%x')", n.o.ChainID, block.Number, block.Hash[:])
	view := fmt.Sprintf("events WHERE chain_id = %d AND block_number = %d AND block_hash = '%v'", n.o.ChainID, block.Number, block.Hash)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		case <-tick.C:
		}
		given, ok := n.Given(block.Hash)
		if !ok {
			if n.Head().Number > block.Number+1 {
				return 0, 0, errOvertaken
			}
			continue
		}
		there, err := rows(raw)
		asked := time.Now()
		if err == nil && there > 0 {
			there, err = rows(view)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("look into the view: %w", err)
		}
		if there == uint64(n.o.Logs) {
			return asked.Sub(given), time.Since(asked), nil
		}
	}
}

// quantiles sorts the times.
func quantiles(what string, all []time.Duration) report.Latency {
	l := report.Latency{What: what, Count: len(all)}
	if len(all) == 0 {
		return l
	}
	slices.Sort(all)
	l.P50, l.P99, l.Max = all[len(all)/2], all[len(all)*99/100], all[len(all)-1]
	return l
}
