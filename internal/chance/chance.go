// Package chance gives tests a source of chance whose seed is printed, so that what
// failed once can be run again. Of one source only one goroutine may draw at a time: it
// is not safe for concurrent use.
package chance

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// New prints its seed; SUPERINDEX_SEED repeats one.
func New(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SUPERINDEX_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal("SUPERINDEX_SEED:", err)
		}
	}
	t.Logf("SUPERINDEX_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
