package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
)

// insert sends the steps' rows of one table as one INSERT.
func (s *Sink) insert(ctx context.Context, t *table, steps []chain.Step) error {
	t.begin(0)
	if t.from(steps); !t.next() {
		return nil
	}
	return s.send(ctx, t.name, t.columns, whole, func(context.Context) (bool, error) { return t.next(), nil })
}

// insertRows sends the rows that the columns have.
func (s *Sink) insertRows(ctx context.Context, table string, columns ...proto.InputColumn) error {
	return s.send(ctx, table, columns, whole, func(context.Context) (bool, error) {
		for i := range columns {
			columns[i].Data.(checked).reset()
		}
		return false, nil
	})
}

// send is one INSERT of the columns' rows, and of those that next puts in their
// place until it says that there are none.
func (s *Sink) send(ctx context.Context, table string, columns proto.Input, settings []ch.Setting, next func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.lines.do(ctx, ch.Query{
		Body: columns.Into(table), Input: columns, Settings: settings,
		OnInput: func(ctx context.Context) error {
			more, err := next(ctx)
			if err == nil && !more {
				return io.EOF
			}
			return err
		},
	})
	var altered *alteredError
	switch {
	case errors.As(err, &altered):
		return chain.Fatal(fmt.Errorf("clickhouse: insert into %s: %w", table, altered),
			"somebody altered the table: give the column back the type that docs/warehouse.md shows")
	case err != nil:
		return s.fault("insert into "+table, err)
	}
	return nil
}

// lookTime is how often one who waits for the server looks whether its statement was
// cut: it would else wait until the statement's time is over. No statement ends by it,
// but a greeting does.
const lookTime = 2 * time.Second

// lines are the connections that INSERTs go over: the lowest layer of the driver,
// which sends columns as they lie.
type lines struct {
	options   ch.Options
	addresses []string

	mu   sync.Mutex
	idle []line // the one used last is the last
}

// line is a connection that no statement is under way on.
type line struct {
	*ch.Client

	since time.Time
}

// trusted is for how long a line is believed to answer: to ask it costs both sides as much
// as an INSERT's own words, forty times a second at the head of thirty networks.
const trusted = time.Second

// newLines takes over what the DSN says.
func newLines(server *clickhouse.Options) *lines {
	o := ch.Options{
		Database: server.Auth.Database, User: server.Auth.Username, Password: server.Auth.Password, TLS: server.TLS,
		DialTimeout: server.DialTimeout, HandshakeTimeout: server.DialTimeout,
		ReadTimeout: lookTime,
		ClientName:  "superindex",
	}
	if c := server.Compression; c != nil && c.Method != clickhouse.CompressionNone {
		o.Compression = ch.CompressionLZ4
	}
	for name, value := range server.Settings {
		o.Settings = append(o.Settings, ch.Setting{Key: name, Value: fmt.Sprint(value), Important: true})
	}
	return &lines{options: o, addresses: server.Addr}
}

// do runs one statement. A connection on which one failed is not used again, nor
// are those that were idle then: a server that went away took them along.
func (l *lines) do(ctx context.Context, q ch.Query) error {
	conn, err := l.take(ctx)
	if err != nil {
		return err
	}
	if err := conn.Do(ctx, q); err != nil {
		return errors.Join(err, ignoreClosed(conn.Close()), l.close())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idle = append(l.idle, line{conn, time.Now()})
	return nil
}

// take is an idle connection that still answers, or a new one.
func (l *lines) take(ctx context.Context) (*ch.Client, error) {
	l.mu.Lock()
	var last line
	if n := len(l.idle); n > 0 {
		last, l.idle = l.idle[n-1], l.idle[:n-1]
	}
	l.mu.Unlock()
	if last.Client != nil {
		if time.Since(last.since) < trusted || last.Ping(ctx) == nil {
			return last.Client, nil
		}
		_ = last.Close() // it is lost either way
	}
	return l.dial(ctx)
}

// dial tries the server's addresses in their order.
func (l *lines) dial(ctx context.Context) (line *ch.Client, err error) {
	for _, address := range l.addresses {
		o := l.options
		o.Address = address
		if line, err = ch.Dial(ctx, o); err == nil {
			return line, nil
		}
	}
	return nil, err
}

// close ends the idle connections.
func (l *lines) close() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.idle {
		err = errors.Join(err, ignoreClosed(line.Close()))
	}
	l.idle = nil
	return err
}

// ignoreClosed: a connection that broke is closed by the driver.
func ignoreClosed(err error) error {
	if errors.Is(err, ch.ErrClosed) {
		return nil
	}
	return err
}
