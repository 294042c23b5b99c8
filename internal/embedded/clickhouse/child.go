package clickhouse

import (
	"fmt"
	"io"
	"os"
	"time"
)

// What the parent tells the child: its environment holds nothing but the mark
// and HOME, its arguments are the library and those of clickhouse-local.
const (
	childMark   = "SUPERINDEX_CLICKHOUSE_CHILD"
	parentsPipe = 3               // file descriptor whose end is the order to stop, or the parent's death
	stopWait    = 3 * time.Second // the engine itself would wait 5 s for open connections
)

// Child is to be the first call of main and of TestMain. In a child process it
// becomes the engine and never returns; elsewhere it does nothing.
func Child() {
	if os.Getenv(childMark) == "" {
		return
	}
	if err := engine(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // this is the main of the child
	}
	os.Exit(0) //nolint:forbidigo // as above
}

func engine(path string, args []string) error {
	ignoreStops()
	punctual()
	terminal, err := terminalAsStdin()
	if err != nil {
		return fmt.Errorf("open a terminal: %w", err)
	}
	go io.Copy(io.Discard, terminal) //nolint:errcheck // it ends with the process, as awaitParent does
	go awaitParent(terminal)
	l, err := loadLibrary(path)
	if err != nil {
		return err
	}
	return l.run(args)
}

// awaitParent ends the engine when its parent says so or is gone. Cutting it off
// is safe: what it acknowledged is written.
func awaitParent(terminal io.Writer) {
	io.Copy(io.Discard, os.NewFile(parentsPipe, "parent")) //nolint:errcheck // any end is the order
	io.WriteString(terminal, "exit\n")                     //nolint:errcheck // cut off below
	<-time.After(stopWait)
	os.Exit(1) //nolint:forbidigo // nobody is left to return to
}
