package harness

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/benchmarks/report"
	"superindex/chain"
	"superindex/indexer"
	"superindex/internal/child"
	engine "superindex/internal/embedded/clickhouse"
	server "superindex/internal/embedded/nats"
	sink "superindex/sinks/jetstream"
)

// prove compares what the daemon's stores hold with the node's ledger.
func (b *bench) prove(ctx context.Context, d *daemon, n *served, l load, r *report.Result) error {
	ledger := n.Ledger(1, n.Head().Number)
	r.Proof = &report.Proof{Want: ledger.Logs, WantDigest: ledger.Digest, Counted: !l.clickhouse}
	if l.clickhouse {
		conn, err := d.warehouse()
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.QueryRow(ctx, ledger.Query("events", n.o.ChainID)).Scan(&r.Proof.Got, &r.Proof.GotDigest); err != nil {
			return fmt.Errorf("digest the warehouse: %w", err)
		}
		if err := conn.QueryRow(ctx, "SELECT version()").Scan(&b.clickhouse); err != nil {
			return fmt.Errorf("ask for the warehouse's version: %w", err)
		}
		decoded := fmt.Sprintf("SELECT countIf(decoding = 'decoded') / count() FROM events WHERE chain_id = %d", n.o.ChainID)
		if err := conn.QueryRow(ctx, decoded).Scan(&r.Proof.Decoded); err != nil {
			return fmt.Errorf("count what is decoded: %w", err)
		}
	}
	if l.nats {
		got, err := d.messages(ctx, n.network(), n.o.ChainID)
		if err != nil {
			return err
		}
		r.Figures = append(r.Figures, report.Figure{Name: "messages in the stream", Value: float64(got)})
		if !l.clickhouse || got != ledger.Logs {
			r.Proof.Got = got
		}
	}
	if !l.clickhouse && !l.nats {
		states, err := d.States(ctx)
		if err != nil {
			return err
		}
		r.Proof.Got = states[n.network()].Events
	}
	return nil
}

// access is how the daemon's ClickHouse is reached, as the one who may only read.
func (d *daemon) access() (*clickhouse.Options, error) {
	access, err := engine.ReadAccess(filepath.Join(d.dir, "data", "run", "clickhouse.env"))
	if err != nil {
		return nil, err
	}
	o, err := clickhouse.ParseDSN(access.ReaderDSN())
	if err != nil {
		return nil, fmt.Errorf("the warehouse's address: %w", err)
	}
	return o, nil
}

// warehouse connects to it.
func (d *daemon) warehouse() (driver.Conn, error) {
	o, err := d.access()
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		return nil, fmt.Errorf("connect to the warehouse: %w", err)
	}
	return conn, nil
}

// listed waits until the warehouse holds the registry whole, and the stream as many
// messages where there is one.
func (d *daemon) listed(ctx context.Context, nats bool) error {
	return d.until(ctx, func(map[string]child.State) bool {
		rows, err := d.registered(ctx) // fails while the tables are not there
		if err != nil || rows == 0 || !nats {
			return rows > 0
		}
		state, err := d.stream(ctx, indexer.Feeds, "")
		return err == nil && state.Msgs >= rows
	})
}

// registered is how many rows the warehouse has of the registry; 0 until it is whole.
func (d *daemon) registered(ctx context.Context) (rows uint64, err error) {
	conn, err := d.warehouse()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	const query = "SELECT count() FROM raw_rows WHERE feed = 'registry' AND (SELECT count() FROM registry_snapshots) > 0"
	if err := conn.QueryRow(ctx, query).Scan(&rows); err != nil {
		return 0, fmt.Errorf("count the registry's rows: %w", err)
	}
	return rows, nil
}

// transactions is how many the warehouse holds.
func (d *daemon) transactions(ctx context.Context) (n uint64, err error) {
	conn, err := d.warehouse()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.QueryRow(ctx, "SELECT count() FROM transactions").Scan(&n); err != nil {
		return 0, fmt.Errorf("count the transactions: %w", err)
	}
	return n, nil
}

// messages is how many events a network's stream holds.
func (d *daemon) messages(ctx context.Context, name string, chainID uint64) (n uint64, err error) {
	state, err := d.stream(ctx, chain.Stream{Name: name, ChainID: chainID}, "superindex.evm."+name+".event.>")
	if err != nil {
		return 0, err
	}
	for _, count := range state.Subjects {
		n += count
	}
	return n, nil
}

// stream is what the daemon's server holds of a stream, and of its subjects that the
// filter leaves.
func (d *daemon) stream(ctx context.Context, of chain.Stream, filter string) (*jetstream.StreamState, error) {
	js, err := d.nats()
	if err != nil {
		return nil, err
	}
	defer js.Conn().Close()
	stream, err := js.Stream(ctx, sink.StreamName(of))
	if err != nil {
		return nil, fmt.Errorf("find the stream: %w", err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, fmt.Errorf("ask the stream: %w", err)
	}
	return &info.State, nil
}

// patience is how long a NATS server may take for an answer. The client's own 2 and 5 s
// are too few on a busy machine, and what is measured then has no limit beside it.
const patience = time.Minute

// nats connects to the daemon's server. Its connection has to be closed.
func (d *daemon) nats() (jetstream.JetStream, error) {
	users, err := server.ReadUsers(filepath.Join(d.dir, "data"))
	if err != nil {
		return nil, err
	}
	return connect(users.URL, nats.UserInfo(users.Full, users.FullPassword))
}

// connect connects to a NATS server. The connection has to be closed.
func connect(url string, options ...nats.Option) (jetstream.JetStream, error) {
	conn, err := nats.Connect(url, append(options, nats.Timeout(patience))...)
	if err != nil {
		return nil, fmt.Errorf("connect to the NATS server: %w", err)
	}
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to the NATS server: %w", err)
	}
	return js, nil
}
