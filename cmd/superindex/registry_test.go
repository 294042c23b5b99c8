package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindHelpsWithAMisspeltName: what is near is printed, and the command fails all the
// same.
func TestFindHelpsWithAMisspeltName(t *testing.T) {
	root := t.TempDir()
	listed := filepath.Join(root, "data", "projects", "v")
	if err := os.MkdirAll(listed, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(listed, "velodrome.yaml"), []byte("version: 7\nname: velodrome\ndisplay_name: Velodrome\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := file(t, fmt.Sprintf("data_dir: %q\nregistry: {oss_directory: %q}\n", t.TempDir(), root))
	for query, want := range map[string]string{"drome": "similar: velodrome\n", "velodorme": "similar: velodrome\n", "nothing": ""} {
		out, err := command(t, "--config", path, "registry", "find", query)
		if err == nil || !strings.Contains(err.Error(), "nothing is listed") || out != want {
			t.Errorf("%s: %v, %q", query, err, out)
		}
	}
	says(t, []string{"--config", path, "registry", "find", "velodrome"}, "Velodrome")
}
