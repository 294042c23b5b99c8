package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"

	"superindex/chain"
)

// Daemon is a `superindex run` that was started.
type Daemon struct {
	*Process

	Said *Transcript // its log, JSON on stdout and stderr
}

// StartDaemon starts the binary with a config file, and these variables beside the
// caller's own. It returns at once.
func StartDaemon(binary, config string, env ...string) (*Daemon, error) {
	d := &Daemon{Said: &Transcript{}}
	cmd := exec.Command(binary, "--config", config, "run")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = d.Said, d.Said
	var err error
	if d.Process, err = Start(cmd); err != nil {
		return nil, fmt.Errorf("start the daemon: %w", err)
	}
	return d, nil
}

// ErrNotUp is temporary: the daemon has only just been started.
var ErrNotUp = errors.New("the daemon does not serve HTTP yet")

// URL is where it serves HTTP, as its log says.
func (d *Daemon) URL() (string, error) {
	for _, e := range d.Said.Entries() {
		if e["msg"] == "http" {
			return fmt.Sprint("http://", e["address"]), nil
		}
	}
	return "", ErrNotUp
}

// Get reads a page.
func (d *Daemon) Get(ctx context.Context, path string) ([]byte, error) {
	url, err := d.URL()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the daemon for %s: %s", path, resp.Status)
	}
	return body, nil
}

// State is what is read of a network in /api/status.
type State struct {
	Network string         `json:"network"`
	Indexed chain.BlockRef `json:"indexed"`
	Latest  chain.BlockRef `json:"latest"`
	Final   chain.BlockRef `json:"finalized"`
	Head    uint64         `json:"journal_head"` // Seq
	Events  uint64         `json:"events"`       // since the start
	Reorgs  uint64         `json:"reorgs"`
	Sinks   []struct {
		Name string `json:"name"`
		Seq  uint64 `json:"seq"`
	} `json:"sinks"`
	Faults map[string]string `json:"faults"`
}

// Held says that so many sinks have all that the journal has.
func (s *State) Held(sinks int) bool {
	for _, sink := range s.Sinks {
		if sink.Seq < s.Head {
			return false
		}
	}
	return len(s.Sinks) == sinks && s.Head > 0
}

// Behind is how many steps each sink lacks.
func (s *State) Behind() map[string]uint64 {
	all := map[string]uint64{}
	for _, sink := range s.Sinks {
		all[sink.Name] = s.Head - sink.Seq
	}
	return all
}

// States are the networks' states, by name.
func (d *Daemon) States(ctx context.Context) (map[string]State, error) {
	text, err := d.Get(ctx, "/api/status")
	if err != nil {
		return nil, err
	}
	var r struct {
		Networks []State `json:"networks"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read the daemon's status: %w", err)
	}
	all := map[string]State{}
	for _, s := range r.Networks {
		all[s.Network] = s
	}
	return all, nil
}
