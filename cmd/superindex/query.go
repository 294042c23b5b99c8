package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	embeddedch "superindex/internal/embedded/clickhouse"
)

func newQuery() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   `query "SELECT ..."`,
		Short: "SQL against the warehouse, read-only, beside a running daemon",
		Long: "SQL against the warehouse, read-only, beside a running daemon. The views: events, transactions, blocks, reorgs,\n" +
			"finality, coverage; projects, collections, artifacts, artifacts_by_project, projects_by_collection; oso_events, raw_* of the feeds.\n" +
			"\"SHOW TABLES\" lists all, docs/warehouse.md says what each holds.",
		Example: `  superindex query "SELECT event, count() FROM events GROUP BY event ORDER BY 2 DESC LIMIT 10"`,
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			conn, err := warehouse(c)
			if err != nil {
				return err
			}
			err = query(cmd.Context(), conn, cmd.OutOrStdout(), args[0], asJSON)
			return errors.Join(err, conn.Close())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a row")
	return cmd
}

// warehouse connects to the configured ClickHouse, as the reader where it is ours.
func warehouse(c config) (driver.Conn, error) {
	dsn := c.Sinks.ClickHouse.DSN
	if dsn == noSink {
		return nil, errors.New("query: sinks.clickhouse is none")
	}
	if dsn == embeddedSink {
		access, err := embeddedch.ReadAccess(filepath.Join(c.DataDir, clickhouseEnv))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("query: no daemon has run on %s yet: the embedded warehouse lives inside `superindex run`", c.DataDir)
		}
		if err != nil {
			return nil, fmt.Errorf("query: %w", err)
		}
		dsn = access.ReaderDSN()
	}
	return connect(dsn)
}

func connect(dsn string) (driver.Conn, error) {
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("query: sinks.clickhouse.dsn is no ClickHouse DSN") // the cause holds the DSN
	}
	o.DialTimeout = 5 * time.Second
	conn, err := clickhouse.Open(o)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return conn, nil
}

// query prints the rows as a table, or as JSON objects. readonly = 2 refuses
// writes, whoever the configured user is.
func query(ctx context.Context, conn driver.Conn, w io.Writer, sql string, asJSON bool) error {
	readOnly := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"readonly": 2}))
	rows, err := conn.Query(readOnly, sql)
	if refused := new(net.OpError); errors.As(err, &refused) {
		return fmt.Errorf("query: the warehouse does not answer; an embedded one lives inside `superindex run`: %w", err)
	}
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer rows.Close()
	emit, flush := tableRows(w, rows.Columns())
	if asJSON {
		emit, flush = jsonRows(w, rows.Columns())
	}
	dest := make([]any, len(rows.ColumnTypes()))
	for i, t := range rows.ColumnTypes() {
		dest[i] = reflect.New(t.ScanType()).Interface()
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return fmt.Errorf("query: %w", err)
		}
		if err := emit(dest); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return flush()
}

func tableRows(w io.Writer, columns []string) (emit func([]any) error, flush func() error) {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	emit = func(values []any) error {
		cells := make([]string, len(values))
		for i, v := range values {
			cells[i] = text(v)
		}
		_, err := fmt.Fprintln(t, strings.Join(cells, "\t"))
		return err
	}
	return emit, t.Flush
}

func jsonRows(w io.Writer, columns []string) (emit func([]any) error, flush func() error) {
	emit = func(values []any) error {
		line := []byte("{")
		for i, v := range values { // a map would lose the order of the columns
			key, keyErr := json.Marshal(columns[i])
			value, err := json.Marshal(v)
			if err = errors.Join(keyErr, err); err != nil {
				return fmt.Errorf("query: column %s: %w", columns[i], err)
			}
			line = append(append(append(append(line, key...), ':'), value...), ',')
		}
		line = append(bytes.TrimSuffix(line, []byte(",")), "}\n"...)
		_, err := w.Write(line)
		return err
	}
	return emit, func() error { return nil }
}

// text is a value in a table: times in UTC without a zone, no value as nothing.
func text(pointer any) string {
	v := reflect.ValueOf(pointer).Elem()
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "-"
		}
		v = v.Elem()
	}
	switch of := v.Interface().(type) {
	case time.Time:
		return of.UTC().Format(time.DateTime)
	case big.Int:
		return of.String()
	}
	return strings.ReplaceAll(fmt.Sprint(v.Interface()), "\n", " ")
}
