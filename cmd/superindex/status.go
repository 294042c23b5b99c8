package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"superindex/indexer"
)

func newStatus() *cobra.Command {
	var url string
	var watch, asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What a running daemon does: heads, sinks, faults",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				c, err := configOf(cmd)
				if err != nil {
					return err
				}
				url = "http://" + c.HTTP.Listen
			}
			show := showStatus
			if asJSON {
				show = func(w io.Writer, r report) error { return json.NewEncoder(w).Encode(r) }
			}
			return statusLoop(cmd.Context(), cmd.OutOrStdout(), url, watch, show)
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "of the daemon; by default where the config says that it listens")
	cmd.Flags().BoolVar(&watch, "watch", false, "again every second, until Ctrl-C")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func statusLoop(ctx context.Context, w io.Writer, url string, watch bool, show func(io.Writer, report) error) error {
	for {
		r, err := readStatus(ctx, url)
		if err != nil {
			return err
		}
		if watch {
			fmt.Fprint(w, clearScreen)
		}
		if err := show(w, r); err != nil || !watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func readStatus(ctx context.Context, url string) (r report, err error) {
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/api/status", http.NoBody)
	if err != nil {
		return r, fmt.Errorf("status: %w", err)
	}
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return r, fmt.Errorf("status: no daemon answers (`superindex run` starts one): %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return r, fmt.Errorf("status: %s answers %s", url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return r, fmt.Errorf("status: %s answers something else than a superindex: %w", url, err)
	}
	return r, nil
}

// clearScreen moves a terminal's cursor home and clears what was there.
const clearScreen = "\x1b[H\x1b[2J"

// showStatus is one table of networks, then what stands in the way.
func showStatus(w io.Writer, r report) error {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "network\tlatest\tsafe\tfinalized\tindexed\tblock's age\tnew events\treorgs\tjournal\tsinks\t")
	for _, n := range r.Networks {
		if n.ChainID == 0 {
			fmt.Fprintf(t, "%s\t\t\t\t\t\t\t\t%s\t%s\t\n", n.Network, humanize.IBytes(n.JournalBytes), sinksInShort(n))
			continue
		}
		if n.HeadSeen.IsZero() {
			fmt.Fprintf(t, "%s\t-\t-\t-\t-\t-\t-\t-\t%s\t%s\t\n", n.Network, humanize.IBytes(n.JournalBytes), sinksInShort(n))
			continue
		}
		age := "-"
		if !n.IndexedTime.IsZero() {
			age = time.Since(n.IndexedTime).Round(time.Second).String()
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%s\t%s\t%d\t%s\t%s\t\n", n.Network, n.Latest.Number, n.Safe.Number, n.Final.Number,
			n.Indexed.Number, age, humanize.Comma(int64(n.Events)), n.Reorgs, humanize.IBytes(n.JournalBytes), sinksInShort(n))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range r.Networks {
		for _, part := range sortedKeys(n.Faults) {
			fmt.Fprintf(w, "RED  %s, %s: %s\n", n.Network, part, n.Faults[part])
		}
	}
	if r.Registry.Note != "" {
		fmt.Fprintf(w, "registry: %s\n", r.Registry.Note)
	}
	return nil
}

func sinksInShort(n indexer.NetworkReport) string {
	var out []string
	for _, s := range n.Sinks {
		switch {
		case n.Faults[s.Name] != "":
			out = append(out, s.Name+" RED")
		case uint64(s.Seq) >= n.JournalHead:
			out = append(out, s.Name+" ok")
		default:
			out = append(out, fmt.Sprintf("%s -%d", s.Name, n.JournalHead-uint64(s.Seq)))
		}
	}
	return strings.Join(out, ", ")
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
