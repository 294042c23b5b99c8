package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
)

// Probe is what a warehouse says of itself to somebody who changes nothing.
type Probe struct {
	Server    string // its version
	Database  string
	Version   uint32   // of the tables; 0: there are none yet
	Lacks     []string // what the user may not do and a Sink must, as GRANT says it
	Positions map[string]chain.Seq
}

// probeTime bounds a probe as a whole.
const probeTime = 15 * time.Second

// Look connects to the warehouse as a Sink would and looks at it. Tables of a newer
// superindex are an error, as they are to Open.
func Look(ctx context.Context, o Options) (p Probe, err error) {
	server, err := o.server()
	if err != nil {
		return p, fmt.Errorf("clickhouse: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	s := &Sink{user: server.Auth.Username, database: server.Auth.Database, timeout: probeTime}
	p.Database = s.database
	server.Auth.Database = ""
	if s.conn, err = clickhouse.Open(server); err != nil {
		return p, fmt.Errorf("clickhouse: %w", err)
	}
	defer s.conn.Close()
	if err := s.conn.QueryRow(ctx, "SELECT version()").Scan(&p.Server); err != nil {
		return p, s.fault("connect", err)
	}
	if err := s.lookInside(ctx, &p); err != nil {
		return p, err
	}
	return p, s.rights(ctx, &p)
}

// lookInside reads the tables, where they are.
func (s *Sink) lookInside(ctx context.Context, p *Probe) error {
	var there uint64
	const ours = "SELECT count() FROM system.tables WHERE database = $1 AND name IN ('migrations', 'positions')"
	if err := s.conn.QueryRow(ctx, ours, s.database).Scan(&there); err != nil || there < 2 {
		return s.faultOrNil("read system.tables", err)
	}
	if err := s.conn.QueryRow(ctx, "SELECT max(version) FROM "+quoted(s.database)+".migrations").Scan(&p.Version); err != nil {
		return s.fault("read migrations", err)
	}
	rows, err := s.conn.Query(ctx, "SELECT network, max(seq) FROM "+quoted(s.database)+".positions GROUP BY network")
	if err != nil {
		return s.fault("read positions", err)
	}
	defer rows.Close()
	p.Positions = map[string]chain.Seq{}
	for rows.Next() {
		var network string
		var seq uint64
		if err := rows.Scan(&network, &seq); err != nil {
			return s.fault("read positions", err)
		}
		p.Positions[network] = chain.Seq(seq)
	}
	return s.faultOrNil("read positions", rows.Err())
}

func (s *Sink) faultOrNil(doing string, err error) error {
	if err == nil {
		return nil
	}
	return s.fault(doing, err)
}

// rights asks for each right that a Sink uses: fewer where the tables are there and of
// the newest version.
func (s *Sink) rights(ctx context.Context, p *Probe) error {
	last, err := s.newest(p.Version)
	if err != nil {
		return err
	}
	var there uint64
	if err := s.conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = $1", s.database).Scan(&there); err != nil {
		return s.fault("read system.databases", err)
	}
	on := " ON " + quoted(s.database) + ".*"
	asked := []string{"SELECT" + on, "INSERT" + on, "CREATE TEMPORARY TABLE ON *.*"}
	if p.Version < last {
		asked = append(asked, "CREATE TABLE"+on, "CREATE VIEW"+on, "ALTER TABLE"+on, "DROP TABLE"+on, "DROP VIEW"+on,
			"TABLE ENGINE ON MergeTree", "TABLE ENGINE ON ReplacingMergeTree")
	}
	if there == 0 {
		asked = append(asked, "CREATE DATABASE"+on)
	}
	for _, right := range asked {
		var granted uint8
		if err := s.conn.QueryRow(ctx, "CHECK GRANT "+right).Scan(&granted); err != nil {
			return s.fault("check grant "+right, err)
		}
		if granted == 0 {
			p.Lacks = append(p.Lacks, right)
		}
	}
	return nil
}
