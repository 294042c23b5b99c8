package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"superindex/benchmarks/report"
	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/reorg"
)

// journal appends steps of 5,000 decoded events, each synced to the disk, and then
// reads them as a relay does.
func journal(ctx context.Context, b *bench) (results []report.Result, err error) {
	a, err := b.answered()
	if err != nil {
		return nil, err
	}
	steps, err := a.steps(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := b.folder("journal")
	if err != nil {
		return nil, err
	}
	j, err := reorg.Open(filepath.Join(dir, "journal"), reorg.Defaults())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if _, err := j.Begin(ctx, reorg.Beginning{Stream: stream, Start: 1, Whole: true}); err != nil {
		return nil, err
	}
	r := report.Result{Logs: uint64(b.rounds()) * a.logs, Set: "steps of 5,000 events, one after the other"}
	watch := newWatch()
	for range b.rounds() {
		for _, step := range steps {
			if _, err := j.Append(ctx, step); err != nil {
				return nil, fmt.Errorf("append: %w", err)
			}
		}
	}
	watch.measure(r.Logs).fill(&r)
	err = readBack(ctx, j, &r)
	return []report.Result{r}, err
}

// stream is what the parts that are measured alone write to.
var stream = chain.Stream{Name: "load10", ChainID: 10}

// steps are the answers as the engine would commit them, on top of one another.
func (a *answers) steps(ctx context.Context) (all []*chain.Step, err error) {
	client, err := a.reader()
	if err != nil {
		return nil, err
	}
	sources, err := decoder.Builtin()
	if err != nil {
		return nil, fmt.Errorf("the built-in event table: %w", err)
	}
	table := decoder.New(sources)
	var parent chain.BlockRef
	for _, r := range a.ranges {
		got, err := client.Fetch(ctx, r, indexer.Want{Watched: everything{}})
		if err != nil {
			return nil, err
		}
		batch := &chain.Batch{Parent: parent, Last: got.Blocks[len(got.Blocks)-1].BlockRef, Blocks: got.Blocks, Events: got.Events}
		batch.Safe, batch.Final = batch.Last, batch.Last
		var buf []byte
		for i := range batch.Events {
			buf, _ = table.Decode(&batch.Events[i], buf)
		}
		all, parent = append(all, &chain.Step{Stream: stream, Apply: batch}), batch.Last
	}
	return all, nil
}

// readBack reads all steps, 4 MiB at a time.
func readBack(ctx context.Context, j *reorg.Journal, r *report.Result) error {
	stat, err := j.Stat(stream.Name)
	if err != nil {
		return err
	}
	events, watch := 0, newWatch()
	for after := chain.Seq(0); after < stat.Head; {
		steps, err := j.Next(ctx, stream.Name, after, 4<<20)
		if err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		for i := range steps {
			after = steps[i].Seq
			if steps[i].Apply != nil {
				events += len(steps[i].Apply.Events)
			}
		}
	}
	m := watch.measure(r.Logs)
	if uint64(events) != r.Logs {
		return fmt.Errorf("%d events were read of %d", events, r.Logs)
	}
	r.Figures = append(r.Figures,
		report.Figure{Name: "read back", Value: m.rate, Unit: "logs/s"},
		report.Figure{Name: "read back, CPU-s per million logs", Value: m.cpu},
		report.Figure{Name: "bytes a log", Value: float64(stat.Bytes) / float64(r.Logs), Unit: "B"})
	return nil
}
