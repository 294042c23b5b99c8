package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"superindex/chain"
	"superindex/indexer"
	"superindex/poller"
	"superindex/reorg"
)

func newPoll() *cobra.Command {
	var name string
	var once, dry, answers, asJSON bool
	cmd := &cobra.Command{
		Use:   "poll --feed F",
		Short: "Poll one feed, or say what it would ask for and cost; while no daemon runs",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case dry:
				return dryRun(cmd, name, nil, asJSON)
			case answers:
				return listAnswers(cmd, name, asJSON)
			}
			return withFeed(cmd, name, nil, func(ctx context.Context, f feed) error {
				if !once {
					f.poller.Run(ctx)
					return nil
				}
				return f.poller.Round(ctx)
			}, asJSON)
		},
	}
	cmd.Flags().StringVar(&name, "feed", "", "which one")
	cmd.Flags().BoolVar(&once, "once", false, "until nothing is due and the sinks hold what came, then end")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "ask for nothing: print the requests of a first and of a steady round")
	cmd.Flags().BoolVar(&answers, "answers", false, "ask for nothing: list what the source answered, as it was kept; with --json whole")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	required(cmd, "feed")
	return cmd
}

func newBackfill() *cobra.Command {
	var name, from, to string
	var dry, asJSON bool
	cmd := &cobra.Command{
		Use:   "backfill --feed F --from DATE",
		Short: "Ask a feed's source for its history again; while no daemon runs",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			change, err := history(name, from, to)
			switch {
			case err != nil:
				return err
			case dry:
				return dryRun(cmd, name, change, asJSON)
			}
			return withFeed(cmd, name, change, rewound, asJSON)
		},
	}
	cmd.Flags().StringVar(&name, "feed", "", "which one")
	cmd.Flags().StringVar(&from, "from", "", "the first day, such as 2020-01-01")
	cmd.Flags().StringVar(&to, "to", "", "the day after the last one, for feeds that can end there; today unless given")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "ask for nothing: print the requests that it comes to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	required(cmd, "feed", "from")
	return cmd
}

// history says what a backfill changes in the config: which days are wanted.
func history(name, from, to string) (change func(*config), err error) {
	var since, until date
	if err := since.read(from); err != nil {
		return nil, &usageError{fmt.Errorf("--from: %q is %w", from, err)}
	}
	until.Time = time.Now()
	if to != "" {
		endless := func(s poller.Source) bool { return s.Name == name && !s.Ends }
		if slices.ContainsFunc(feedSources(), endless) {
			return nil, &usageError{fmt.Errorf("--to: %s brings all from a day on, and cannot end before today", name)}
		}
		if err := until.read(to); err != nil {
			return nil, &usageError{fmt.Errorf("--to: %q is %w", to, err)}
		}
	}
	if !until.After(since.Time) {
		return nil, &usageError{fmt.Errorf("--from %s --to %s: there is no day between them", from, until.Format(time.DateOnly))}
	}
	return func(c *config) {
		if c.Poller == nil {
			c.Poller = map[string]feedConfig{}
		}
		one := c.Poller[name]
		one.From, one.to = since, until.Time
		c.Poller[name] = one
	}, nil
}

// rewound asks for a feed's history.
func rewound(ctx context.Context, f feed) error {
	ok, err := f.poller.Rewind(ctx)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s brings no history on request", f.source.Name())
	}
	return f.poller.Round(ctx)
}

// withFeed runs work on a feed beside the relays, and ends once the sinks hold what
// it brought.
func withFeed(cmd *cobra.Command, name string, change func(*config), work func(context.Context, feed) error, asJSON bool) error {
	c, err := configOf(cmd)
	if err != nil {
		return err
	}
	if change != nil {
		change(&c)
	}
	d, err := newDaemon(cmd.Context(), c, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelInfo})))
	if err != nil {
		return cutShort(cmd.Context(), err)
	}
	f, err := d.selected().feed(name)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	ctx, stop := context.WithCancel(cmd.Context())
	job := &errand{daemon: d, feed: f, work: work, stop: stop, err: context.Canceled}
	e := d.engine(d.selected())
	e.Networks, e.Pollers = nil, []indexer.Poller{job}
	err = errors.Join(indexer.Run(ctx, e), job.err)
	if err == nil {
		err = showFeed(cmd.OutOrStdout(), f.poller.State(), asJSON)
	}
	return errors.Join(cutShort(cmd.Context(), err), d.Close())
}

// cutShort is the error of a command that was told to stop before its end.
func cutShort(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("cut short: what came is kept; the same command brings the rest")
	}
	return err
}

// errand is the work of one command in a poller's place.
type errand struct {
	*daemon
	feed feed
	work func(context.Context, feed) error
	stop context.CancelFunc
	err  error // until Run has ended: that it was told to stop before
}

// Run implements indexer.Poller.
func (e *errand) Run(ctx context.Context) {
	var shown sync.WaitGroup
	shown.Go(func() { e.show(ctx) })
	defer shown.Wait()
	defer e.stop()
	if e.err = e.work(ctx, e.feed); ctx.Err() == nil {
		e.err = errors.Join(e.err, e.held(ctx))
	}
}

// show logs how the feed comes on until ctx ends.
func (e *errand) show(ctx context.Context) {
	tick := time.NewTicker(progressLogged)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			st := e.feed.poller.State()
			e.log.Info("progress", "feed", st.Feed, "answers", st.Asks, "rows", st.Rows, "followed", st.Resources, "due", st.Due, "failing", st.Failing)
		case <-ctx.Done():
			return
		}
	}
}

// held waits until every sink has the last step.
func (e *errand) held(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		st, err := e.journal.Stat(indexer.Feeds.Name)
		if errors.Is(err, reorg.ErrUnknown) || err == nil && e.sunk(st.Head) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *errand) sunk(head chain.Seq) bool {
	held := 0
	for _, n := range e.status.Snapshot() {
		for _, s := range n.Sinks {
			if n.Network == indexer.Feeds.Name && s.Seq >= head {
				held++
			}
		}
	}
	return held == len(e.sinks)
}

func showFeed(w io.Writer, st poller.State, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(st)
	}
	_, err := fmt.Fprintf(w, "%s: %d answers, %d rows; %d followed, %d failing\n", st.Feed, st.Asks, st.Rows, st.Resources, st.Failing)
	if st.Failing > 0 && err == nil {
		_, err = fmt.Fprintf(w, "  one of them: %s\n", st.Example)
	}
	return err
}

// dryRun plans a feed's rounds from nothing: it opens no journal, so that it works
// beside a daemon.
func dryRun(cmd *cobra.Command, name string, change func(*config), asJSON bool) error {
	snapshot, c, err := loadRegistry(cmd, "")
	if err != nil {
		return err
	}
	if change != nil {
		change(&c)
	}
	for _, s := range feedSources() {
		if s.Name != name {
			continue
		}
		f, note, err := c.makeFeed(s, snapshot, poller.NewMetrics(prometheus.NewRegistry()))
		switch {
		case err != nil:
			return err
		case f.source == nil:
			return fmt.Errorf("%s is %s", name, f.state.Note)
		}
		e := poller.Plan(f.source, nil, time.Now(), f.settings.Every)
		return showEstimate(cmd.OutOrStdout(), e, f.settings, note, asJSON)
	}
	return noFeed(name)
}

func showEstimate(w io.Writer, e poller.Estimate, s poller.Settings, note string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(e)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s: %d followed, each every %v, at most %d requests an hour\n", e.Feed, e.Resources, s.Every, s.PerHour)
	for _, round := range []struct {
		name   string
		counts []poller.Count
	}{{"first round", e.First}, {"steady round", e.Steady}} {
		fmt.Fprintf(t, "%s\t%.0f\t%s\n", round.name, poller.Cost(round.counts), lasting(poller.Cost(round.counts), s))
		for _, c := range round.counts {
			bytes := ""
			if c.Bytes > 0 {
				bytes = "some " + humanize.Bytes(uint64(c.Bytes))
			}
			fmt.Fprintf(t, "  %s\t%.0f\t%s\n", c.Kind, c.Cost, bytes)
		}
	}
	if note != "" {
		fmt.Fprintf(t, "%s\n", note)
	}
	return t.Flush()
}

// lasting is how long so many requests take at the budget, and at those of one and of
// ten tokens where they count.
func lasting(cost float64, s poller.Settings) string {
	at := func(perHour int) string {
		return time.Duration(cost / float64(perHour) * float64(time.Hour)).Round(time.Second).String()
	}
	text := ""
	if s.PerHour > 0 {
		text = at(s.PerHour)
	}
	if s.PerToken > 0 {
		text += fmt.Sprintf("; with one token %s, with ten %s", at(s.PerToken), at(10*s.PerToken))
	}
	return text
}

// listAnswers prints what is kept of a feed's answers, a line each.
func listAnswers(cmd *cobra.Command, name string, asJSON bool) error {
	c, err := configOf(cmd)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(feedSources(), func(s poller.Source) bool { return s.Name == name }) {
		return noFeed(name)
	}
	dir := filepath.Join(c.DataDir, "poller")
	if _, err := os.Stat(dir); err != nil {
		return chain.Fatal(fmt.Errorf("no answers are kept: %w", err), "give the --config of the daemon that polls")
	}
	kept, err := poller.OpenPayloads(dir, nil)
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	err = kept.Each(name, func(k poller.Kept) error {
		if asJSON {
			return json.NewEncoder(w).Encode(map[string]string{
				"what": k.What, "fetched_at": k.Fetched.Format(time.RFC3339), "sha256": hex.EncodeToString(k.Hash[:]), "body": string(k.Body),
			})
		}
		_, err := fmt.Fprintf(w, "%s  %x  %9s  %s\n", k.Fetched.Format(time.DateTime), k.Hash[:6], humanize.IBytes(uint64(len(k.Body))), k.What)
		return err
	})
	return errors.Join(err, kept.Close())
}
