package reorg

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// storage: a step that is not large is written once to the log and once to a file of
// its own kind, and is not carried along when the small keys beside it are compacted.
// It is not compressed: that would cost more computing than the writing does.
func (j *Journal) storage() *pebble.Options {
	o := &pebble.Options{
		FS:                 j.patient(),
		EventListener:      &pebble.EventListener{BackgroundError: func(err error) { j.failing.Store(&err) }},
		FormatMajorVersion: pebble.FormatNewest,
		Logger:             silent{},
		CacheSize:          16 << 20,
		MemTableSize:       8 << 20,
	}
	o.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
		return pebble.ValueSeparationPolicy{
			Enabled: true, MinimumSize: 1 << 10, MaxBlobReferenceDepth: 16, RewriteMinimumAge: time.Hour, TargetGarbageRatio: 1,
		}
	}
	for i := range o.Levels {
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	return o
}

// silent drops Pebble's chatter; its errors come back from the calls.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("the journal's storage failed: "+format, args...))
}
