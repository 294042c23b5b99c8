package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"superindex/internal/embedded/disk"
)

// Between the end of an engine and the start of the next. Start gives up after
// startWait, which is long enough for the engine of a killed daemon to be gone.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
	startWait  = time.Minute // a second or two, but for a machine that is busy
)

// Server is an engine that is kept up: when it dies, it is started again at the
// same address, on the same data.
type Server struct {
	Access

	o       Options
	disk    *disk.Disk
	pid     atomic.Int64
	failure atomic.Pointer[error] // why the engine last ended
	up      chan struct{}         // closed once it has answered
	stop    context.CancelFunc
	done    chan struct{} // closed when no engine is left
}

// Start brings an engine up and returns once it answers; ctx bounds that wait
// only. The caller closes the Server.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := prepare(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start clickhouse: %w", err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go s.supervise(run)

	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	select {
	case <-s.up:
		return s, nil
	case <-ctx.Done():
		s.Close()
		return nil, fmt.Errorf("start clickhouse: %w", errors.Join(ctx.Err(), s.lastFailure()))
	}
}

// Close stops the engine and waits until it is gone: at once where no client is
// connected, else after three seconds. It may be called again.
func (s *Server) Close() {
	s.stop()
	<-s.done
	if err := s.disk.Close(); err != nil {
		s.o.Log.Warn("clickhouse's folder was not closed", "error", err)
	}
}

// Sync returns once all that the engine acknowledged before the call would outlive a
// loss of power; it may wait so long for others to share it. After one that failed all do,
// until another Server is started.
func (s *Server) Sync(within time.Duration) error { return s.disk.Sync(within) }

// Disk is where the engine has its files, until Close.
func (s *Server) Disk() *disk.Disk { return s.disk }

// Pid is the engine's process, for tests that kill it; 0 while there is none.
func (s *Server) Pid() int { return int(s.pid.Load()) }

func prepare(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	access, err := keptAccess(o.accessFile(), address)
	if err != nil {
		return nil, err
	}
	if err := o.writeConfig(access); err != nil {
		return nil, err
	}
	at, err := disk.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	return &Server{Access: access, o: o, disk: at, up: make(chan struct{}), done: make(chan struct{})}, nil
}

// freeAddress turns port 0 into one that is free now.
func freeAddress(ctx context.Context, listen string) (string, error) {
	_, port, err := net.SplitHostPort(listen)
	if err != nil || port != "0" {
		return listen, err
	}
	return listenable(ctx, listen)
}

// listenable says where one can listen now, and leaves it at once.
func listenable(ctx context.Context, address string) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// supervise keeps one engine running until ctx ends. One that lived for a while
// is replaced at once, one that dies young after ever longer pauses.
func (s *Server) supervise(ctx context.Context) {
	defer close(s.done)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		began := time.Now()
		err := s.runOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		s.failure.Store(&err)
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		s.o.Log.Warn("clickhouse ended and is started again", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (s *Server) lastFailure() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}
