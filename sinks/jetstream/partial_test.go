package jetstream

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"superindex/chain"
	embedded "superindex/internal/embedded/nats"
	"superindex/sinks/sinktest"
)

func openTest(t *testing.T) *Sink {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server, err := embedded.Start(t.Context(), embedded.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s, err := Open(t.Context(), Options{URL: server.FullURL(), History: true, AckWait: 20 * time.Second, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func position(t *testing.T, s *Sink, of chain.Stream) chain.Position {
	t.Helper()
	p, err := s.Position(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// begin publishes the messages of a step up to index to, not included, as a daemon
// does that is killed after the first batches of it.
func begin(t *testing.T, s *Sink, step *chain.Step, from, to int) {
	t.Helper()
	st := s.state(step.Stream)
	w := s.newWriter(step.Stream, st)
	w.texts = textsOf(step)
	for i := from; i < to; i++ {
		if err := w.add(t.Context(), step, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *Sink, of chain.Stream) uint64 {
	t.Helper()
	stream, err := s.js.Stream(t.Context(), StreamName(of))
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

// messagesOf is how many messages steps have.
func messagesOf(steps []chain.Step) (n uint64) {
	for i := range steps {
		first, end := (&encoder{history: true}).indexes(&steps[i])
		n += uint64(end - first)
	}
	return n
}

func TestStepCutAmidGoesOnWhereItStopped(t *testing.T) {
	s := openTest(t)
	script := sinktest.NewScript("cut").Go("abc").Go("abcAAAA")
	steps := script.Steps()
	position(t, s, script.Stream)
	if err := s.Write(t.Context(), steps[:2]); err != nil {
		t.Fatal(err)
	}
	for _, to := range []int{1, 1234} {
		from := min(1, to-1)
		begin(t, s, &steps[2], from, to)
		if p := position(t, s, script.Stream); p.Seq != steps[1].Seq || p.Digest != steps[1].Digest {
			t.Fatalf("position %+v with %d messages of the next step", p, to)
		}
	}
	if err := s.Write(t.Context(), steps); err != nil {
		t.Fatal(err)
	}
	if p, n := position(t, s, script.Stream), count(t, s, script.Stream); p.Seq != steps[2].Seq || n != messagesOf(steps) {
		t.Errorf("position %+v, %d messages instead of %d", p, n, messagesOf(steps))
	}
}

func TestCutFirstStepIsAnEmptyStream(t *testing.T) {
	s := openTest(t)
	script := sinktest.NewScript("cut-first").Go("AAAA")
	step := script.Steps()[1]
	position(t, s, script.Stream)
	begin(t, s, &step, 0, 1234)
	if p := position(t, s, script.Stream); !p.Empty() || p.High != step.Seq || p.HighDigest != step.Digest {
		t.Fatalf("position %+v", p)
	}
	if err := s.Write(t.Context(), []chain.Step{step}); err != nil {
		t.Fatal(err)
	}
	if p, n := position(t, s, script.Stream), count(t, s, script.Stream); p.Seq != step.Seq || n != 1601 {
		t.Errorf("position %+v, %d messages instead of 1601", p, n)
	}
}

// A journal that took over left a step cut; so did the next one. The position is
// before both, and neither's numbers are used again.
func TestCutStepsOfOtherJournals(t *testing.T) {
	s := openTest(t)
	script := sinktest.NewScript("cut-twice").Go("abc").Go("abcAAAA")
	steps := script.Steps()
	position(t, s, script.Stream)
	if err := s.Write(t.Context(), steps[:2]); err != nil {
		t.Fatal(err)
	}
	begin(t, s, &steps[2], 0, 1100)
	second := steps[2]
	second.Journal, second.Seq = chain.JournalID{2}, second.Seq+7
	position(t, s, script.Stream)
	begin(t, s, &second, 0, 1050)
	if p := position(t, s, script.Stream); p.Seq != steps[1].Seq {
		t.Fatalf("position %+v", p)
	}
	other := second
	other.Digest++
	for name, step := range map[string]chain.Step{"the first journal's": steps[2], "the same step of a restored journal": other} {
		position(t, s, script.Stream)
		if err := s.Write(t.Context(), []chain.Step{step}); !chain.IsFatal(err) || !strings.Contains(err.Error(), "adopt") {
			t.Errorf("%s: %v", name, err)
		}
	}
	script.Begin("ab").Go("abx")
	steps = script.Steps()
	position(t, s, script.Stream)
	if err := s.Write(t.Context(), steps[3:]); err != nil {
		t.Fatal(err)
	}
	if p := position(t, s, script.Stream); p.Seq != steps[4].Seq {
		t.Errorf("position %+v", p)
	}
}

func TestAcknowledgementOfSomethingElse(t *testing.T) {
	for body, want := range map[string]error{
		`{"stream":"S","seq":2}`:                  nil,
		`{"stream":"S","seq":9}`:                  errRefused,
		`{"stream":"S","seq":2,"duplicate":true}`: errRefused,
	} {
		if err := acknowledged([]byte(body), 2); !errors.Is(err, want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := acknowledged([]byte(`no JSON`), 2); err == nil {
		t.Error("no JSON is taken for an acknowledgement")
	}
}

// A message that was refused has no successor, also where another writer has put
// just as many messages in its place.
func TestNothingFollowsARefusedMessage(t *testing.T) {
	s := openTest(t)
	other, err := Open(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	apply := func(seq chain.Seq, events int) chain.Step {
		b := &chain.Batch{Events: make([]chain.Event, events)}
		for i := range b.Events {
			b.Events[i].Index = uint32(i)
		}
		return chain.Step{Journal: chain.JournalID{1}, Stream: testStream, Seq: seq, Apply: b}
	}
	position(t, s, testStream)
	position(t, other, testStream)
	if err := other.Write(t.Context(), []chain.Step{apply(1, askMessages-1)}); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), []chain.Step{apply(2, 3*askMessages)})
	if !errors.Is(err, errRefused) {
		t.Errorf("the second writer: %v", err)
	}
	if n := count(t, s, testStream); n != askMessages {
		t.Errorf("%d messages, want the first writer's %d", n, askMessages)
	}
	position(t, s, testStream)
	if err := s.Write(t.Context(), []chain.Step{apply(2, 3*askMessages)}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, testStream); n != 4*askMessages+1 {
		t.Errorf("%d messages, want %d", n, 4*askMessages+1)
	}
}
