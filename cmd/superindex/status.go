package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newStatus() *cobra.Command {
	var url string
	var watch, asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Example: "  superindex status --watch\n  superindex status --json | jq '.networks[] | select(.faults)'",
		Short:   "What a running daemon does: heads, sinks, faults",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := defaults()
			if url == "" || cmd.Flag("config").Changed {
				var err error
				if c, err = configOf(cmd); err != nil {
					return err
				}
			}
			if url == "" {
				url = c.HTTP.url()
			}
			return runStatus(cmd.Context(), cmd.OutOrStdout(), c.HTTP.client(), url, watch, asJSON)
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "of the daemon; by default where the config says that it listens")
	cmd.Flags().BoolVar(&watch, "watch", false, "again every second, until Ctrl-C")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// runStatus shows the status once, which is a fault where something is red, or again
// and again.
func runStatus(ctx context.Context, w io.Writer, client *http.Client, url string, watch, asJSON bool) error {
	s, notes := newScreen(os.Stdout), io.Writer(os.Stderr)
	show := func(r report) error { return showStatus(w, r, paint{s.colour().on && w == io.Writer(os.Stdout)}) }
	switch {
	case asJSON:
		show = func(r report) error { return json.NewEncoder(w).Encode(r) }
	case watch && s.terminal:
		show, notes = s.showStatus, s
	}
	r, err := readStatus(ctx, client, url)
	if err == nil {
		err = show(r)
	}
	if err != nil || !watch {
		return errors.Join(err, r.verdict())
	}
	for up := true; err == nil; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		was := up
		r, err = readStatus(ctx, client, url)
		switch up = err == nil; {
		case up:
			err = show(r)
		case was && ctx.Err() == nil:
			_, err = fmt.Fprintln(notes, err)
		default: // it was said already: the daemon may be starting again
			err = nil
		}
	}
	return err
}

// showStatus draws the status.
func (s *screen) showStatus(r report) error {
	var b bytes.Buffer
	if err := showStatus(&b, r, s.colour()); err != nil {
		return err
	}
	return s.draw(b.String())
}

// verdict is an error where something is red.
func (r report) verdict() error {
	if n := r.red(); n > 0 {
		return fmt.Errorf("status: %d red", n)
	}
	return nil
}

func readStatus(ctx context.Context, client *http.Client, url string) (r report, err error) {
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/api/status", http.NoBody)
	if err != nil {
		return r, fmt.Errorf("status: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return r, fmt.Errorf("status: no daemon answers (`superindex run` starts one): %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized {
		return r, fmt.Errorf("status: %s wants its http.token: give the daemon's --config", url)
	}
	if resp.StatusCode != http.StatusOK {
		return r, fmt.Errorf("status: %s answers %s", url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return r, fmt.Errorf("status: %s answers something else than a superindex: %w", url, err)
	}
	return r, nil
}
