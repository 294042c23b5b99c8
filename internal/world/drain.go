package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"superindex/chain"
	"superindex/indexer"
)

// drain makes moves until nothing moves any more, as a patient operator who heeds
// what a red relay says: he stops the daemon and lets the journal adopt the sinks.
func (w *World) drain() error {
	w.node.set(Plan{})
	w.disk.hold()
	for range 20 {
		for _, f := range w.daemon.faults {
			f.after = -1
		}
		err := w.catchUp()
		if err == nil { // let the relays idle until they ask their sinks once more
			err = errors.Join(w.relay(0, time.Hour), w.relay(1, time.Hour), w.catchUp())
		}
		if err == nil {
			return nil
		}
		if !chain.IsFatal(err) {
			return err
		}
		if !w.excuse {
			return fmt.Errorf("a relay is red although nothing was lost, restored or emptied: %w", err)
		}
		ctx, cancel := w.context()
		err = indexer.Adopt(ctx, w.daemon.net, w.daemon.journal, w.daemon.sinks)
		cancel()
		if err != nil {
			return fmt.Errorf("adopt: %w", err)
		}
		if err := w.reboot(w.daemon.disk); err != nil {
			return err
		}
	}
	return errors.New("no end of adopting")
}

// catchUp lets writer, filler and relays move, a relay first: it may have to make
// room for a writer that is at its quota.
func (w *World) catchUp() error {
	for range 1000 {
		if err := w.relayAll(); err != nil {
			return err
		}
		moved, err := w.write()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		filled, err := w.filled()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := w.observe(); err != nil {
			return err
		}
		if head := w.chain.now.head().BlockRef; !moved && !filled {
			st, err := w.daemon.journal.Stat(Stream.Name)
			if err != nil || (st.Last == head && len(st.Owed) == 0) {
				return err
			}
			time.Sleep(31 * time.Second) // a lower head is a rewind only after a while
			w.chain.Finalize(9, 9)       // what is owed waits for finality
		}
	}
	st, err := w.daemon.journal.Stat(Stream.Name)
	return fmt.Errorf("no end of catching up: %+v, %w; the chain's head is %v, final %d", st, err, w.chain.now.head(), w.chain.now.final)
}

func (w *World) write() (bool, error) {
	ctx, cancel := w.context()
	defer cancel()
	return w.daemon.writer.Advance(ctx)
}

func (w *World) filled() (bool, error) {
	ctx, cancel := w.context()
	defer cancel()
	return w.daemon.fill.Advance(ctx)
}

// relayAll relays until no relay has anything left.
func (w *World) relayAll() error {
	for i := range w.daemon.relays {
		for {
			err := w.relay(i, time.Second)
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
			if err != nil && !errors.Is(err, errSink) {
				return err
			}
			if w.broken != nil {
				return w.broken
			}
		}
	}
	return nil
}

func (w *World) relay(i int, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return w.daemon.relays[i].Advance(ctx)
}

// reboot ends the process, if it still runs, and starts one on a disk.
func (w *World) reboot(disk *Disk) error {
	if w.daemon != nil {
		w.daemon.die()
		if err := w.daemon.journal.Close(); err != nil {
			return err
		}
		w.daemon = nil
	}
	if left := disk.left(); left != nil {
		disk = &Disk{fs: left}
	}
	d, err := w.Boot(disk)
	if err != nil { // it waits for a node that lags or a sink that fails, and tries again
		w.node.set(Plan{})
		d, err = w.Boot(disk)
	}
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	w.disk, w.daemon = disk, d
	return w.observe()
}
