package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"superindex/chain"
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
	{"events by project, from the warehouse", `
		SELECT p.project_name AS project, count() AS events, uniq(e.network) AS networks, uniq(e.address) AS contracts,
			countIf(e.finality = 'finalized') AS finalized
		FROM superindex.events AS e
		JOIN superindex.artifacts_by_project AS p ON p.artifact_name = e.address AND p.artifact_source = upper(e.network)
		GROUP BY project ORDER BY events DESC LIMIT 6`},
	{"the last reorgs", `SELECT time, network, from_number, to_number AS kept, depth FROM superindex.reorgs ORDER BY time DESC LIMIT 4`},
}

// draw shows what happens until ctx ends, for the first time when there is a row.
func (s *stage) draw(ctx context.Context) error {
	conn, err := warehouse(s.config)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer s.out.keep()
	every := drawLog
	if s.out.terminal {
		every = drawTerminal
	}
	for pause := 100 * time.Millisecond; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		if len(s.recent()) == 0 {
			continue
		}
		pause = every
		var b bytes.Buffer
		s.write(ctx, conn, &b)
		if ctx.Err() != nil {
			return nil
		}
		if s.out.terminal {
			err = s.out.draw(b.String())
		} else {
			_, err = s.out.Write(b.Bytes())
		}
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
}

// write writes one screen.
func (s *stage) write(ctx context.Context, conn driver.Conn, w io.Writer) {
	fmt.Fprintf(w, "superindex demo: %d dev chains, a reorg of the busy one every %v; Ctrl-C ends it\n\n", len(s.chains), s.chains[0].reorg)
	if err := showStatus(w, s.report(), s.out.colour()); err != nil {
		return
	}
	fmt.Fprintln(w, "\nthe last events")
	recent := s.recent()
	for _, e := range recent[max(0, len(recent)-screenEvents):] {
		fmt.Fprintf(w, "  %s\n", s.line(e))
	}
	fmt.Fprintf(w, "\n%s\n", s.reorgs())
	for _, q := range demoQueries {
		fmt.Fprintf(w, "\n%s\n", q.title)
		if err := query(ctx, conn, w, q.sql, false); err != nil && ctx.Err() == nil {
			fmt.Fprintf(w, "  %v\n", err) // the first seconds: the warehouse has no tables yet
		}
	}
	fmt.Fprintf(w, "\nstatus page: http://%s/\nelsewhere:   bin/superindex query --config %s \"SELECT event, count() FROM events GROUP BY event\"\n\n", s.config.HTTP.Listen, s.configFile())
}

// networkEvent is an event and where it was.
type networkEvent struct {
	network string
	chain.Event
}

// recent are the last events of all networks, ascending in time.
func (s *stage) recent() (all []networkEvent) {
	for _, n := range s.status.Snapshot() {
		for _, e := range n.Recent {
			all = append(all, networkEvent{n.Network, e})
		}
	}
	slices.SortStableFunc(all, func(a, b networkEvent) int { return cmp.Compare(a.Time, b.Time) })
	return all
}

// argsShown is how much of an event's arguments fits a line.
const argsShown = 80

func (s *stage) line(e networkEvent) string {
	args, name := string(e.Args), e.Name
	if len(args) > argsShown {
		args = args[:argsShown] + "..."
	}
	if e.Decoding == chain.Raw {
		name, args = "(raw)", fmt.Sprintf("%d topics, %d bytes: nobody has a layout for it", len(e.Topics), len(e.Data))
	}
	project := cmp.Or(strings.Join(s.owners(e.network, e.Address), ", "), e.Address.String())
	return fmt.Sprintf("%-5s block %-4d %-17s  %-14s  %s", e.network, e.Block.Number, project, name, args)
}

// reorgs says how many were undone, and what the last one was.
func (s *stage) reorgs() string {
	var count uint64
	var last chain.Revert
	network := ""
	for _, n := range s.status.Snapshot() {
		if count += n.Reorgs; n.LastReorg.Time > last.Time {
			last, network = n.LastReorg, n.Network
		}
	}
	if count == 0 {
		return "no reorg yet"
	}
	return fmt.Sprintf("reorgs undone: %d; the last one %d deep, of %s, from %v to %v, %s ago", count, last.Depth(), network,
		last.From, last.To, short(time.Since(time.Unix(int64(last.Time), 0))))
}
