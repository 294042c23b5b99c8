package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func run() *Run {
	return &Run{
		Began: time.Date(2026, 11, 21, 14, 5, 0, 0, time.UTC), Took: time.Minute, Command: "superindex bench <all>",
		Machine: Machine{Cores: 2, CPU: "a & b", Memory: 8 << 30, System: "linux/amd64", Load: 1.5}, Versions: []Figure{{Name: "Go", Text: "go1.26"}},
		Results: []Result{
			{
				Scenario: "backfill-both", About: "a backfill", Set: "seed 1", Took: 4 * time.Second, Logs: 1_000_000, Rate: 250_000, Requests: 125,
				Daemon: &Usage{CPU: 3.5, Peak: 200 << 20}, Engine: &Usage{CPU: 1.25, Peak: 400 << 20},
				Stages:  []Figure{{Name: "parse", Value: 1.5, Unit: "s"}, {Name: "sink", Value: 2, Unit: "s"}},
				Figures: []Figure{{Name: "reading the bytes", Value: 2_000_000, Unit: "logs/s", Limit: true}},
				Ratios:  []Ratio{{What: "rate / reading", Value: 0.125, Want: 0.15}, {What: "wall / sum", Value: 1.2, Want: 1.5, Most: true}},
				Proof:   &Proof{Want: 1_000_000, Got: 1_000_000, WantDigest: 7, GotDigest: 7, Decoded: 0.95},
			},
			{
				Scenario: "heads", About: "heads", Took: time.Minute, Logs: 1000, Rate: 17, Daemon: &Usage{}, Engine: &Usage{},
				Latency: []Latency{{What: "the row in the view", Count: 10, P50: 30 * time.Millisecond, P99: 90 * time.Millisecond, Max: time.Second}},
				Proof:   &Proof{Want: 3, Got: 3, WantDigest: 1, GotDigest: 2},
			},
			{Scenario: "start-up", About: "a start", Fault: "no\ndirectory"},
		},
	}
}

func TestMarkdownSaysIt(t *testing.T) {
	text := Markdown(run())
	for _, want := range []string{
		"2 cores, a & b, 8 GiB", "| backfill-both | 1,000,000 | 4.00 | 250,000 | 3.5 | 1.2 | 200 | 400 | 125 | by digest, 95 % decoded |",
		"| backfill-both | rate / reading | 0.12 | at least 0.15 | does not hold |", "| backfill-both | wall / sum | 1.20 | at most 1.50 | holds |",
		"| heads | the row in the view | 10 | 30ms | 90ms | 1s |", "| NO |", "FAULT: no directory", "| backfill-both | 1.5 | 2.0 |",
		"digest 0000000000000007",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// A page is XML here, so that a parser can say whether it is whole.
func TestThePageIsWholeAndNeedsNothing(t *testing.T) {
	text, err := HTML(run())
	if err != nil {
		t.Fatal(err)
	}
	rects := 0
	d := xml.NewDecoder(strings.NewReader(strings.Replace(text, `<meta charset="utf-8">`, "", 1)))
	d.Strict, d.Entity = true, xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			rects++
		}
	}
	if rects < 7 { // a rate, a limit of two pieces, two CPUs, two stages, two quantiles
		t.Errorf("%d bars", rects)
	}
	if bad := regexp.MustCompile(`ZgotmplZ|<script|https?:`).FindString(text); bad != "" {
		t.Errorf("the page has %q", bad)
	}
}

func TestBenchstatLines(t *testing.T) {
	text := Benchstat(run())
	want := "BenchmarkBackfillBoth-2 1000000 4000.0 ns/op 250000 logs/s 3.500 daemon-CPU-s/Mlog 209715200 daemon-peak-B 1.250 clickhouse-CPU-s/Mlog"
	if !strings.Contains(text, want) || strings.Contains(text, "StartUp") {
		t.Errorf("got %s", text)
	}
	line := regexp.MustCompile(`^Benchmark\S+ \d+( [-\d.]+ \S+)+$`)
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "Benchmark") && !line.MatchString(strings.TrimSpace(l)) {
			t.Errorf("benchstat cannot read %q", l)
		}
	}
}

func TestProofs(t *testing.T) {
	for want, p := range map[bool][]Proof{
		true:  {{Want: 1, Got: 1, WantDigest: 5, GotDigest: 5}, {Want: 1, Got: 1, WantDigest: 5, Counted: true}},
		false: {{Want: 1, Got: 2, WantDigest: 5, GotDigest: 5}, {Want: 1, Got: 1, WantDigest: 5}, {Want: 1, Counted: true}},
	} {
		for _, one := range p {
			if one.Holds() != want {
				t.Errorf("%+v: %v", one, one.Holds())
			}
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	paths, err := Write(dir, run())
	if err != nil || len(paths) != 3 || !strings.HasSuffix(paths[0], "2026-11-21-1405.md") {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Error(path, err)
		}
	}
	if _, err := Write(dir+"/none", run()); err == nil {
		t.Error("written into no folder")
	}
}

// The rate is one lap's, and each ratio the middle one of all laps.
func TestTheMiddleOfLaps(t *testing.T) {
	lap := func(rate, ratio float64) Result {
		return Result{Rate: rate, Ratios: []Ratio{{What: "rate / reading", Value: ratio, Want: 0.25}}, Proof: &Proof{}}
	}
	laps := []Result{lap(900, 0.25), lap(600, 0.27), lap(700, 0.21)}
	got := Middle(laps)
	if got.Rate != 700 || got.Ratios[0].Value != 0.25 || !got.Ratios[0].Holds() {
		t.Errorf("%+v", got)
	}
	if text := Line(got); !strings.Contains(text, "rate / reading: 0.25 [0.25 0.27 0.21]") {
		t.Error(text)
	}
	if laps[2].Ratios[0].Value != 0.21 {
		t.Error("a lap itself has changed")
	}
	one := Middle(laps[:1])
	if text := Line(one); !strings.Contains(text, "rate / reading: 0.25 (at least") {
		t.Error(text)
	}
}

func TestALapThatFailedIsTheResult(t *testing.T) {
	good := Result{Rate: 3, Ratios: []Ratio{{What: "x", Value: 1}}}
	for _, bad := range []Result{{Rate: 2, Fault: "gone"}, {Rate: 2, Proof: &Proof{Want: 2, Got: 1}}} {
		if got := Middle([]Result{good, bad, good}); got.Rate != 2 {
			t.Errorf("%+v", got)
		}
	}
	// A limit that could not be measured is a lap less.
	if got := Middle([]Result{good, {Rate: 5}, {Rate: 1, Ratios: []Ratio{{What: "x", Value: 3}}}}); got.Rate != 3 || len(got.Ratios[0].Laps) != 2 {
		t.Errorf("%+v", got)
	}
}
