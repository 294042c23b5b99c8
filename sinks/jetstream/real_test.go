package jetstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	embedded "superindex/internal/embedded/nats"
	"superindex/internal/fold"
	"superindex/sinks/jetstream"
	"superindex/sinks/sinktest"
)

// start runs a server in this process.
func start(t *testing.T) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), embedded.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func options(url string) jetstream.Options {
	return jetstream.Options{URL: url, History: true, AckWait: 20 * time.Second, Log: slog.New(slog.DiscardHandler)}
}

func open(t *testing.T, o jetstream.Options) *jetstream.Sink {
	t.Helper()
	s, err := jetstream.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func user(t *testing.T, url string) js.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	j, err := js.New(nc, js.WithDefaultTimeout(20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// write asks for the position and writes; the position is what it was before.
func write(t *testing.T, s *jetstream.Sink, steps []chain.Step) chain.Position {
	t.Helper()
	p, err := s.Position(t.Context(), steps[0].Stream)
	if err == nil {
		err = s.Write(t.Context(), steps)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type stored struct {
	subject string
	header  nats.Header
	body    []byte
}

func messages(t *testing.T, j js.JetStream, name string) (out []stored) {
	t.Helper()
	stream, err := j.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	for n := stream.CachedInfo().State.FirstSeq; n <= stream.CachedInfo().State.LastSeq; n++ {
		m, err := stream.GetMsg(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, stored{m.Subject, m.Header, m.Data})
	}
	return out
}

// What a consumer may rely on: pairs rise, each step has one end, and the rows
// are of one fork after every single message.
func TestEveryMessageInItsPlace(t *testing.T) {
	server := start(t)
	s := sinktest.NewScript("in-place").Each("abcd").Go("abxy").Final(2).Late(1, 2).Repair(1, 2).Observe(2).Go("abcdAA").Go("abq")
	write(t, open(t, options(server.FullURL())), s.Steps())
	f, ends, before := fold.New(), 0, ""
	for _, m := range messages(t, user(t, server.FullURL()), jetstream.StreamName(s.Stream)) {
		pair := fmt.Sprintf("%020s/%010s", m.header.Get("Superindex-Seq"), m.header.Get("Superindex-Index"))
		if pair <= before {
			t.Errorf("%s after %s", pair, before)
		}
		before = pair
		id := fmt.Sprintf("%s/%s/%s", jetstream.StreamName(s.Stream), m.header.Get("Superindex-Seq"), m.header.Get("Superindex-Index"))
		if got := m.header.Get("Nats-Msg-Id"); got != id {
			t.Errorf("Nats-Msg-Id is %q instead of %q", got, id)
		}
		if m.header.Get("Superindex-End") == "true" {
			ends++
		}
		if err := f.Take(m.subject, m.header, m.body); err != nil {
			t.Fatal(err)
		}
		hashes := map[uint64]string{}
		for _, r := range f.Rows {
			if h, ok := hashes[r.BlockNumber]; ok && h != r.BlockHash {
				t.Fatalf("after %s block %d has two hashes", pair, r.BlockNumber)
			}
			hashes[r.BlockNumber] = r.BlockHash
		}
	}
	if ends != len(s.Steps()) || len(f.Rows) != len(sinktest.Want(s.Steps())) {
		t.Errorf("%d ends for %d steps, %d rows", ends, len(s.Steps()), len(f.Rows))
	}
}

// A server in this process is reached without its address.
func TestALocalServerIsReachedWithoutTheNetwork(t *testing.T) {
	server := start(t)
	u, err := url.Parse(server.FullURL())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "127.0.0.1:1" // nobody is there
	o := options(u.String())
	o.Local = server
	s := sinktest.NewScript("local").Go("abc")
	write(t, open(t, o), s.Steps())
	if got := messages(t, user(t, server.FullURL()), jetstream.StreamName(s.Stream)); len(got) == 0 {
		t.Error("the stream is empty")
	}
}

func TestLargeEventsGoOutShort(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("large").Go("ac")
	steps := slices.Clone(s.Steps())
	batch := *steps[1].Apply
	batch.Events = slices.Clone(batch.Events)
	batch.Events[0].Data = make([]byte, 600<<10) // 1.2 MB as text; the server takes 1 MiB
	batch.Events[1].Data = make([]byte, 400<<10)
	steps[1].Apply = &batch
	sink := open(t, options(server.FullURL()))
	write(t, sink, steps)
	for i, m := range messages(t, j, jetstream.StreamName(s.Stream))[1:3] {
		var body struct {
			Args  json.RawMessage
			Data  *string
			Event string
		}
		if err := json.Unmarshal(m.body, &body); err != nil {
			t.Fatal(err)
		}
		short := m.header.Get("Superindex-Truncated") == "data,args" && body.Data == nil && string(body.Args) == "null"
		if short != (i == 0) || body.Event != "Mined" {
			t.Errorf("event %d: truncated %q, args %s", i, m.header.Get("Superindex-Truncated"), body.Args)
		}
	}

	stream, err := j.Stream(t.Context(), jetstream.StreamName(s.Stream))
	if err != nil {
		t.Fatal(err)
	}
	c := stream.CachedInfo().Config
	c.MaxMsgSize = 100 // an operator's limit, below anything that can be said
	if _, err := j.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := sink.Position(t.Context(), s.Stream); err != nil {
		t.Fatal(err)
	}
	err = sink.Write(t.Context(), s.Go("acd").Steps())
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "max_msg_size") {
		t.Errorf("a message that cannot be short enough: %v", err)
	}
}

func TestWithoutHistoryOnlyTheRefillGoesOut(t *testing.T) {
	server := start(t)
	s := sinktest.NewScript("no-history").Go("abc").Final(3).Repair(1, 3)
	o := options(server.FullURL())
	o.History = false
	write(t, open(t, o), s.Steps())
	if p := write(t, open(t, options(server.FullURL())), s.Steps()); p.Seq != s.Steps()[3].Seq {
		t.Errorf("position %+v", p)
	}
	all := messages(t, user(t, server.FullURL()), jetstream.StreamName(s.Stream))
	last := all[len(all)-1]
	if !strings.HasSuffix(last.subject, ".refill") || !strings.Contains(string(last.body), `"published":false`) {
		t.Errorf("the fill is %s %s", last.subject, last.body)
	}
	f := fold.New()
	for _, m := range all {
		if err := f.Take(m.subject, m.header, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if want := sinktest.Want(s.Steps()[:3]); len(f.Rows) != len(want) {
		t.Errorf("%d rows instead of %d: a refill without its rows changes nothing", len(f.Rows), len(want))
	}
}

func TestFeedsHaveOneStream(t *testing.T) {
	server := start(t)
	feeds := chain.Stream{Name: "feeds"}
	steps := []chain.Step{
		{Journal: chain.JournalID{1}, Stream: feeds, Seq: 5, Digest: 6, Rows: &chain.Rows{Feed: "github", Rows: []chain.Row{
			{Kind: "release", ID: "x/y/1", Time: 9, Body: []byte(`{"tag":"v1"}`)},
			{Kind: "star", ID: "big", Body: fmt.Appendf(nil, `{"text":"%s"}`, strings.Repeat("x", 2<<20))},
		}}},
		{Journal: chain.JournalID{1}, Stream: feeds, Seq: 6, Digest: 7, Rows: &chain.Rows{Feed: "npm"}},
	}
	sink := open(t, options(server.FullURL()))
	if p := write(t, sink, steps); !p.Empty() {
		t.Errorf("position %+v", p)
	}
	if p := write(t, sink, steps); p != (chain.Position{Journal: chain.JournalID{1}, Seq: 6, Digest: 7, High: 6, HighDigest: 7}) {
		t.Errorf("position %+v", p)
	}
	var got []string
	for _, m := range messages(t, user(t, server.FullURL()), "SUPERINDEX_FEEDS") {
		got = append(got, fmt.Sprint(m.subject, m.header.Get("Superindex-Id"), m.header.Get("Superindex-Time"), m.header.Get("Superindex-Truncated"), string(m.body)))
	}
	want := []string{
		`superindex.feed.github.releasex/y/19{"tag":"v1"}`,
		`superindex.feed.github.starbigbody{}`,
		`superindex.feed.npm.none{}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("messages %q", got)
	}
}

func TestWriteNeedsThePosition(t *testing.T) {
	server := start(t)
	s := sinktest.NewScript("unasked").Go("ab")
	sink := open(t, options(server.FullURL()))
	if err := sink.Write(t.Context(), s.Steps()); err == nil || chain.IsFatal(err) {
		t.Errorf("write before the position was asked: %v", err)
	}
	write(t, sink, s.Steps())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sink.Write(cancelled, s.Go("abc").Steps()); err == nil {
		t.Error("write under a cancelled context")
	}
	if err := sink.Write(t.Context(), s.Steps()); err == nil {
		t.Error("write after one that failed, with no position between")
	}
	mixed := append(slices.Clone(s.Steps()), sinktest.NewScript("other").Steps()...)
	if _, err := sink.Position(t.Context(), s.Stream); err != nil {
		t.Fatal(err)
	}
	if err := sink.Write(t.Context(), mixed); err == nil {
		t.Error("steps of two streams in one write")
	}
	if err := sink.Write(t.Context(), nil); err != nil {
		t.Errorf("nothing to write: %v", err)
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	server := start(t)
	wrong, err := url.Parse(server.FullURL())
	if err != nil {
		t.Fatal(err)
	}
	wrong.User = url.UserPassword("superindex", "a-secret")
	for _, c := range []struct {
		want  string
		fatal bool
		o     func(*jetstream.Options)
	}{
		{"URL", false, func(o *jetstream.Options) { o.URL = "" }},
		{"URL", false, func(o *jetstream.Options) { o.URL = "nats://u:a-secret@host:port" }},
		{"http", false, func(o *jetstream.Options) { o.URL = "http://u:a-secret@host" }},
		{"MaxBytes", false, func(o *jetstream.Options) { o.MaxBytes = -1 }},
		{"Log", false, func(o *jetstream.Options) { o.Log = nil }},
		{"connect", false, func(o *jetstream.Options) { o.URL = "nats://u:a-secret@127.0.0.1:1" }},
		{"user", true, func(o *jetstream.Options) { o.URL = wrong.String() }},
	} {
		o := options(server.FullURL())
		c.o(&o)
		s, err := jetstream.Open(t.Context(), o)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: opened", c.want)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || chain.IsFatal(err) != c.fatal || strings.Contains(err.Error(), "a-secret") {
			t.Errorf("want %q, fatal %v: %v", c.want, c.fatal, err)
		}
	}
}

func TestReadOnlyUserCannotBeASink(t *testing.T) {
	server := start(t)
	s := sinktest.NewScript("read-only").Go("ab")
	write(t, open(t, options(server.FullURL())), s.Steps())
	u := server.Users()
	o := options(strings.Replace(u.URL, "nats://", "nats://"+u.Reader+":"+u.ReaderPassword+"@", 1))
	o.AckWait = 2 * time.Second
	sink := open(t, o)
	if _, err := sink.Position(t.Context(), s.Stream); err != nil {
		t.Fatalf("a reader may look: %v", err)
	}
	err := sink.Write(t.Context(), s.Go("abc").Steps())
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "ermission") {
		t.Errorf("a reader's write: %v", err)
	}
}
