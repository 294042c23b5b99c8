package harness

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"

	"superindex/benchmarks/report"
)

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
