package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDemo: three chains, every row beside its project, all equal at the end; and a
// folder whose chains are gone is not taken for new.
func TestDemo(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	if err := demo(t.Context(), &screen{out: &out}, time.Minute, dir); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		" block ", "demo", "the last reorgs", "status page: http://127.0.0.1:",
		"chain = warehouse = folded stream on 3 networks", "superindex status --watch",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q was not shown:\n%s", want, out.String())
		}
	}
	for _, p := range demoPlan {
		if !strings.Contains(out.String(), "\n"+strings.Repeat(" ", 2+len("network")-len(p.name))+p.name+"  ") {
			t.Errorf("network %s was not shown", p.name)
		}
	}
	if strings.Contains(out.String(), "\nfeed ") {
		t.Error("a feed asked its source")
	}
	log, err := os.ReadFile(filepath.Join(dir, "superindex.log"))
	if err != nil || strings.Contains(string(log), "level=ERROR") {
		t.Errorf("%v, the log:\n%s", err, log)
	}
	if err := demo(t.Context(), &screen{out: &out}, time.Second, dir); err == nil || !strings.Contains(err.Error(), "earlier demo") {
		t.Errorf("a second demo in the folder: %v", err)
	}
}
