package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"superindex/chain"
	"superindex/indexer"
	"superindex/internal/assets"
	embeddedch "superindex/internal/embedded/clickhouse"
	embeddednats "superindex/internal/embedded/nats"
	"superindex/reorg"
	"superindex/sinks/clickhouse"
	"superindex/sinks/jetstream"
)

// parts is what a process holds: the servers it embeds, the sinks, the journal.
type parts struct {
	journal *reorg.Journal
	sinks   []indexer.Sink
	engine  *embeddedch.Server   // nil unless embedded
	server  *embeddednats.Server // nil unless embedded
	closers []func() error       // in the order of opening
}

// clickhouseEnv is the file that says how to reach the embedded engine.
const clickhouseEnv = "run/clickhouse.env"

// openParts opens the journal, starts what is embedded and makes the sinks. The
// caller closes the parts. by names owners, for the stream.
func openParts(ctx context.Context, c config, by attribution, log *slog.Logger) (p *parts, err error) {
	p = &parts{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return p, fmt.Errorf("data_dir: %w", err)
	}
	if err := p.openJournal(c); err != nil { // first: it is what keeps a second daemon out of the folder
		return p, err
	}
	if err := p.openClickHouse(ctx, c, log); err != nil {
		return p, err
	}
	err = p.openNATS(ctx, c, by, log)
	return p, err
}

// The sinks' names.
const (
	sinkClickHouse = "clickhouse"
	sinkNATS       = "nats"
)

func (p *parts) openJournal(c config) (err error) {
	var names []string
	if c.Sinks.ClickHouse.DSN != noSink {
		names = append(names, sinkClickHouse)
	}
	if c.Sinks.NATS.URL != noSink {
		names = append(names, sinkNATS)
	}
	p.journal, err = reorg.Open(filepath.Join(c.DataDir, "journal"), c.journal(names))
	if err == nil {
		p.closers = append(p.closers, p.journal.Close)
	}
	return err
}

func (p *parts) openClickHouse(ctx context.Context, c config, log *slog.Logger) error {
	o := clickhouse.Options{DSN: c.Sinks.ClickHouse.DSN}
	if o.DSN == noSink {
		return nil
	}
	if o.DSN == embeddedSink {
		lib, err := assets.Find(assets.LibChDB)
		if err != nil {
			return fmt.Errorf("sinks.clickhouse: %w", err)
		}
		e := embeddedch.Options{Lib: lib, Dir: filepath.Join(c.DataDir, "clickhouse"), Listen: c.Sinks.ClickHouse.Listen, Log: log}
		if p.engine, err = embeddedch.Start(ctx, e); err != nil {
			return notStarted(ctx, "sinks.clickhouse", c.Sinks.ClickHouse.Listen, err)
		}
		p.closers = append(p.closers, func() error { p.engine.Close(); return nil })
		if err := p.engine.WriteFile(filepath.Join(c.DataDir, clickhouseEnv)); err != nil {
			return err
		}
		o.DSN, o.Sync = p.engine.DSN(), p.engine.Sync
	}
	if err := o.Check(); err != nil {
		return fmt.Errorf("sinks.clickhouse: %w", err)
	}
	late := &lateSink{name: sinkClickHouse, open: func(ctx context.Context) (openSink, error) { return clickhouse.Open(ctx, o) }}
	p.add(late, late.Close)
	return nil
}

// attribution names the projects that own what messages are about.
type attribution interface {
	owners(network string, a chain.Address) []string
	rowOwners(feed string, row *chain.Row) []string
}

func (p *parts) openNATS(ctx context.Context, c config, by attribution, log *slog.Logger) error {
	n := c.Sinks.NATS
	if n.URL == noSink {
		return nil
	}
	o := jetstream.Options{
		URL: n.URL, Credentials: n.Creds, Retention: time.Duration(n.Retention), MaxBytes: int64(n.MaxBytes),
		Replicas: n.Replicas, History: n.History, Owners: by.owners, RowOwners: by.rowOwners, Log: log,
	}
	if n.URL == embeddedSink {
		e := embeddednats.Options{Dir: c.DataDir, Listen: n.Listen, Log: log}
		if p.engine != nil {
			e.Disk = p.engine.Disk()
		}
		server, err := embeddednats.Start(ctx, e)
		if err != nil {
			return notStarted(ctx, "sinks.nats", n.Listen, err)
		}
		p.server = server
		o.URL, o.Local, o.Sync, o.Room = server.FullURL(), server, server.Sync, server.Room
		p.closers = append(p.closers, func() error { server.Close(); return nil })
	}
	if err := o.Check(); err != nil {
		return fmt.Errorf("sinks.nats: %w", err)
	}
	late := &lateSink{name: sinkNATS, open: func(ctx context.Context) (openSink, error) { return jetstream.Open(ctx, o) }}
	p.add(late, late.Close)
	return nil
}

func (p *parts) add(s indexer.Sink, closer func() error) {
	p.sinks = append(p.sinks, s)
	p.closers = append(p.closers, closer)
}

// Close closes everything, the last opened first.
func (p *parts) Close() error {
	var err error
	for i := len(p.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, p.closers[i]())
	}
	p.closers = nil
	return err
}

// openSink is a sink that is connected.
type openSink interface {
	indexer.Sink
	indexer.Bulk
	Close() error
}

// lateSink connects when it is first asked for a position: a server that is away
// when the daemon starts is a temporary fault, like one that goes away later.
type lateSink struct {
	name string
	open func(context.Context) (openSink, error)
	mu   sync.Mutex
	sink openSink
}

// Name implements indexer.Sink.
func (s *lateSink) Name() string { return s.name }

func (s *lateSink) opened(ctx context.Context) (openSink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink != nil {
		return s.sink, nil
	}
	sink, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	s.sink = sink
	return sink, nil
}

// Position implements indexer.Sink.
func (s *lateSink) Position(ctx context.Context, stream chain.Stream) (chain.Position, error) {
	sink, err := s.opened(ctx)
	if err != nil {
		return chain.Position{}, err
	}
	return sink.Position(ctx, stream)
}

// Write implements indexer.Sink.
func (s *lateSink) Write(ctx context.Context, steps []chain.Step) error {
	sink, err := s.opened(ctx)
	if err != nil {
		return err
	}
	return sink.Write(ctx, steps)
}

// Load implements indexer.Bulk.
func (s *lateSink) Load(ctx context.Context, stream chain.Stream, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error {
	sink, err := s.opened(ctx)
	if err != nil {
		return err
	}
	return sink.Load(ctx, stream, next, held)
}

// Close closes the sink if it was opened.
func (s *lateSink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink == nil {
		return nil
	}
	return s.sink.Close()
}
