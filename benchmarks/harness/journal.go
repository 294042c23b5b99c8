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
	r := report.Result{Logs: uint64(b.rounds()) * a.logs, Set: "steps of 5,000 events, one after the other"}
	watch := newWatch()
	for i := range b.rounds() {
		if err := write(ctx, j, copied(i), steps); err != nil {
			return nil, err
		}
	}
	watch.measure(r.Logs).fill(&r)
	err = readBack(ctx, j, &r)
	return []report.Result{r}, err
}

// stream is what the backfills write, and what the parts that are measured alone do.
var stream = chain.Stream{Name: "load10", ChainID: 10}

// copied is the stream that takes the steps in the i-th round.
func copied(i int) chain.Stream {
	return chain.Stream{Name: fmt.Sprintf("copy%d", i), ChainID: stream.ChainID + uint64(i)}
}

// write begins a stream and appends the steps to it.
func write(ctx context.Context, j *reorg.Journal, to chain.Stream, steps []*chain.Step) error {
	if _, err := j.Begin(ctx, reorg.Beginning{Stream: to, Start: 1, Whole: true}); err != nil {
		return err
	}
	for _, step := range steps {
		step.Stream = to
		if _, err := j.Append(ctx, step); err != nil {
			return fmt.Errorf("append: %w", err)
		}
	}
	return nil
}

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

// readBack reads all steps.
func readBack(ctx context.Context, j *reorg.Journal, r *report.Result) error {
	var events, size uint64
	watch := newWatch()
	for _, name := range j.Streams() {
		n, err := play(ctx, j, name)
		if err != nil {
			return err
		}
		stat, err := j.Stat(name)
		if err != nil {
			return err
		}
		events, size = events+n, size+stat.Bytes
	}
	m := watch.measure(r.Logs)
	if events != r.Logs {
		return fmt.Errorf("%d events were read of %d", events, r.Logs)
	}
	r.Figures = append(r.Figures,
		report.Figure{Name: "read back", Value: m.rate, Unit: "logs/s"},
		report.Figure{Name: "read back, CPU-s per million logs", Value: m.cpu},
		report.Figure{Name: "bytes a log", Value: float64(size) / float64(r.Logs), Unit: "B"})
	return nil
}

// play reads a stream as a relay does, 4 MiB at a time, and counts its events.
func play(ctx context.Context, j *reorg.Journal, name string) (events uint64, err error) {
	stat, err := j.Stat(name)
	if err != nil {
		return 0, err
	}
	for after := chain.Seq(0); after < stat.Head; {
		steps, err := j.Next(ctx, name, after, 4<<20)
		if err != nil {
			return 0, fmt.Errorf("read the journal: %w", err)
		}
		for i := range steps {
			after = steps[i].Seq
			if steps[i].Apply != nil {
				events += uint64(len(steps[i].Apply.Events))
			}
		}
	}
	return events, nil
}
