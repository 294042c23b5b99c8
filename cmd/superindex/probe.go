package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/internal/assets"
	embeddedch "superindex/internal/embedded/clickhouse"
	embeddednats "superindex/internal/embedded/nats"
	"superindex/sinks/clickhouse"
	"superindex/sinks/jetstream"
)

// probeTime is how long an endpoint may take for one answer before it is red.
const probeTime = 10 * time.Second

// alive: a superindex answers there.
func alive(ctx context.Context, c httpConfig) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url()+"/healthz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := c.client().Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// examineHTTP says whether the daemon could listen.
func (e *examination) examineHTTP(ctx context.Context) finding {
	at := e.config.HTTP.Listen
	switch {
	case e.running:
		return found("http", at, "the daemon runs here", nil)
	case e.answered:
		return found("http", at, "", chain.Fatal(errors.New("http.listen: a superindex with another data_dir runs here"), otherAddress))
	}
	return found("http", at, "free", free(ctx, "http.listen", at))
}

// otherAddress mends an address that is taken.
const otherAddress = "stop what listens there, or choose another address"

// free says whether somebody could listen on an address.
func free(ctx context.Context, field, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return chain.Fatal(fmt.Errorf("%s: %w", field, err), otherAddress)
	}
	return l.Close()
}

// notStarted is why an embedded server did not start: that its address is taken is
// not what it says itself.
func notStarted(ctx context.Context, sink, listen string, err error) error {
	if busy := free(ctx, sink+".listen", listen); busy != nil {
		return busy
	}
	return fmt.Errorf("%s: %w", sink, err)
}

// endpoints asks all of them at once.
func (e *examination) endpoints(ctx context.Context) []finding {
	lines := make([][]finding, len(e.networks))
	var g errgroup.Group
	for i, n := range e.networks {
		lines[i] = make([]finding, len(n.rpc))
		for j, at := range n.rpc {
			g.Go(func() error {
				lines[i][j] = n.probe(ctx, at)
				return nil
			})
		}
	}
	_ = g.Wait() // none fails: a fault is a line
	return slices.Concat(lines...)
}

func (c chosen) probe(ctx context.Context, at endpoint) finding {
	name := c.name + "/" + at.Name
	client, err := ethrpc.New(ethrpc.Options{Network: c.name, Name: at.Name, URL: at.URL, ChainID: c.chainID, Timeout: probeTime})
	if err != nil {
		return found("endpoint", name, "", err)
	}
	defer client.Close()
	p, err := client.Probe(ctx)
	f := found("endpoint", name, abilities(c.chainID, p), err)
	f.TookMS = p.Took.Milliseconds()
	return f
}

// abilities is what an endpoint can do.
func abilities(chainID uint64, p ethrpc.Probe) string {
	text := fmt.Sprintf("chain %d, latest %d", chainID, p.Latest.Number)
	for _, tag := range []struct {
		name string
		ref  chain.BlockRef
	}{{"safe", p.Safe}, {"finalized", p.Final}} {
		if tag.ref == (chain.BlockRef{}) {
			text += ", no " + tag.name
		} else {
			text += fmt.Sprintf(", %s %d", tag.name, tag.ref.Number)
		}
	}
	if p.Final == (chain.BlockRef{}) {
		text += " (it will be assumed)"
	}
	if p.Time > 0 {
		text += fmt.Sprintf(", %v old", time.Since(time.Unix(int64(p.Time), 0)).Round(time.Second))
	}
	if p.Receipts {
		return text + ", logs and receipts"
	}
	return text + ", logs, no eth_getBlockReceipts"
}

// sinks looks at each, and changes nothing.
func (e *examination) sinks(ctx context.Context) (all []finding) {
	if e.config.Sinks.ClickHouse.DSN != noSink {
		says, err := e.lookAtClickHouse(ctx)
		all = append(all, found("sink", sinkClickHouse, says, err))
	}
	if e.config.Sinks.NATS.URL != noSink {
		says, err := e.lookAtNATS(ctx)
		all = append(all, found("sink", sinkNATS, says, err))
	}
	return all
}

func (e *examination) lookAtClickHouse(ctx context.Context) (string, error) {
	dsn, listen := e.config.Sinks.ClickHouse.DSN, e.config.Sinks.ClickHouse.Listen
	reader := dsn == embeddedSink
	if reader {
		if _, err := assets.Find(assets.LibChDB); err != nil {
			return "", err
		}
		access, err := embeddedch.ReadAccess(filepath.Join(e.config.DataDir, clickhouseEnv))
		if !e.running {
			return startsWithRun(listen), free(ctx, "sinks.clickhouse.listen", listen)
		}
		if err != nil {
			return "", err
		}
		dsn = access.ReaderDSN()
	}
	p, err := clickhouse.Look(ctx, clickhouse.Options{DSN: dsn})
	if err != nil {
		return "", err
	}
	if len(p.Lacks) > 0 && !reader {
		return "", chain.Fatal(fmt.Errorf("ClickHouse %s: the user may not %s", p.Server, strings.Join(p.Lacks, "; nor ")),
			"GRANT it, as docs/warehouse.md says under Rights")
	}
	tables := fmt.Sprintf("tables of version %d", p.Version)
	if p.Version == 0 {
		tables = "no tables yet"
	}
	return fmt.Sprintf("ClickHouse %s, database %s, %s%s", p.Server, p.Database, tables, positions(p.Positions)), nil
}

func startsWithRun(listen string) string {
	return "embedded: it starts with `superindex run`, on " + listen
}

func (e *examination) lookAtNATS(ctx context.Context) (string, error) {
	n := e.config.Sinks.NATS
	o := jetstream.Options{URL: n.URL, Credentials: n.Creds, Log: slog.New(slog.DiscardHandler)}
	if n.URL == embeddedSink {
		if !e.running {
			return startsWithRun(n.Listen), free(ctx, "sinks.nats.listen", n.Listen)
		}
		url, err := embeddednats.ReaderURL(e.config.DataDir)
		if err != nil {
			return "", err
		}
		o.URL = url
	}
	streams := []chain.Stream{indexer.Feeds}
	for _, c := range e.networks {
		streams = append(streams, chain.Stream{Name: c.name, ChainID: c.chainID})
	}
	p, err := jetstream.Look(ctx, o, streams)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("NATS %s with JetStream, %d messages%s", p.Server, p.Messages, positions(p.Positions)), nil
}

// positions are where the streams stand in a sink.
func positions(at map[string]chain.Seq) string {
	if len(at) == 0 {
		return ", empty"
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(at)) {
		all = append(all, fmt.Sprintf("%s %d", name, at[name]))
	}
	return ", at step: " + strings.Join(all, ", ")
}

// examineFolder says whether the data folder can be made, or written to.
func (e *examination) examineFolder() finding {
	dir := e.config.DataDir
	for {
		info, err := os.Stat(dir)
		up := filepath.Dir(dir)
		if errors.Is(err, fs.ErrNotExist) && up != dir {
			dir = up // it will be made there
			continue
		}
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder", dir)
		}
		if err == nil {
			err = unix.Access(dir, unix.W_OK|unix.X_OK)
		}
		if err != nil {
			err = chain.Fatal(fmt.Errorf("data_dir: %w", err), "choose a folder that this user may write to")
		} else if e.held && !e.running {
			err = chain.Fatal(errors.New("data_dir: a superindex holds it that does not answer at http.listen"), "stop that one, or choose another folder")
		}
		return found("data_dir", e.config.DataDir, "writable", err)
	}
}
