package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// tool runs a command that must end well; the test is skipped where it is not
// installed.
func tool(t *testing.T, name string, arguments ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip("not checked: ", err)
	}
	out, err := exec.CommandContext(t.Context(), name, arguments...).CombinedOutput()
	t.Logf("%s %v\n%s", name, arguments, out)
	if err != nil {
		t.Error(err)
	}
}

func TestSystemdTakesTheUnit(t *testing.T) {
	unit := string(read(t, "systemd/superindex.service"))
	start := regexp.MustCompile(`(?m)^ExecStart=\S+`)
	if !start.MatchString(unit) {
		t.Fatal("no ExecStart")
	}
	here := filepath.Join(t.TempDir(), "superindex.service")
	unit = start.ReplaceAllString(unit, "ExecStart=/bin/true") // superindex need not be installed here
	if err := os.WriteFile(here, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "systemd-analyze", "verify", here)
}

// The library is the one of `docker compose config`.
func TestComposeTakesItsFile(t *testing.T) {
	details := types.ConfigDetails{
		WorkingDir:  ".",
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml"}},
		Environment: types.Mapping{"CLICKHOUSE_PASSWORD": "a", "NATS_PASSWORD": "b"},
	}
	project, err := loader.LoadWithContext(t.Context(), details, func(o *loader.Options) { o.SetProjectName("superindex", true) })
	if err != nil {
		t.Fatal(err)
	}
	if names := project.ServiceNames(); !slices.Equal(names, []string{"clickhouse", "nats", "prometheus", "superindex"}) {
		t.Errorf("its services are %v", names)
	}
	if s := project.Services["superindex"]; s.ReadOnly && !slices.Contains(s.Tmpfs, "/tmp") {
		t.Errorf("its root is read-only and %v alone can be written: the registry is cloned in /tmp", s.Tmpfs)
	}
	details.Environment = nil
	if _, err := loader.LoadWithContext(t.Context(), details); err == nil || !strings.Contains(err.Error(), "set a password") {
		t.Errorf("without passwords: %v", err)
	}
}

// What compose.yaml and the Dockerfile name of the repository is there.
func TestNamedFilesAreThere(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Build   struct{ Context, Dockerfile string }
			Volumes []string
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal(read(t, "compose.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	wanted := []string{filepath.Join(file.Services["superindex"].Build.Context, file.Services["superindex"].Build.Dockerfile)}
	for name, s := range file.Services {
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, ".") {
				wanted = append(wanted, from)
			} else if _, declared := file.Volumes[from]; !declared {
				t.Errorf("%s: volume %s is not declared", name, from)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-.].*) \S+$`).FindAllStringSubmatch(string(read(t, "Dockerfile")), -1) {
		for path := range strings.FieldsSeq(m[1]) {
			wanted = append(wanted, filepath.Join("..", path))
		}
	}
	for _, path := range wanted {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if len(wanted) < 5 {
		t.Errorf("only %v are named", wanted)
	}
}

func TestPrometheusTakesItsFiles(t *testing.T) {
	tool(t, "promtool", "check", "config", "prometheus/prometheus.yml")
	tool(t, "promtool", "test", "rules", "prometheus/rules_test.yml")
}

// rules are the expressions of the alerts, by their names.
func rules(t *testing.T) map[string]string {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(read(t, "prometheus/rules.yml"), &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			all[r.Alert] = r.Expr
		}
	}
	return all
}

// panels are the expressions of the dashboard, by the titles of their panels.
func panels(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, "grafana/superindex.json"), &board); err != nil {
		t.Fatal(err)
	}
	all, ids := map[string]string{}, map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || len(p.Targets) == 0 {
			t.Errorf("panel %q: its id %d is another's, or it shows nothing", p.Title, p.ID)
		}
		ids[p.ID] = true
		for i, target := range p.Targets {
			all[fmt.Sprint(p.Title, " ", i)] = target.Expr
		}
	}
	return all
}

// The dashboard's expressions are PromQL: as rules, promtool takes them.
func TestPrometheusTakesTheDashboard(t *testing.T) {
	type rule struct {
		Record, Expr string
	}
	var all []rule
	variables := strings.NewReplacer("$network", "base", "$__rate_interval", "5m")
	for _, expr := range panels(t) {
		all = append(all, rule{"superindex:panel", variables.Replace(expr)})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "panels", "rules": all}}})
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(here, text, 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "promtool", "check", "rules", "--lint=none", here)
}

var (
	metricForm = regexp.MustCompile(`(superindex_[a-z_]+)(?:\{([^}]*)\})?`)
	labelForm  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

// Every metric that rules and dashboard name is in the table of docs/status.md, which
// a test compares with a scrape, with the labels that they ask for.
func TestMetricsAreThoseOfTheDaemon(t *testing.T) {
	known := documented(t)
	all := rules(t)
	for title, expr := range panels(t) {
		all[title] = expr
	}
	found := 0
	for where, expr := range all {
		for _, m := range metricForm.FindAllStringSubmatch(expr, -1) {
			found++
			name := m[1]
			if _, ok := known[name]; !ok {
				name = strings.TrimSuffix(name, "_bucket")
			}
			labels, ok := known[name]
			if !ok {
				t.Errorf("%s: the daemon has no metric %s", where, m[1])
			}
			for _, l := range labelForm.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(labels, l[1]) {
					t.Errorf("%s: %s has no label %s", where, name, l[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d metrics are named", found)
	}
}

// documented are the metrics of docs/status.md with their labels.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	known := map[string][]string{}
	for line := range strings.Lines(string(read(t, "../docs/status.md"))) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, name := range regexp.MustCompile("`(superindex_[a-z_]+)`").FindAllStringSubmatch(cells[1], -1) {
			known[name[1]] = strings.Split(strings.TrimSpace(cells[2]), ", ")
		}
	}
	if len(known) < 10 {
		t.Fatalf("docs/status.md names only %d metrics", len(known))
	}
	return known
}
