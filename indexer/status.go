package indexer

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"superindex/chain"
	"superindex/reorg"
)

// Status is what the engine knows of itself: the source of /api/status, of the
// metrics and of the terminal. It is safe for concurrent use.
type Status struct {
	meters meters

	mu       sync.Mutex
	networks map[string]*watcher
	stages   map[string]*Stages
}

// NewStatus knows of no network yet.
func NewStatus() *Status {
	return &Status{meters: newMeters(), networks: map[string]*watcher{}, stages: map[string]*Stages{}}
}

// NetworkStatus is one stream at one instant: a network, or Feeds, which has no
// chain id and no heads.
type NetworkStatus struct {
	Network string         `json:"network"`
	ChainID uint64         `json:"chain_id"`
	Latest  chain.BlockRef `json:"latest,omitzero"` // the node's three heads; zero while unknown
	Safe    chain.BlockRef `json:"safe,omitzero"`
	Final   chain.BlockRef `json:"finalized,omitzero"`
	Assumed bool           `json:"assumed,omitempty"` // finalized is no node's word: Heads.Assumed
	Indexed chain.BlockRef `json:"indexed,omitzero"`  // the last block in the journal
	// LatestTime and IndexedTime are when those blocks were made, HeadSeen is when the
	// node last answered; zero while unknown.
	LatestTime  time.Time `json:"latest_time,omitzero"`
	IndexedTime time.Time `json:"indexed_time,omitzero"`
	HeadSeen    time.Time `json:"head_seen,omitzero"`

	Seq       chain.Seq    `json:"seq"`   // the last step
	Steps     uint64       `json:"steps"` // this and what follows: since the start
	Blocks    uint64       `json:"blocks"`
	Events    uint64       `json:"events"`
	Reorgs    uint64       `json:"reorgs"`
	LastReorg chain.Revert `json:"-"`

	Faults  map[string]string `json:"faults,omitempty"`  // what stands in the way now, by part ("writer", "fill", a sink's name)
	Stalled []string          `json:"stalled,omitempty"` // the stages where work waits and nothing moves
	Sinks   []SinkStatus      `json:"sinks"`
	Recent  []chain.Event     `json:"-"` // the last decoded events, newest last
	Progress

	spent     [stages]time.Duration
	blockTime time.Duration // as the heads show it; 0 while unknown
}

// SinkStatus is one stream in one sink.
type SinkStatus struct {
	Name    string        `json:"name"`
	Seq     chain.Seq     `json:"seq"` // the last step that it holds
	Lag     uint64        `json:"lag_steps"`
	Writes  uint64        `json:"writes"` // since the start
	Failed  uint64        `json:"failed"`
	Seconds float64       `json:"seconds"` // spent writing
	Took    time.Duration `json:"last_write_ns"`

	since time.Time     // when the write that is under way began, or went on; zero if none does
	took  time.Duration // what it took before it rested
}

// NetworkReport is a stream's status with what the journal says of it.
type NetworkReport struct {
	NetworkStatus
	State        State  `json:"state"`
	JournalHead  uint64 `json:"journal_head"` // Seq
	JournalBytes uint64 `json:"journal_bytes"`
	JournalQuota uint64 `json:"journal_quota_bytes"`
	Window       int    `json:"window_blocks"` // held above finalized
	Owed         int    `json:"owed"`          // groups of addresses whose history is being filled
}

// Snapshot is every stream, by name.
func (s *Status) Snapshot() []NetworkStatus {
	var all []NetworkStatus
	for _, w := range s.watchers() {
		all = append(all, w.snapshot())
	}
	return all
}

// Report is every stream, by name, and how it stands now.
func (s *Status) Report(journal *reorg.Journal) []NetworkReport {
	var all []NetworkReport
	for _, n := range s.Snapshot() {
		r := NetworkReport{NetworkStatus: n}
		st, err := journal.Stat(n.Network)
		switch {
		case err == nil:
			r.JournalHead, r.JournalBytes, r.JournalQuota = uint64(st.Head), st.Bytes, st.Quota
			r.Window, r.Owed = st.Window, len(st.Owed)
			if st.Bytes > st.Quota {
				r.Faults["journal"] = "at its quota: fetching waits for the slowest sink"
			}
		case !errors.Is(err, reorg.ErrUnknown):
			r.Faults["journal"] = err.Error()
		}
		r.State = r.judge(time.Now())
		all = append(all, r)
	}
	return all
}

// Keep forgets every stream but these, and what no block carries.
func (s *Status) Keep(networks []Network) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.networks, func(name string, _ *watcher) bool {
		return name != Feeds.Name && !slices.ContainsFunc(networks, func(n Network) bool { return n.Name == name })
	})
}

func (s *Status) watchers() []*watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*watcher
	for _, name := range slices.Sorted(maps.Keys(s.networks)) {
		all = append(all, s.networks[name])
	}
	return all
}

// Stages is where the time of a network is to be counted.
func (s *Status) Stages(network string) *Stages {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stagesOf(network)
}

func (s *Status) stagesOf(network string) *Stages {
	if s.stages[network] == nil {
		s.stages[network] = new(Stages)
	}
	return s.stages[network]
}

func (s *Status) network(stream chain.Stream) *watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.networks[stream.Name]
	if w == nil {
		w = &watcher{
			stages: s.stagesOf(stream.Name), meters: s.meters,
			now:   NetworkStatus{Network: stream.Name, ChainID: stream.ChainID},
			sinks: map[string]*SinkStatus{}, faults: map[string]string{}, marks: map[string]mark{},
		}
		s.networks[stream.Name] = w
	}
	return w
}
