package clickhouse

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Options say which warehouse a Sink writes to.
type Options struct {
	// DSN is clickhouse://user:password@host:9000/superindex, with ?secure=true
	// for TLS. The path is the database, superindex where there is none; the
	// other parameters are those of clickhouse-go.
	DSN string

	// Timeout bounds one statement; 2 minutes where it is zero.
	Timeout time.Duration

	// Sync puts all that the server acknowledged before the call on its disk; it may wait
	// so long for other calls to share it. Nil for a server whose acknowledgement says so
	// already. It is called from many goroutines.
	Sync func(within time.Duration) error
}

// Check names the option that cannot be. It never shows the password.
func (o Options) Check() error {
	_, err := o.server()
	return err
}

// The pool is for some forty networks that write at once; few do at any moment.
const (
	defaultDatabase = "superindex"
	defaultTimeout  = 2 * time.Minute
	dialTimeout     = 4 * time.Second // the driver's greeting does not end with a context, and a stop has 5 s
	maxConnections  = 32
	idleConnections = 8
)

func (o Options) server() (*clickhouse.Options, error) {
	server, err := clickhouse.ParseDSN(o.DSN) // its errors hide credentials
	switch {
	case err != nil:
		return nil, fmt.Errorf("dsn: %w", err)
	case server.Protocol != clickhouse.Native || !strings.HasPrefix(o.DSN, "clickhouse://"):
		return nil, errors.New("dsn: only the native protocol can be used: clickhouse://user:password@host:9000/superindex")
	case o.Timeout < 0:
		return nil, errors.New("timeout: below zero")
	}
	if server.Auth.Database == "" {
		server.Auth.Database = defaultDatabase
	}
	if server.DialTimeout == 0 {
		server.DialTimeout = dialTimeout
	}
	if server.MaxOpenConns == 0 {
		server.MaxOpenConns, server.MaxIdleConns = maxConnections, idleConnections
	}
	return server, nil
}
