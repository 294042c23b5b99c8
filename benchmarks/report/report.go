package report

import "time"

// Run is one run of the harness.
type Run struct {
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Command  string        `json:"command"`
	Machine  Machine       `json:"machine"`
	Versions []Figure      `json:"versions"` // of the program and of what it embeds, as Text
	Results  []Result      `json:"results"`
}

// Machine is where it ran.
type Machine struct {
	Cores  int     `json:"cores"`
	CPU    string  `json:"cpu"`
	Memory uint64  `json:"memory_bytes"`
	System string  `json:"system"`
	Load   float64 `json:"load"` // the load average when it began: what else ran
}

// Result is what one scenario showed. What does not apply stays zero.
type Result struct {
	Scenario string        `json:"scenario"`
	About    string        `json:"about"`
	Fault    string        `json:"fault,omitempty"` // why there is no result, or why it does not count
	Set      string        `json:"data_set,omitempty"`
	Took     time.Duration `json:"took_ns"`
	Logs     uint64        `json:"logs"`
	Rate     float64       `json:"logs_per_second"`
	Requests uint64        `json:"requests,omitempty"` // that the node was sent

	Daemon  *Usage    `json:"daemon,omitempty"`
	Engine  *Usage    `json:"engine,omitempty"` // the ClickHouse that the daemon runs
	Latency []Latency `json:"latency,omitempty"`
	Stages  []Figure  `json:"stages,omitempty"`  // seconds; what runs side by side counts side by side
	Figures []Figure  `json:"figures,omitempty"` // whatever else was measured
	Ratios  []Ratio   `json:"ratios,omitempty"`  // against limits measured in the same run
	Proof   *Proof    `json:"proof,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
}

// Usage is what a process took.
type Usage struct {
	CPU  float64 `json:"cpu_seconds"`
	Peak uint64  `json:"peak_bytes"` // most resident memory at once
}

// PerMillion is CPU seconds per million logs.
func (u *Usage) PerMillion(logs uint64) float64 {
	if u == nil || logs == 0 {
		return 0
	}
	return u.CPU / float64(logs) * 1e6
}

// Latency is how long something took, over many times.
type Latency struct {
	What  string        `json:"what"`
	Count int           `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Figure is a number with its name, or a text.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value,omitempty"`
	Unit  string  `json:"unit,omitempty"`
	Text  string  `json:"text,omitempty"`
	Limit bool    `json:"limit,omitempty"` // of a part alone, not of superindex
}

// Ratio compares what was measured with a limit, and with what is wanted.
type Ratio struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Want  float64 `json:"want,omitempty"` // 0: nothing is
	Most  bool    `json:"most,omitempty"` // Want is an upper bound

	Laps []float64 `json:"laps,omitempty"` // what it was in each lap, in their order, where there are several: Value is the middle one
}

// Holds reports whether the ratio is as wanted; true where nothing is.
func (r Ratio) Holds() bool {
	if r.Most {
		return r.Value <= r.Want
	}
	return r.Value >= r.Want
}

// Proof is that nothing is missing and nothing is there twice.
type Proof struct {
	Want       uint64  `json:"want_logs"`
	WantDigest uint64  `json:"want_digest"`
	Got        uint64  `json:"got_logs"`
	GotDigest  uint64  `json:"got_digest"`
	Counted    bool    `json:"counted,omitempty"` // by number only: there is nothing to digest
	Decoded    float64 `json:"decoded"`           // share of the rows whose arguments are known
}

// Holds reports whether what is there is what should be.
func (p *Proof) Holds() bool { return p.Want == p.Got && (p.Counted || p.WantDigest == p.GotDigest) }
