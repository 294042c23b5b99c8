package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"superindex/benchmarks/report"
)

// ticks is the unit in which Linux counts a process's time: 1/100 s on every
// architecture that Go runs on.
const ticks = 100

// usage is what a process has taken so far; nothing for what is no process.
func usage(pid int) (u report.Usage) {
	fields := stat(pid)
	if len(fields) > 12 {
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

// stat are the fields of /proc/PID/stat from the third on.
func stat(pid int) []string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(text), ") ")
	if !ok {
		return nil
	}
	return strings.Fields(rest)
}

// child is a process that pid started; 0 where there is none.
func child(pid int) int {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		id, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if fields := stat(id); len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(pid) {
			return id
		}
	}
	return 0
}

// forget makes the kernel measure a process's most memory anew, from now.
func forget(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // where it cannot, the peak is that of the whole life
}

// since is what was taken between two looks.
func since(before, after report.Usage) *report.Usage {
	return &report.Usage{CPU: after.CPU - before.CPU, Peak: after.Peak}
}

// machine describes this one.
func machine() report.Machine {
	m := report.Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH}
	text, _ := os.ReadFile("/proc/cpuinfo")
	m.CPU = member(text, "model name")
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib uint64
		if _, err := fmt.Sscan(member(text, "MemTotal"), &kib); err == nil {
			m.Memory = kib << 10
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", Linux " + string(bytes.TrimSpace(text))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(text), &m.Load) // 0 where it cannot be read
	}
	return m
}

// member is what follows "name :" in a text of such lines.
func member(text []byte, name string) string {
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
