package clickhouse

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
)

// turns takes down which streams each turn had, and how long one takes.
type turns struct {
	*commits
	took [][]string
	all  sync.WaitGroup
}

func newTurns(takes time.Duration, err error) *turns {
	t := &turns{}
	t.commits = newCommits(func(ctx context.Context, all []entry) error {
		var names []string
		for _, e := range all {
			names = append(names, e.of.Name)
		}
		t.took = append(t.took, names)
		time.Sleep(takes)
		return err
	})
	return t
}

// writes is a stream whose rows take so long, and which commits then.
func (c *turns) writes(t *testing.T, name string, rows time.Duration, want error) {
	c.all.Go(func() {
		c.begin()
		time.Sleep(rows)
		c.end()
		if err := c.commit(t.Context(), entry{of: chain.Stream{Name: name}}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	})
}

// Streams that write at the same time commit together; one alone does not wait, and
// none waits long.
func TestCommitsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("full")
		c := newTurns(time.Second, full)
		began := time.Now()
		c.writes(t, "alone", 0, full)
		c.all.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("one alone took %v", took)
		}
		for i, name := range []string{"a", "b", "c"} {
			c.writes(t, name, time.Duration(10*i+1)*time.Millisecond, full)
		}
		c.writes(t, "late", commitLinger+20*time.Millisecond, full) // while the others' turn is written
		c.writes(t, "later", commitLinger+30*time.Millisecond, full)
		c.all.Wait()
		for i := range c.took {
			slices.Sort(c.took[i])
		}
		if want := [][]string{{"alone"}, {"a", "b", "c"}, {"late", "later"}}; !slices.EqualFunc(c.took, want, slices.Equal) {
			t.Errorf("turns of %v, want %v", c.took, want)
		}
	})
}

// One who no longer waits does not hold the others up; where the first of a turn gives
// up, the others are told.
func TestACommitThatIsCutEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTurns(0, nil)
		c.begin()
		first, cut := context.WithCancel(t.Context())
		second, leave := context.WithCancel(t.Context())
		ends := func(ctx context.Context, name string) {
			c.all.Go(func() {
				if err := c.commit(ctx, entry{of: chain.Stream{Name: name}}); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", name, err)
				}
			})
			synctest.Wait()
		}
		ends(first, "first")
		ends(second, "second")
		ends(t.Context(), "third")
		leave()
		synctest.Wait()
		cut()
		c.all.Wait()
		c.end()
		c.writes(t, "next", 0, nil)
		c.all.Wait()
		if want := [][]string{{"next"}}; !slices.EqualFunc(c.took, want, slices.Equal) {
			t.Errorf("turns of %v, want %v", c.took, want)
		}
	})
}
