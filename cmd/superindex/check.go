package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"superindex/chain"
	"superindex/registry"
	"superindex/reorg"
)

func newCheck() *cobra.Command {
	var dry, asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "The config, every endpoint and every sink: one line each, with what mends what is red",
		Long: "The config, every endpoint and every sink: one line each, with what mends what is red. It changes nothing,\n" +
			"neither there nor here, but for the registry's last good snapshot. It ends with exit code 1 if something is red.\n" +
			"With --dry-run it also says what `superindex run` would do: the blocks of each network and what they would\n" +
			"cost, from a few hundred of them that are read as a sample.",
		Example: "  superindex check\n  superindex check --config staging.yaml --dry-run\n  superindex check --json | jq '.findings[] | select(.ok | not)'",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			e := examination{config: c, dry: dry, log: slog.New(slog.DiscardHandler)}
			if err := e.examine(cmd.Context()); err != nil {
				return err
			}
			return errors.Join(e.print(cmd.OutOrStdout(), asJSON), e.verdict())
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say too what would be done and what it would cost")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// examination is a check under way, and what it found.
type examination struct {
	config config
	dry    bool
	log    *slog.Logger

	answered bool // a superindex answers at http.listen
	held     bool // one holds the data folder
	running  bool // both: it is the daemon of this config
	networks []chosen
	snapshot *registry.Snapshot

	Findings []finding `json:"findings"`
	Registry *counts   `json:"registry,omitempty"`
	Plan     []plan    `json:"plan,omitempty"`
}

// finding is a line.
type finding struct {
	OK     bool   `json:"ok"`
	What   string `json:"what"` // config, registry, endpoint, sink or http
	Name   string `json:"name,omitempty"`
	Says   string `json:"says"`
	Remedy string `json:"remedy,omitempty"`
	TookMS int64  `json:"latency_ms,omitempty"`
}

// usualRemedies mend what time might mend too.
var usualRemedies = map[string]string{
	"sink clickhouse": "let sinks.clickhouse.dsn name a server that is up",
	"sink nats":       "let sinks.nats.url name a server that is up",
}

// found makes a line of what was asked, or of why it failed.
func found(what, name, says string, err error) finding {
	if err == nil {
		return finding{OK: true, What: what, Name: name, Says: says}
	}
	f := finding{What: what, Name: name, Says: strings.ReplaceAll(err.Error(), "\n", "; "), Remedy: usualRemedies[what+" "+name]}
	if network, _, ok := strings.Cut(name, "/"); ok && what == "endpoint" {
		f.Remedy = "let networks." + network + ".rpc name a node that is up"
	}
	var fatal *chain.FatalError
	if errors.As(err, &fatal) {
		f.Says, f.Remedy = strings.ReplaceAll(f.Says, "; to mend it: "+fatal.Remedy, ""), fatal.Remedy
	}
	return f
}

// examine asks everybody. Its own error is one that ended the command.
func (e *examination) examine(ctx context.Context) error {
	var err error
	if e.held, err = reorg.InUse(filepath.Join(e.config.DataDir, "journal")); err != nil {
		return err
	}
	e.answered = alive(ctx, e.config.HTTP)
	e.running = e.answered && e.held
	e.Findings = append(e.Findings, found("config", "", "sound", nil), e.examineFolder(), e.examineHTTP(ctx))
	snapshot, err := loadSnapshot(ctx, e.config)
	if err == nil {
		e.networks, err = networks(&e.config, snapshot, e.log)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		e.Findings = append(e.Findings, found("registry", "", "", err))
		e.networks, _ = networks(&e.config, new(registry.Snapshot), e.log) // those that the config names
	} else {
		e.snapshot, e.Registry = snapshot, count(snapshot, e.networks)
		e.Findings = append(e.Findings, found("registry", "", e.Registry.String(), nil))
	}
	e.Findings = append(e.Findings, e.endpoints(ctx)...)
	e.Findings = append(e.Findings, e.sinks(ctx)...)
	if e.dry && e.snapshot != nil {
		e.Plan = e.plans(ctx)
	}
	return ctx.Err()
}

// verdict is an error where something is red. It was said already.
func (e *examination) verdict() error {
	red := 0
	for _, f := range e.Findings {
		if !f.OK {
			red++
		}
	}
	for _, p := range e.Plan {
		if p.Fault != "" {
			red++
		}
	}
	if red > 0 {
		return fmt.Errorf("check: %d of %d are red", red, len(e.Findings)+len(e.Plan))
	}
	return nil
}

func (e *examination) print(w io.Writer, asJSON bool) error {
	if asJSON {
		j := json.NewEncoder(w)
		j.SetEscapeHTML(false) // an endpoint is shown as <name>
		return j.Encode(e)
	}
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for _, f := range e.Findings {
		mark, says := "ok ", f.Says
		if !f.OK {
			mark = "RED"
		}
		if f.Remedy != "" {
			says += "; to mend it: " + f.Remedy
		}
		if f.TookMS > 0 {
			says += fmt.Sprintf(", %v", time.Duration(f.TookMS)*time.Millisecond)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", mark, f.What, f.Name, says)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return e.printPlan(w)
}
