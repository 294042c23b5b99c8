package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// late checks that each thread of the daemon may be woken a millisecond late: those too
// that Go's runtime made before main began. To ask takes a capability.
func (d *daemon) late() {
	d.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", d.PID()))
	if err != nil {
		d.Fatal(err)
	}
	asked := 0
	for _, thread := range threads {
		slack, err := os.ReadFile(filepath.Join("/proc", filepath.Base(thread), "timerslack_ns"))
		if err != nil { // it has ended, or we may not
			continue
		}
		asked++
		if got := strings.TrimSpace(string(slack)); got != "1000000" {
			d.Errorf("thread %s has %s ns of slack", filepath.Base(thread), got)
		}
	}
	if asked == 0 {
		d.Log("nobody may ask for the slack of threads here: it is not checked")
	}
}
