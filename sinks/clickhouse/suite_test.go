package clickhouse

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"superindex/chain"
	"superindex/sinks/sinktest"
)

func TestSuite(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Server { return suiteServer{newWarehouse(t), false} })
}

// What a Load leaves is what a Write does.
func TestSuiteByLoads(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Server { return suiteServer{newWarehouse(t), true} })
}

// suiteServer shows a database of the engine to the suite.
type suiteServer struct {
	w     *warehouse
	loads bool
}

func (s suiteServer) Open(ctx context.Context) (sinktest.Sink, error) {
	sink, err := Open(ctx, Options{DSN: s.w.dsn, Timeout: 20 * time.Second})
	switch {
	case err != nil:
		return nil, err
	case s.loads:
		sink.loadRows = 200
		return sinktest.ByLoads(sink), nil
	}
	return sink, nil
}

func (s suiteServer) Events(ctx context.Context, stream chain.Stream) (rows []sinktest.Row, err error) {
	found, err := s.w.conn.Query(ctx, `SELECT block_number, block_hash, log_index, toUnixTimestamp(block_time), address, event, args
FROM events WHERE network = $1`, stream.Name)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var r sinktest.Row
		var hash, address string
		var when uint32
		if err := found.Scan(&r.Block, &hash, &r.Index, &when, &address, &r.Event, &r.Args); err != nil {
			return nil, err
		}
		if err := r.Hash.UnmarshalText([]byte(hash)); err != nil {
			return nil, err
		}
		if err := r.Address.UnmarshalText([]byte(address)); err != nil {
			return nil, err
		}
		r.Time = uint64(when)
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// Kill ends the engine; its supervisor starts it again.
func (s suiteServer) Kill() error {
	if pid := server.Pid(); pid != 0 {
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return nil
}

func (s suiteServer) Start(ctx context.Context) error {
	for {
		err := s.w.conn.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s suiteServer) Purge(ctx context.Context, stream chain.Stream) error {
	for _, statement := range []string{
		fmt.Sprintf("ALTER TABLE raw_events DROP PARTITION %d", stream.ChainID),
		fmt.Sprintf("ALTER TABLE raw_blocks DROP PARTITION %d", stream.ChainID),
		"DELETE FROM raw_reorgs WHERE network = '" + stream.Name + "'",
		"DELETE FROM raw_rows WHERE stream = '" + stream.Name + "'",
		"DELETE FROM positions WHERE network = '" + stream.Name + "'",
	} {
		if err := s.w.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

var tables = []string{"raw_events", "raw_transactions", "raw_blocks", "raw_reorgs", "raw_rows", "positions"}

// Backup keeps a copy of every table beside it.
func (s suiteServer) Backup(ctx context.Context) error { return s.copy(ctx, "%s", "kept_%s") }

func (s suiteServer) Restore(ctx context.Context) error { return s.copy(ctx, "kept_%s", "%s") }

func (s suiteServer) copy(ctx context.Context, from, to string) error {
	for _, table := range tables {
		from, to := fmt.Sprintf(from, table), fmt.Sprintf(to, table)
		for _, statement := range []string{
			"CREATE TABLE IF NOT EXISTS " + to + " AS " + from,
			"TRUNCATE TABLE " + to,
			"INSERT INTO " + to + " SELECT * FROM " + from,
		} {
			if err := s.w.conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
	}
	return nil
}
