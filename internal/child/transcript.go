package child

import (
	"encoding/json"
	"strings"
	"sync"
)

// Transcript is what a process says, line by line.
type Transcript struct {
	mu   sync.Mutex
	said []byte
}

// Write implements io.Writer.
func (t *Transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, p...)
	return len(p), nil
}

// String is all of it.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.said)
}

// Last are the last lines.
func (t *Transcript) Last(n int) string {
	all := strings.Split(strings.TrimSuffix(t.String(), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

// Entries are the lines that are JSON objects.
func (t *Transcript) Entries() (all []map[string]any) {
	for line := range strings.Lines(t.String()) {
		var e map[string]any
		if json.Unmarshal([]byte(line), &e) == nil && e != nil {
			all = append(all, e)
		}
	}
	return all
}
