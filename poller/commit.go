package poller

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"superindex/chain"
)

// put commits steps, which are a result's, and with the last of them the resources
// after them and what they cover. The payloads go first: without the steps they are
// nothing but answers that nobody read.
func (p *Poller) put(ctx context.Context, steps []*chain.Rows, result *Result, after []Resource) error {
	if len(after) == 0 {
		return nil // nothing was asked for
	}
	notes, err := notesOf(p.feed.Name(), after)
	if err != nil {
		return err
	}
	if err := p.payloads.put(p.feed.Name(), time.Now(), result.Payloads); err != nil {
		return err
	}
	p.commit.Lock() // so that a later note says more than an earlier one
	defer p.commit.Unlock()
	if err := p.cover(result.Coverage, notes); err != nil {
		return err
	}
	switch {
	case len(steps) == 0:
		err = p.journal.Keep(ctx, notes)
	case len(steps) == 1:
		err = p.journal.Append(ctx, steps[0], notes)
	default:
		err = p.parts(ctx, steps, partName(p.feed.Name(), after[0].ID), notes)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range after {
		p.all[r.ID] = &r
	}
	return nil
}

// parts commits an answer that is more than one step holds. Only the last step moves
// cursors; so that those before it do not come twice where a process ends in between,
// a note says how many of this very answer there are.
func (p *Poller) parts(ctx context.Context, steps []*chain.Rows, name string, notes map[string][]byte) error {
	digest, last := digestOf(steps), len(steps)-1
	done, err := readPart(ctx, p.journal, name)
	if err != nil {
		return err
	}
	if done.Digest != digest {
		done.Steps = 0
	}
	for i := done.Steps; i < last; i++ {
		text, err := json.Marshal(part{digest, i + 1})
		if err != nil {
			return fmt.Errorf("keep a part of an answer: %w", err)
		}
		if err := p.journal.Append(ctx, steps[i], map[string][]byte{name: text}); err != nil {
			return err
		}
	}
	notes[name] = nil
	return p.journal.Append(ctx, steps[last], notes)
}

// failed keeps why an ask came to nothing, and when its resources are due again.
func (p *Poller) failed(ctx context.Context, ask Ask, missing []Coverage, cause error) error {
	now, after := time.Now(), make([]Resource, 0, len(ask.Of))
	for _, r := range ask.Of {
		r.Tries++
		r.Fault = cause.Error()
		after = append(after, r)
	}
	pause := failMost
	for _, r := range after { // those that are asked for together stay together
		pause = min(pause, backoff(r.Tries, failFirst, failMost))
	}
	for i := range after {
		after[i].Due = now.Add(pause)
	}
	p.opts.Log.Warn("an ask failed", "kind", ask.Kind, "of", len(ask.Of), "first", ask.Of[0].ID, "error", cause, "again_in", pause.Round(time.Second))
	result := &Result{Coverage: missing}
	steps, err := stepsOf(p.feed.Name(), result)
	if err != nil {
		return fmt.Errorf("%s: %w", p.feed.Name(), err)
	}
	return p.put(ctx, steps, result, after)
}

// pause rests the feed; how often in a row counts where the source does not say
// for how long.
func (p *Poller) pause(ctx context.Context, asked time.Duration, cause error) error {
	p.mu.Lock()
	r := rest{Reason: cause.Error(), Times: p.rest.Times + 1}
	wait := max(asked, time.Second)
	if asked <= 0 {
		wait = backoff(r.Times, restFirst, restMost)
	}
	r.Until = time.Now().Add(wait)
	if p.rest.Until.After(r.Until) {
		r = p.rest // another ask was told to wait longer
	}
	p.rest = r
	p.mu.Unlock()
	p.opts.Log.Warn("the feed rests", "error", cause, "until", r.Until)
	return p.keepRest(ctx, r)
}

func (p *Poller) keepRest(ctx context.Context, r rest) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep the rest of %s: %w", p.feed.Name(), err)
	}
	return p.journal.Keep(ctx, map[string][]byte{restName(p.feed.Name()): text})
}
