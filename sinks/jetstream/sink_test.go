package jetstream_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/internal/embedded/nats/natstest"
	"superindex/internal/fold"
	"superindex/sinks/jetstream"
	"superindex/sinks/sinktest"
)

func TestMain(m *testing.M) { natstest.Main(m) }

func TestSuite(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Server { return newServer(t) })
}

// What a Load leaves is what a Write does.
func TestSuiteByLoads(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Server {
		s := newServer(t)
		s.loads = true
		return s
	})
}

// server is a real server in a process of its own, as the suite wants it.
type server struct {
	*natstest.Child
	backup string
	loads  bool
}

func newServer(t *testing.T) *server {
	t.Helper()
	return &server{Child: natstest.New(t), backup: t.TempDir()}
}

// as runs read with a connection of its own, which ends with the server.
func as(ctx context.Context, url string, read func(context.Context, js.JetStream) error) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	nc, err := nats.Connect(url, nats.NoReconnect(), nats.ClosedHandler(func(*nats.Conn) { cancel() }))
	if err != nil {
		return err
	}
	defer nc.Close()
	stream, err := js.New(nc)
	if err != nil {
		return err
	}
	return read(ctx, stream)
}

func (s *server) options() jetstream.Options {
	return jetstream.Options{URL: s.URL(), History: true, AckWait: 20 * time.Second, Log: slog.New(slog.DiscardHandler)}
}

func (s *server) Open(ctx context.Context) (sinktest.Sink, error) {
	sink, err := jetstream.Open(ctx, s.options())
	switch {
	case err != nil:
		return nil, err
	case s.loads:
		return sinktest.ByLoads(sink), nil
	}
	return sink, nil
}

// Events folds the stream from its first message on.
func (s *server) Events(ctx context.Context, of chain.Stream) (rows []sinktest.Row, err error) {
	f, err := foldAll(ctx, s.URL(), jetstream.StreamName(of))
	if err != nil {
		return nil, err
	}
	for _, r := range f.Rows {
		row, err := rowOf(r)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func foldAll(ctx context.Context, url, name string) (*fold.Fold, error) {
	f := fold.New()
	return f, as(ctx, url, func(ctx context.Context, from js.JetStream) error {
		stream, err := from.Stream(ctx, name)
		if err != nil || stream.CachedInfo().State.Msgs == 0 {
			return err
		}
		return f.Follow(ctx, stream, func(pending uint64) bool { return pending > 0 })
	})
}

func rowOf(r fold.Row) (row sinktest.Row, err error) {
	when, err := time.Parse(time.RFC3339, r.BlockTime)
	row = sinktest.Row{
		Block: r.BlockNumber, Index: r.LogIndex, Time: uint64(when.Unix()), Event: r.Event, Args: string(r.Args),
	}
	return row, errors.Join(err, row.Hash.UnmarshalText([]byte(r.BlockHash)), row.Address.UnmarshalText([]byte(r.Address)))
}

func (s *server) Purge(ctx context.Context, of chain.Stream) error {
	return as(ctx, s.URL(), func(ctx context.Context, js js.JetStream) error {
		stream, err := js.Stream(ctx, jetstream.StreamName(of))
		if err != nil {
			return err
		}
		return stream.Purge(ctx)
	})
}

// Backup copies the folder while the server is down.
func (s *server) Backup(ctx context.Context) error {
	if err := s.Kill(); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(s.backup, "nats"), os.DirFS(filepath.Join(s.Dir, "nats"))); err != nil {
		return err
	}
	return s.Start(ctx)
}

func (s *server) Restore(ctx context.Context) error {
	if err := s.Kill(); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(s.Dir, "nats")); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(s.Dir, "nats"), os.DirFS(filepath.Join(s.backup, "nats"))); err != nil {
		return err
	}
	return s.Start(ctx)
}
