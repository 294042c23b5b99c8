package main

import (
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"superindex/registry"
	"superindex/reorg"
	"superindex/sinks/clickhouse"
	"superindex/sinks/jetstream"
)

// What to do with a stream that is at its quota because a sink stays away.
const (
	onFullStall  = "stall"
	onFullDetach = "detach"
)

// check takes down what can be read and cannot be, before anything is started.
func (c *config) check(f *faults, known registry.Networks) {
	if c.DataDir == "" {
		f.add("data_dir", "is empty: name a folder")
	}
	if !f.unread["registry"] { // else nobody knows which networks there are
		c.choose(f, c.Networks, known)
	}
	c.Sinks.ClickHouse.check(f)
	c.Sinks.NATS.check(f)
	if c.Sinks.ClickHouse.DSN == noSink && c.Sinks.NATS.URL == noSink && !c.Sinks.AllowNone {
		f.add("sinks", "there is none: let clickhouse.dsn or nats.url be an address or embedded")
	}
	c.Journal.check(f)
	c.checkFeeds(f)
	c.HTTP.check(f)
	f.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	f.oneOf("log.format", c.Log.Format, "auto", "text", "json")
}

// oneOf takes down a value that is none of the words.
func (f *faults) oneOf(field, value string, words ...string) {
	if slices.Contains(words, value) {
		return
	}
	hint := ""
	if near := meant(value, words); near != "" {
		hint = ": is " + near + " meant?"
	}
	f.add(field, "%s is none of %s%s", shown(value), strings.Join(words, ", "), hint)
}

// loopback takes down an address that others might reach.
func (f *faults) loopback(field, address string) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		f.add(field, "%s is no loopback address with a port, such as 127.0.0.1:0: the embedded server is for this machine only", shown(address))
	}
}

func (c *clickhouseConfig) check(f *faults) {
	switch c.DSN {
	case noSink:
	case embeddedSink:
		f.loopback("sinks.clickhouse.listen", c.Listen)
	default:
		o := clickhouse.Options{DSN: c.DSN}
		if err := o.Check(); err != nil {
			f.add("sinks.clickhouse.dsn", "%s", strings.TrimPrefix(err.Error(), "dsn: "))
		}
	}
}

// mostReplicas is how many copies JetStream keeps of a stream at most.
const mostReplicas = 5

func (n *natsConfig) check(f *faults) {
	switch n.URL {
	case noSink:
		return
	case embeddedSink:
		f.loopback("sinks.nats.listen", n.Listen)
		if n.Replicas > 1 {
			f.add("sinks.nats.replicas", "the embedded server is one, and cannot keep %d copies", n.Replicas)
		}
	default:
		o := jetstream.Options{URL: n.URL, Log: slog.New(slog.DiscardHandler)}
		if err := o.Check(); err != nil { // its words may hold a part of the password
			f.add("sinks.nats.url", "is neither embedded, none nor nats://host:4222 or tls://..., several with commas between; in a password / is %%2F, @ is %%40, : is %%3A")
		}
	}
	if n.Replicas < 1 || n.Replicas > mostReplicas {
		f.add("sinks.nats.replicas", "%d is not 1 to %d", n.Replicas, mostReplicas)
	}
	if _, err := os.Stat(n.Creds); n.Creds != "" && err != nil {
		f.add("sinks.nats.creds", "%v", err)
	}
}

func (j *journalConfig) check(f *faults) {
	o := reorg.Options{Quota: uint64(j.Quota), Keep: time.Duration(j.Keep)}
	if err := o.Check(); err != nil {
		f.add("journal.quota", "%s", strings.TrimPrefix(err.Error(), "journal.quota: "))
	}
	if j.OnFull == onFullDetach {
		f.add("journal.on_full", "detach is not there yet: nothing rebuilds a sink that was detached; use stall")
		return
	}
	f.oneOf("journal.on_full", j.OnFull, onFullStall, onFullDetach)
}

func (h *httpConfig) check(f *faults) {
	_, port, err := net.SplitHostPort(h.Listen)
	if n, portErr := strconv.Atoi(port); err != nil || portErr != nil || n < 0 || n > math.MaxUint16 {
		f.add("http.listen", "%s is no address with a port, such as 127.0.0.1:7676", shown(h.Listen))
	}
	if (h.TLS.Cert == "") != (h.TLS.Key == "") {
		f.add("http.tls", "cert and key are needed both, each the path of a PEM file")
		return
	}
	if _, err := h.TLS.load(); err != nil {
		f.add("http.tls", "%v", err)
	}
}
