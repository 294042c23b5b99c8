package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"superindex/chain"
	"superindex/indexer"
)

// How often the screen is drawn: on a terminal in place, elsewhere below the last.
const (
	drawTerminal = time.Second
	drawLog      = 5 * time.Second
)

// screenEvents is how many of the last events are shown.
const screenEvents = 10

// demoQueries are asked of the warehouse for every screen.
var demoQueries = []struct{ title, sql string }{
	{"events by kind", `SELECT event, count() AS events, uniq(address) AS contracts, countIf(finality = 'finalized') AS finalized FROM superindex.events GROUP BY event ORDER BY events DESC LIMIT 6`},
	{"the last reorgs", `SELECT time, from_number, to_number AS kept, depth FROM superindex.reorgs ORDER BY seq DESC LIMIT 4`},
}

// screen shows what happens until ctx ends.
func (s *stage) screen(ctx context.Context) error {
	conn, err := warehouse(s.config)
	if err != nil {
		return err
	}
	defer conn.Close()
	every := drawLog
	if s.terminal {
		every = drawTerminal
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var b bytes.Buffer
		if s.terminal {
			b.WriteString(clearScreen)
		}
		s.draw(ctx, conn, &b)
		if ctx.Err() != nil {
			return nil
		}
		if _, err := s.out.Write(b.Bytes()); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
}

func (s *stage) draw(ctx context.Context, conn driver.Conn, w io.Writer) {
	fmt.Fprintf(w, "superindex demo: a dev chain of %v blocks with a reorg every %v; Ctrl-C ends it\n\n", demoBlock, demoReorg)
	if err := showStatus(w, s.report()); err != nil {
		return
	}
	now := s.now()
	fmt.Fprintln(w, "\nlast events")
	recent := now.Recent
	for _, e := range recent[max(0, len(recent)-screenEvents):] {
		fmt.Fprintf(w, "  %s\n", eventLine(&e, s.project(e.Address)))
	}
	fmt.Fprintln(w, reorgLine(now))
	for _, q := range demoQueries {
		fmt.Fprintf(w, "\n%s\n", q.title)
		if err := query(ctx, conn, w, q.sql, false); err != nil && ctx.Err() == nil {
			fmt.Fprintf(w, "  %v\n", err) // the first seconds: the warehouse has no tables yet
		}
	}
	fmt.Fprintf(w, "\nelsewhere: bin/superindex query --config %s \"SELECT ...\"\n", s.configFile())
}

func (s *stage) project(a chain.Address) string {
	if owners := s.owners()(demoNetwork, a); len(owners) > 0 {
		return owners[0]
	}
	return a.String()
}

// argsShown is how much of an event's arguments fits a line.
const argsShown = 90

func eventLine(e *chain.Event, project string) string {
	args := string(e.Args)
	if len(args) > argsShown {
		args = args[:argsShown] + "..."
	}
	name := e.Name
	if e.Decoding == chain.Raw {
		name = "(raw)"
	}
	return fmt.Sprintf("block %-5d %-15s %-14s %s", e.Block.Number, project, name, args)
}

func reorgLine(n indexer.NetworkStatus) string {
	if n.Reorgs == 0 {
		return "\nno reorg yet: one comes every " + demoReorg.String()
	}
	r := n.LastReorg
	return fmt.Sprintf("\n%d reorgs undone; the last took back %d of ours, from %v to %v, %s ago", n.Reorgs, r.Depth(), r.From, r.To,
		time.Since(time.Unix(int64(r.Time), 0)).Round(time.Second))
}
