package harness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"superindex/internal/assets"
	"superindex/internal/child"
	engine "superindex/internal/embedded/clickhouse"
)

// rows are blocks of raw_events' columns, as ClickHouse's own protocol has them.
type rows struct {
	table  string // the statement that makes the table
	blocks []proto.Results
	count  uint64
}

// blockRows is how many rows one INSERT takes where ClickHouse is measured alone.
const blockRows = 100_000

// rows reads what the daemon wrote: of the newest, at most so many blocks.
func (d *daemon) rows(ctx context.Context, most int) (r rows, err error) {
	conn, err := d.warehouse()
	if err != nil {
		return r, err
	}
	defer conn.Close()
	if err := conn.QueryRow(ctx, "SHOW CREATE TABLE raw_events").Scan(&r.table); err != nil {
		return r, fmt.Errorf("read the table's form: %w", err)
	}
	o, err := d.access()
	if err != nil {
		return r, err
	}
	client, err := dial(ctx, o)
	if err != nil {
		return r, err
	}
	defer client.Close()
	var block proto.Results
	err = client.Do(ctx, ch.Query{
		Body:   fmt.Sprintf("SELECT * EXCEPT (deleted) FROM raw_events ORDER BY block_number, log_index LIMIT %d", most*blockRows),
		Result: block.Auto(),
		Settings: []ch.Setting{
			{Key: "max_block_size", Value: fmt.Sprint(blockRows)}, {Key: "preferred_block_size_bytes", Value: "0"},
		},
		OnResult: func(_ context.Context, b proto.Block) error {
			if b.Rows > 0 {
				r.blocks, r.count = append(r.blocks, slices.Clone(block)), r.count+uint64(b.Rows)
			}
			block = block[:0] // or its columns would be used again
			return nil
		},
	})
	if err != nil {
		return r, fmt.Errorf("read the rows: %w", err)
	}
	return r, nil
}

func dial(ctx context.Context, o *clickhouse.Options) (*ch.Client, error) {
	client, err := ch.Dial(ctx, ch.Options{
		Address: o.Addr[0], Database: o.Auth.Database, User: o.Auth.Username, Password: o.Auth.Password,
		Compression: ch.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("connect to ClickHouse: %w", err)
	}
	return client, nil
}

// clickhouseAlone is how fast an engine of its own takes the same rows, in the same
// table, with its columns ready made, over as many connections as there are cores: the
// fastest way there is over the wire.
func (b *bench) clickhouseAlone(ctx context.Context, all rows) (measure, error) {
	return b.limit(limitClickHouse, func() (m measure, err error) {
		lib, err := assets.Find(assets.LibChDB)
		if err != nil {
			return m, err
		}
		dir, err := b.folder("clickhouse-alone")
		if err != nil {
			return m, err
		}
		server, err := engine.Start(ctx, engine.Options{Lib: lib, Dir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return m, err
		}
		defer server.Close()
		o, err := clickhouse.ParseDSN(server.DSN())
		if err != nil {
			return m, fmt.Errorf("the engine's address: %w", err)
		}
		o.Auth.Database = "default"
		client, err := dial(ctx, o)
		if err != nil {
			return m, err
		}
		defer client.Close()
		for _, statement := range []string{"CREATE DATABASE superindex", all.table} {
			if err := client.Do(ctx, ch.Query{Body: statement}); err != nil {
				return m, fmt.Errorf("make the table: %w", err)
			}
		}
		before := child.UsageOf(server.Pid()).CPU
		watch := newWatch()
		if err := insertAll(ctx, o, all.blocks, func() error { return server.Sync(0) }); err != nil {
			return m, err
		}
		m = watch.measure(all.count)
		if err := holds(ctx, client, all.count); err != nil {
			return m, err
		}
		m.cpu += (child.UsageOf(server.Pid()).CPU - before) / float64(all.count) * 1e6
		return m, nil
	})
}

// insertAll inserts the blocks, some at a time, and syncs each.
func insertAll(ctx context.Context, o *clickhouse.Options, blocks []proto.Results, sync func() error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range workers() {
		g.Go(func() error {
			client, err := dial(ctx, o)
			if err != nil {
				return err
			}
			defer client.Close()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(blocks) {
					return nil
				}
				if err := errors.Join(insert(ctx, client, blocks[i]), sync()); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// holds checks that the table has so many rows: a row that is sent twice would make
// the limit a lower one.
func holds(ctx context.Context, client *ch.Client, want uint64) error {
	var count proto.ColUInt64
	err := client.Do(ctx, ch.Query{Body: "SELECT count() AS count FROM superindex.raw_events", Result: proto.Results{{Name: "count", Data: &count}}})
	if err == nil && (count.Rows() != 1 || count.Row(0) != want) {
		err = fmt.Errorf("%v rows of %d", count, want)
	}
	if err != nil {
		return fmt.Errorf("count what was inserted: %w", err)
	}
	return nil
}

// insert sends a block as one INSERT, as the sink's own: one part.
func insert(ctx context.Context, client *ch.Client, block proto.Results) error {
	var input proto.Input
	var names []string
	for _, column := range block {
		data, ok := column.Data.(proto.ColInput)
		if !ok {
			return fmt.Errorf("column %s cannot be written", column.Name)
		}
		input, names = append(input, proto.InputColumn{Name: column.Name, Data: data}), append(names, column.Name)
	}
	err := client.Do(ctx, ch.Query{
		Body:  "INSERT INTO superindex.raw_events (" + strings.Join(names, ", ") + ") VALUES",
		Input: input,
		Settings: []ch.Setting{
			{Key: "async_insert", Value: "0"},
			{Key: "optimize_on_insert", Value: "0"},
			{Key: "insert_deduplicate", Value: "0"},
			{Key: "materialize_skip_indexes_on_insert", Value: "0"},
			{Key: "max_insert_threads", Value: "1"},
			{Key: "max_insert_block_size", Value: fmt.Sprint(16 << 20)},
		},
	})
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	return nil
}
