package indexer

import (
	"context"
	"encoding/binary"
	"time"
)

// Nothing has moved for patienceLeast, or for patienceBlocks block times where that
// is longer: then it is stalled.
const (
	patienceLeast  = time.Minute
	patienceBlocks = 10
)

func (n *NetworkStatus) patience() time.Duration {
	return max(patienceLeast, patienceBlocks*n.blockTime)
}

// stalledBegin is the stage of a stream that has no step yet: a sink could not be
// asked what it holds, or no endpoint for the heads.
const stalledBegin = "begin"

// guard looks every second at what the parts of every stream took down, until ctx
// ends. It does none of their work and waits for none of it, so that it can tell
// when they hang.
func (e Engine) guard(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for _, w := range e.Status.watchers() {
			w.look(time.Now())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// work is the stages where some waits, and where each of them stands. A writer waits
// for what the endpoint has, at least for the next look at its heads; or, held, for
// the journal to take what it has.
func (n *NetworkStatus) work(held bool) map[string][2]uint64 {
	all := map[string][2]uint64{}
	block := binary.BigEndian.Uint64(n.Indexed.Hash[:8])
	switch {
	case n.Seq == 0:
		all[stalledBegin] = [2]uint64{}
	case held:
		all[ToJournal.String()] = [2]uint64{uint64(n.Seq)}
	case n.ChainID == 0:
	case n.Latest.Number > n.Indexed.Number:
		all[WaitRPC.String()] = [2]uint64{block}
	default:
		all[WaitRPC.String()] = [2]uint64{block, uint64(n.HeadSeen.UnixNano())}
	}
	for _, s := range n.Sinks {
		if s.Lag > 0 {
			all[s.Name] = [2]uint64{uint64(s.Seq)}
		}
	}
	return all
}

// stallStages are the stages that can stall.
func (n *NetworkStatus) stallStages() []string {
	all := []string{stalledBegin, ToJournal.String()}
	if n.ChainID != 0 {
		all = append(all, WaitRPC.String())
	}
	for _, s := range n.Sinks {
		all = append(all, s.Name)
	}
	return all
}
