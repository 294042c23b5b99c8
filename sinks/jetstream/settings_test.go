package jetstream_test

import (
	"strings"
	"testing"
	"time"

	js "github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/sinks/jetstream"
	"superindex/sinks/sinktest"
)

func TestNewStreamHasTheLimitsAskedFor(t *testing.T) {
	server := start(t)
	s := sinktest.NewScript("new-stream")
	o := options(server.FullURL())
	o.Retention, o.MaxBytes = time.Hour, 1<<20
	write(t, open(t, o), s.Steps())
	c := config(t, user(t, server.FullURL()), s)
	if c.MaxAge != time.Hour || c.MaxBytes != 1<<20 || c.Replicas != 1 || c.Storage != js.FileStorage ||
		len(c.Subjects) != 1 || c.Subjects[0] != "superindex.evm.new-stream.>" {
		t.Errorf("stream %+v", c)
	}
}

func config(t *testing.T, j js.JetStream, s *sinktest.Script) js.StreamConfig {
	t.Helper()
	stream, err := j.Stream(t.Context(), jetstream.StreamName(s.Stream))
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().Config
}

// What the sink relies on is set right, the operator's limits stay.
func TestExistingStream(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("existing")
	if _, err := j.CreateStream(t.Context(), js.StreamConfig{
		Name: jetstream.StreamName(s.Stream), Subjects: []string{"superindex.evm.existing.event.>", "mine"}, Retention: js.InterestPolicy,
		MaxAge: time.Hour, MaxBytes: 1 << 20, MaxMsgsPerSubject: 7, Duplicates: time.Minute, Metadata: map[string]string{"mine": "kept"},
	}); err != nil {
		t.Fatal(err)
	}
	write(t, open(t, options(server.FullURL())), s.Steps())
	c := config(t, j, s)
	if len(c.Subjects) != 1 || c.Subjects[0] != "superindex.evm.existing.>" || c.Retention != js.LimitsPolicy ||
		c.Duplicates > time.Second {
		t.Errorf("ours: %+v", c)
	}
	if c.MaxAge != time.Hour || c.MaxBytes != 1<<20 || c.MaxMsgsPerSubject != 7 || c.Metadata["mine"] != "kept" {
		t.Errorf("the operator's: %+v", c)
	}
}

func TestStreamThatCannotBeSetRight(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("work-queue")
	if _, err := j.CreateStream(t.Context(), js.StreamConfig{
		Name: jetstream.StreamName(s.Stream), Subjects: []string{"superindex.evm.work-queue.>"}, Retention: js.WorkQueuePolicy,
	}); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, options(server.FullURL())).Position(t.Context(), s.Stream)
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "nats stream rm SUPERINDEX_WORK_QUEUE") {
		t.Errorf("a work queue: %v", err)
	}
}

func TestTwoNetworksDoNotShareAStream(t *testing.T) {
	server := start(t)
	write(t, open(t, options(server.FullURL())), sinktest.NewScript("a-b").Steps())
	_, err := open(t, options(server.FullURL())).Position(t.Context(), sinktest.NewScript("a_b").Stream)
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "another name") {
		t.Errorf("a second network on SUPERINDEX_A_B: %v", err)
	}
}

func TestNoSpaceIsTemporaryAndNamed(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("no-space")
	sink := open(t, options(server.FullURL()))
	write(t, sink, s.Steps())
	c := config(t, j, s)
	c.MaxBytes, c.Discard = 4<<10, js.DiscardNew
	if _, err := j.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s.Go("Ab")
	if err := sink.Write(t.Context(), s.Steps()); err == nil || chain.IsFatal(err) {
		t.Fatalf("a stream that becomes full: %v", err)
	}
	if _, err := sink.Position(t.Context(), s.Stream); err != nil {
		t.Fatal(err)
	}
	if err := sink.Write(t.Context(), s.Steps()); err == nil || chain.IsFatal(err) || !strings.Contains(err.Error(), "space") {
		t.Fatalf("a full stream: %v", err)
	}
	c.MaxBytes = -1
	if _, err := j.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	write(t, sink, s.Steps())
}

func TestStrangersMessageIsNamed(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("stranger").Go("ab")
	sink := open(t, options(server.FullURL()))
	write(t, sink, s.Steps())
	ack, err := j.Publish(t.Context(), "superindex.evm.stranger.event.hello", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Write(t.Context(), s.Go("abc").Steps()); err == nil || chain.IsFatal(err) {
		t.Errorf("a write after a stranger's: %v", err)
	}
	if _, err := sink.Position(t.Context(), s.Stream); !chain.IsFatal(err) || !strings.Contains(err.Error(), "nats stream rmm SUPERINDEX_STRANGER") {
		t.Errorf("the position: %v", err)
	}
	stream, err := j.Stream(t.Context(), jetstream.StreamName(s.Stream))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), ack.Sequence); err != nil {
		t.Fatal(err)
	}
	if p := write(t, sink, s.Steps()); p.Seq != s.Steps()[1].Seq {
		t.Errorf("position %+v once it is gone", p)
	}
}
