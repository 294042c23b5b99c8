package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// Probe is what a server says of itself to somebody who changes nothing.
type Probe struct {
	Server    string // its version
	Positions map[string]chain.Seq
	Messages  uint64 // of the streams asked for, together
}

// Look connects to the server as a Sink would, and looks at these streams; those
// that are not there yet are no fault.
func Look(ctx context.Context, o Options, streams []chain.Stream) (p Probe, err error) {
	if err := o.Check(); err != nil {
		return p, err
	}
	if o.AckWait == 0 {
		o.AckWait = defaultAckWait
	}
	s, err := Open(ctx, o)
	if err != nil {
		return p, err
	}
	defer s.link.Close()
	p.Server, p.Positions = s.link.ConnectedServerVersion(), map[string]chain.Seq{}
	if _, err := s.js.AccountInfo(ctx); err != nil {
		return p, fmt.Errorf("jetstream: account: %w", s.explain(chain.Stream{}, err))
	}
	for _, of := range streams {
		if err := s.lookAt(ctx, of, &p); err != nil {
			return p, fmt.Errorf("jetstream: stream %s: %w", StreamName(of), s.explain(of, err))
		}
	}
	return p, nil
}

func (s *Sink) lookAt(ctx context.Context, of chain.Stream, p *Probe) error {
	stream, err := s.js.Stream(ctx, StreamName(of))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	p.Messages += info.State.Msgs
	if info.State.Msgs == 0 {
		return nil
	}
	last, err := reader{stream, subjectPrefix(of)}.last(ctx)
	p.Positions[of.Name] = last.seq
	return err
}
