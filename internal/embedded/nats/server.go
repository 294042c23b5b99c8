package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Options say where the server keeps its files and where it listens.
type Options struct {
	Dir      string       // the daemon's data folder; streams go to nats/, users to run/nats.env
	Listen   string       // host:port on loopback; port 0 takes a free one
	MaxBytes int64        // for all streams together; 0: the disk is the limit
	Disk     Disk         // that somebody else syncs again and again; nil for none
	Log      *slog.Logger // the server's own messages; warnings and errors keep their level, the rest is debug
}

// Check names the field that cannot be used.
func (o Options) Check() error {
	switch host, _, err := net.SplitHostPort(o.Listen); {
	case o.Dir == "":
		return errors.New("nats: Dir is empty")
	case err != nil:
		return fmt.Errorf("nats: Listen: %w", err)
	case !loopback(host):
		return fmt.Errorf("nats: Listen: %q is not a loopback address: run a NATS server of your own to be reached from elsewhere", host)
	case o.MaxBytes < 0:
		return fmt.Errorf("nats: MaxBytes: %d is negative", o.MaxBytes)
	case o.Log == nil:
		return errors.New("nats: Log is nil")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Disk is a file system that is synced as a whole.
type Disk interface {
	// Holds says that a folder lies on it.
	Holds(folder string) bool

	// Sync returns once all that was written before the call would outlive a loss of
	// power; it may wait so long for others to share it.
	Sync(within time.Duration) error
}

// Server is a running server.
type Server struct {
	server *server.Server
	log    *journal
	users  Users
	files  *files
}

// startWait is how long a start may take: the server reads its streams' indexes,
// and after a crash the last blocks of each.
const startWait = 30 * time.Second

// Start returns a server that answers. It fails where the address is taken, the
// folder cannot be written, or ctx ends first.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	users, err := loadUsers(o.Dir)
	if err != nil {
		return nil, err
	}
	hashed, err := users.forServer()
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(serverOptions(o, hashed))
	if err != nil {
		return nil, fmt.Errorf("nats: configure: %w", err)
	}
	started := &Server{
		server: s, log: &journal{log: o.Log, fatal: make(chan error, 1)}, users: users, files: newFiles(o.Dir),
	}
	s.SetLoggerV2(started.log, false, false, false)
	s.Start()
	if err := started.ready(ctx); err != nil {
		started.Close()
		return nil, err
	}
	started.files.disk = o.Disk
	started.users.URL = s.ClientURL()
	if err := saveUsers(o.Dir, started.users); err != nil {
		started.Close()
		return nil, err
	}
	return started, nil
}

func (s *Server) ready(ctx context.Context) error {
	for deadline := time.Now().Add(startWait); ; {
		select {
		case err := <-s.log.fatal:
			return fmt.Errorf("nats: start: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("nats: start: %w", ctx.Err())
		default:
		}
		if s.server.ReadyForConnections(50*time.Millisecond) && s.server.JetStreamEnabled() {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nats: start: not ready after %s", startWait)
		}
	}
}

// Users says how to reach the server.
func (s *Server) Users() Users { return s.users }

// FullURL is the server's address with the full user and its password in it: it
// must not be logged.
func (s *Server) FullURL() string {
	u, err := url.Parse(s.users.URL)
	if err != nil {
		return s.users.URL
	}
	u.User = url.UserPassword(s.users.Full, s.users.FullPassword)
	return u.String()
}

// InProcessConn is a connection to the server that takes no network.
func (s *Server) InProcessConn() (net.Conn, error) { return s.server.InProcessConn() }

// Sync returns once all that the server acknowledged of a stream before the call
// would outlive a loss of power. From the first call on the stream takes less memory.
// One call at a time a stream.
func (s *Server) Sync(stream string) error {
	last, err := flush(s.server, stream)
	if err != nil {
		return fmt.Errorf("nats: sync stream %s: %w", stream, err)
	}
	return s.files.sync(stream, last)
}

// Room takes so many bytes of the server's disk for what is to be published, until
// they are given back: once it is acknowledged, or never will be. It fails where
// they are not there: a stream that could not write once stays so.
func (s *Server) Room(bytes int64) (give func(), err error) { return s.files.room(bytes) }

// Close stops the server and waits until nothing of it runs.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

func serverOptions(o Options, users []*server.User) *server.Options {
	host, portText, _ := net.SplitHostPort(o.Listen) // Check has read it
	port, _ := strconv.Atoi(portText)
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return &server.Options{
		ServerName: "superindex", Host: host, Port: port,
		NoSigs: true, Users: users,
		JetStream: true, StoreDir: storeDir(o.Dir),
		// A stream reserves its max_bytes against this: many networks' would not fit
		// on any disk, though their events do.
		JetStreamMaxStore: maxStore(o.MaxBytes),
	}
}

func storeDir(dir string) string { return filepath.Join(dir, "nats") }

func maxStore(limit int64) int64 {
	if limit == 0 {
		return 1 << 60
	}
	return limit
}
