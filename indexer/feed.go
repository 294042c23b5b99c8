package indexer

import (
	"context"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"superindex/chain"
	"superindex/reorg"
)

// Feeds is the stream of what no block carries.
var Feeds = chain.Stream{Name: "feeds"}

// Directory is a registry snapshot as rows. The zero value is none.
type Directory struct {
	ID   string // names the rows: another ID, other rows
	Rows iter.Seq[*chain.Rows]
}

// directoryNote is what the journal remembers of the snapshot that it took last.
const directoryNote = "registry"

// Poller brings a feed's observations until ctx ends. What fails is its own
// business, and shown by itself.
type Poller interface{ Run(ctx context.Context) }

// FeedJournal is the stream Feeds as pollers see it. It is safe for concurrent use.
type FeedJournal struct {
	Journal *reorg.Journal
	Status  *Status
}

// Append commits rows as one step, together with notes.
func (j FeedJournal) Append(ctx context.Context, rows *chain.Rows, notes map[string][]byte) error {
	return j.Status.network(Feeds).append(ctx, j.Journal, &chain.Step{Stream: Feeds, Rows: rows}, listed(notes)...)
}

// Keep commits notes without a step.
func (j FeedJournal) Keep(_ context.Context, notes map[string][]byte) error {
	return j.Journal.Keep(Feeds.Name, listed(notes)...)
}

// Notes are all whose name begins with prefix.
func (j FeedJournal) Notes(_ context.Context, prefix string) (map[string][]byte, error) {
	notes, err := j.Journal.Notes(Feeds.Name, prefix)
	all := make(map[string][]byte, len(notes))
	for _, n := range notes {
		all[n.Name] = n.Value
	}
	return all, err
}

func listed(notes map[string][]byte) []reorg.Note {
	out := make([]reorg.Note, 0, len(notes))
	for name, value := range notes {
		out = append(out, reorg.Note{Name: name, Value: value})
	}
	return out
}

// followFeeds begins the stream Feeds, brings the registry, polls and relays.
func (e Engine) followFeeds(ctx context.Context) error {
	if e.Registry.ID == "" && len(e.Pollers) == 0 {
		return nil
	}
	e.keep(ctx, Feeds, "registry", func(ctx context.Context) (bool, error) {
		if err := beginFeeds(ctx, e.Journal, e.Sinks); err != nil {
			return false, err
		}
		st, err := e.Journal.Stat(Feeds.Name)
		if err != nil {
			return false, err
		}
		e.Status.network(Feeds).resumed(st.Head, st.Last)
		return false, e.adoptDirectory(ctx)
	})
	var g errgroup.Group
	if ctx.Err() == nil { // else it was told to stop, perhaps before it could begin
		e.relay(ctx, &g, Feeds)
		for _, p := range e.Pollers {
			g.Go(func() error { p.Run(ctx); return nil })
		}
	}
	return g.Wait()
}

func beginFeeds(ctx context.Context, journal *reorg.Journal, sinks []Sink) error {
	if slices.Contains(journal.Streams(), Feeds.Name) {
		return nil
	}
	return AdoptFeeds(ctx, journal, sinks)
}

// AdoptFeeds begins the stream Feeds anew: what it is to bring is brought again.
func AdoptFeeds(ctx context.Context, journal *reorg.Journal, sinks []Sink) error {
	held, err := positions(ctx, Feeds, sinks)
	if err != nil {
		return err
	}
	_, err = journal.Begin(ctx, reorg.Beginning{Stream: Feeds, Sinks: held, Whole: true})
	return err
}

// adoptDirectory appends the snapshot's rows, unless it was the last one taken. The
// note goes with the last step: a snapshot that was cut is brought once more.
func (e Engine) adoptDirectory(ctx context.Context) error {
	if e.Registry.ID == "" {
		return nil
	}
	last, err := e.Journal.Note(Feeds.Name, directoryNote)
	if err != nil || string(last) == e.Registry.ID {
		return err
	}
	var rows *chain.Rows // the one before, which is not the last
	for next := range e.Registry.Rows {
		if rows != nil {
			if err := e.appendRows(ctx, rows); err != nil {
				return err
			}
		}
		rows = next
	}
	if rows == nil {
		return nil
	}
	return e.appendRows(ctx, rows, reorg.Note{Name: directoryNote, Value: []byte(e.Registry.ID)})
}

func (e Engine) appendRows(ctx context.Context, rows *chain.Rows, notes ...reorg.Note) error {
	return e.Status.network(Feeds).append(ctx, e.Journal, &chain.Step{Stream: Feeds, Rows: rows}, notes...)
}
