package clickhouse

import (
	"context"
	"embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
)

// migrations are the files sql/0001.sql and up: what each version of the
// warehouse adds to the one before. A file never changes what it leads to once it is
// released, and may be run again where it was cut short.
//
//go:embed sql/*.sql
var migrations embed.FS

// createDatabase makes the database where it is missing. A user who may not
// create one can be given one.
func (s *Sink) createDatabase(ctx context.Context, server clickhouse.Options) error {
	server.Auth.Database = ""
	conn, err := clickhouse.Open(&server)
	if err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var there uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = $1", s.database).Scan(&there); err != nil {
		return s.fault("connect", err)
	}
	if there > 0 {
		return nil
	}
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quoted(s.database)); err != nil {
		return s.fault("create database "+s.database, err)
	}
	return nil
}

func quoted(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

// migrate brings the tables to the newest version that is known here.
func (s *Sink) migrate(ctx context.Context) error {
	has, err := s.version(ctx)
	if err != nil {
		return err
	}
	last, err := s.newest(has)
	if err != nil {
		return err
	}
	for version := has + 1; version <= last; version++ {
		if err := s.migrateTo(ctx, version); err != nil {
			return err
		}
	}
	return nil
}

// newest is the version that is known here; an error where the tables are newer.
func (s *Sink) newest(has uint32) (uint32, error) {
	files, err := migrations.ReadDir("sql")
	if err != nil {
		return 0, fmt.Errorf("clickhouse: migrations: %w", err)
	}
	if has > uint32(len(files)) {
		return 0, chain.Fatal(
			fmt.Errorf("clickhouse: database %s is of version %d, and this superindex knows %d", s.database, has, len(files)),
			"run the newer superindex that wrote it, or another database")
	}
	return uint32(len(files)), nil
}

func (s *Sink) migrateTo(ctx context.Context, version uint32) error {
	statements, err := statementsOf(version)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		wanted, err := s.wanted(ctx, statement)
		if err == nil && wanted {
			err = s.exec(ctx, statement)
		}
		if err != nil {
			return s.fault(fmt.Sprintf("migrate to version %d", version), err)
		}
		if err := s.durable(0); err != nil { // the next one may remove what this one copied
			return err
		}
	}
	return s.insertRows(ctx, "migrations", in("version", &proto.ColUInt32{version}))
}

// condition is a comment in a statement, which makes it run only if, or unless, there
// is such a table.
var condition = regexp.MustCompile(`(?m)^-- (if|unless) (\w+) is there`)

// wanted: a statement has no condition, or it is met.
func (s *Sink) wanted(ctx context.Context, statement string) (bool, error) {
	on := condition.FindStringSubmatch(statement)
	if on == nil {
		return true, nil
	}
	var there uint64
	err := s.conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = $1", on[2]).Scan(&there)
	return (there > 0) == (on[1] == "if"), err
}

// statementsOf are what makes a version of the one before.
func statementsOf(version uint32) ([]string, error) {
	text, err := migrations.ReadFile(fmt.Sprintf("sql/%04d.sql", version))
	if err != nil {
		return nil, fmt.Errorf("clickhouse: migrations: %w", err)
	}
	return strings.Split(strings.TrimSpace(string(text)), ";\n"), nil
}

// version is that of the tables; 0 where there are none. The table that holds it
// is made then.
func (s *Sink) version(ctx context.Context) (version uint32, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var there uint64
	err = s.conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'migrations'").Scan(&there)
	if err != nil {
		return 0, s.fault("read system.tables", err)
	}
	if there == 0 {
		err := s.exec(ctx, "CREATE TABLE IF NOT EXISTS migrations (version UInt32, applied_at DateTime('UTC') DEFAULT now()) ENGINE = MergeTree ORDER BY version")
		if err != nil {
			return 0, s.fault("create table migrations", err)
		}
	}
	if err := s.conn.QueryRow(ctx, "SELECT max(version) FROM migrations").Scan(&version); err != nil {
		return 0, s.fault("read migrations", err)
	}
	return version, nil
}

// exec has no time-out: a migration may copy all rows there are.
func (s *Sink) exec(ctx context.Context, statement string) error { return s.conn.Exec(ctx, statement) }
