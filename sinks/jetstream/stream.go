package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// duplicates is the shortest window that a server allows. The fence does what the
// window is for; a longer one would refuse a stream that was purged.
const duplicates = 100 * time.Millisecond

// owner is the key in a stream's metadata that says whose messages it takes: two
// networks' names may differ in characters that a stream's name cannot have.
const owner = "superindex-stream"

// open returns the JetStream stream of a stream, made where there is none, and
// with what is ours set right where it is not.
func (s *Sink) open(ctx context.Context, of chain.Stream) (jetstream.Stream, error) {
	want := s.config(of)
	stream, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = s.js.CreateStream(ctx, want)
	}
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", want.Name, err)
	}
	have := stream.CachedInfo().Config
	if name, ok := have.Metadata[owner]; ok && name != of.Name {
		return nil, chain.Fatal(fmt.Errorf("stream %s holds the messages of %q", want.Name, name),
			fmt.Sprintf("give %q another name: upper-cased and with _ for what is no letter or digit, the two are the same", of.Name))
	}
	if have.PersistMode == jetstream.AsyncPersistMode && s.options.Sync == nil {
		return nil, chain.Fatal(fmt.Errorf("stream %s has persist_mode async: its server acknowledges what it has not written yet", want.Name),
			fmt.Sprintf("delete it: `nats stream rm %s`; it is filled again from the journal", want.Name))
	}
	fixed, changed := ours(have, want)
	if changed {
		if stream, err = s.js.UpdateStream(ctx, fixed); err != nil {
			return nil, cannotUpdate(want.Name, err)
		}
		s.log.Info("set a stream's subjects, retention and deduplication right", "stream", want.Name)
	}
	return stream, nil
}

func (s *Sink) config(of chain.Stream) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name:        StreamName(of),
		Description: "superindex: docs/consuming.md",
		Subjects:    []string{subjectPrefix(of) + ">"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxAge:      s.options.Retention,
		MaxBytes:    s.options.MaxBytes,
		Replicas:    max(1, s.options.Replicas),
		Duplicates:  duplicates,
		Metadata:    map[string]string{owner: of.Name},
	}
	if of.ChainID == 0 {
		c.MaxAge = 0 // a feed may be quiet for longer, and an empty stream says nothing of what it held
	}
	if s.options.Sync != nil {
		c.PersistMode = jetstream.AsyncPersistMode // Sync writes them, many at once
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = -1
	}
	return c
}

// ours is the configuration that a stream has, with what the sink relies on as
// wanted: subjects, kind of retention and deduplication. The limits and the rest
// are the operator's.
func ours(have, want jetstream.StreamConfig) (fixed jetstream.StreamConfig, changed bool) {
	fixed = have
	fixed.Subjects, fixed.Retention, fixed.Duplicates = want.Subjects, want.Retention, want.Duplicates
	changed = !slices.Equal(have.Subjects, want.Subjects) || have.Retention != want.Retention || have.Duplicates != want.Duplicates
	if _, named := have.Metadata[owner]; !named {
		fixed.Metadata, changed = maps.Clone(want.Metadata), true
		maps.Copy(fixed.Metadata, have.Metadata)
	}
	return fixed, changed
}

// cannotUpdate tells a server that forbids the change from one that does not
// answer.
func cannotUpdate(name string, err error) error {
	err = fmt.Errorf("update stream %s: %w", name, err)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeInvalidConfig {
		return chain.Fatal(err, fmt.Sprintf("rename or delete the stream %s: `nats stream rm %s`; it is filled again from the journal", name, name))
	}
	return err
}

// logLimits tells once that a stream's limits are not the configured ones.
func (s *Sink) logLimits(have, want jetstream.StreamConfig) {
	if have.MaxAge == want.MaxAge && have.MaxBytes == want.MaxBytes && have.Replicas == want.Replicas {
		return
	}
	s.log.Info("a stream keeps the limits that it has", "stream", have.Name,
		"max_age", have.MaxAge, "max_bytes", have.MaxBytes, "replicas", have.Replicas,
		"configured_max_age", want.MaxAge, "configured_max_bytes", want.MaxBytes, "configured_replicas", want.Replicas)
}
