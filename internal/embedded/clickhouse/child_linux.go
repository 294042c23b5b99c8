package clickhouse

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminalAsStdin puts a pseudo-terminal on file descriptor 0 and returns its
// other side. Without a terminal there, clickhouse-local of 26.7 installs an
// error handler that ends the process at any client's broken connection
// (ClickHouse issue 115666).
func terminalAsStdin() (*os.File, error) {
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock: %w", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("number: %w", err)
	}
	its, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	return ours, unix.Dup3(int(its.Fd()), 0, 0)
}

// ignoreStops leaves the decision to stop with the parent: a service supervisor
// signals every process of its group at once.
func ignoreStops() { signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP) }

// systemSlack is by how much Linux wakes a thread too late where nobody wants it otherwise.
const systemSlack = 50 * time.Microsecond

// punctual has the engine's threads, which the calling one makes, woken in time: the daemon's
// may be late, and its child would be as well.
func punctual() {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(systemSlack), 0, 0, 0) // a system without slack has none to take back
}

// detach keeps a Ctrl-C at the daemon's terminal away from the engine.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
