package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/pool"
	"superindex/poller"
)

// report is /api/status.
type report struct {
	Version  string          `json:"version"`
	Journal  string          `json:"journal"` // its id
	Registry registryReport  `json:"registry"`
	Networks []networkReport `json:"networks"`
	Feeds    []poller.State  `json:"feeds"`
}

type registryReport struct {
	Source  string    `json:"source"`
	Version string    `json:"version"`
	Fetched time.Time `json:"fetched"`
	Note    string    `json:"note,omitempty"` // why this is not the newest
}

// networkReport is one stream, with the network's endpoints.
type networkReport struct {
	indexer.NetworkReport
	Endpoints []pool.State `json:"endpoints,omitempty"`
}

func (d *daemon) report() report {
	now := d.selected()
	r := report{
		Version: version(), Journal: d.journal.ID().String(), Feeds: now.feedStates(),
		Registry: registryReport{Source: now.snapshot.Source, Version: now.snapshot.Version(), Fetched: now.snapshot.Fetched, Note: now.snapshot.Note},
	}
	for _, n := range d.status.Report(d.journal) {
		out := networkReport{NetworkReport: n}
		if p := now.pools[n.Network]; p != nil {
			out.Endpoints = p.Endpoints()
		}
		r.Networks = append(r.Networks, out)
	}
	return r
}

// buildInfo is the metric that names the binary.
func buildInfo() prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "superindex_build_info", Help: "1, labelled with what runs."}, []string{"version", "goversion"})
	g.WithLabelValues(version(), runtime.Version()).Set(1)
	return g
}

// serve answers HTTP until ctx ends.
func (d *daemon) serve(ctx context.Context) error {
	l, err := d.listen(ctx)
	if err != nil {
		return chain.Fatal(fmt.Errorf("http.listen: %w", err), otherAddress)
	}
	d.log.Info("http", "address", l.Addr().String())
	secure, err := d.config.HTTP.TLS.load()
	if err != nil {
		return fmt.Errorf("http.tls: %w", err)
	}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	server := &http.Server{Handler: guarded(d.config.HTTP.Token, d.routes()), ReadHeaderTimeout: 5 * time.Second}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- shut(ctx, server) })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http: %w", err)
	}
	return <-closed
}

func (d *daemon) listen(ctx context.Context) (net.Listener, error) {
	if d.listener != nil {
		return d.listener, nil
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", d.config.HTTP.Listen)
}

// shut lets requests that are under way end, for a while.
func shut(ended context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}

func (d *daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.showPage)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", d.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /api/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(d.report()); err != nil {
			d.log.Debug("status was not read to its end", "error", err)
		}
	})
	if d.config.PProf {
		profile(mux)
	}
	return mux
}

// ready: every sink is reached, by one stream at least, and at least one network
// moves. One network's state is a metric.
func (d *daemon) ready(w http.ResponseWriter, _ *http.Request) {
	all := d.status.Snapshot()
	for _, sink := range d.sinks {
		reached := func(n indexer.NetworkStatus) bool {
			return n.Faults[sink.Name()] == "" && slices.ContainsFunc(n.Sinks, func(s indexer.SinkStatus) bool { return s.Name == sink.Name() && s.Seq > 0 })
		}
		if !slices.ContainsFunc(all, reached) {
			http.Error(w, sink.Name()+" is not reached", http.StatusServiceUnavailable)
			return
		}
	}
	now := time.Now()
	if !slices.ContainsFunc(all, func(n indexer.NetworkStatus) bool { return n.Moves(now) }) {
		http.Error(w, "no network moves", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}
