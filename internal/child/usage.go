package child

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Usage is what a process has taken; nothing where there is no process, or no Linux.
type Usage struct {
	CPU  float64 // seconds
	Peak uint64  // bytes: most resident memory at once
}

// Usage is what the daemon and its ClickHouse have taken so far.
func (d *Daemon) Usage() (own, engine Usage) { return UsageOf(d.PID()), UsageOf(d.Engine()) }

// Forget makes both peaks count from now. Where the kernel refuses, they stay those
// of the whole life.
func (d *Daemon) Forget() {
	forget(d.PID())
	forget(d.Engine())
}

// Engine is the number of its ClickHouse's process; 0 while there is none.
func (d *Daemon) Engine() int {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if fields := stat(pid); len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(d.PID()) {
			return pid
		}
	}
	return 0
}

// ticks is the unit in which Linux counts a process's time: 1/100 s on every
// architecture that Go runs on.
const ticks = 100

// UsageOf is what a process has taken so far.
func UsageOf(pid int) (u Usage) {
	if fields := stat(pid); len(fields) > 12 {
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		u.CPU = float64(user+system) / ticks
	}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if _, rest, ok := strings.Cut(string(text), "VmHWM:"); ok {
		var kib uint64
		if _, err := fmt.Sscan(rest, &kib); err == nil {
			u.Peak = kib << 10
		}
	}
	return u
}

// stat are the fields of /proc/PID/stat from the third on: state, parent, ...
func stat(pid int) []string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(text), ") ")
	if !ok {
		return nil
	}
	return strings.Fields(rest)
}

func forget(pid int) { _ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) }
