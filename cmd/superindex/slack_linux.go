package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// slack is by how much the system may wake a thread too late, so that it wakes several at
// once. Go's runtime looks after its threads every 20 us while one of them works; with the
// system's own slack, 50 us, that is a sixth of what the daemon computes at the heads of
// many networks.
const slack = time.Millisecond

// slackMark is in the environment of the process that takeSlack made.
const slackMark = "SUPERINDEX_SLACK"

// takeSlack executes this binary once more, with slack: a thread has that of the one which
// made it, and the runtime makes its own before main begins. It returns in the process that
// has slack, and where there is none to be had.
func takeSlack() {
	if os.Getenv(slackMark) != "" {
		_ = os.Unsetenv(slackMark) // it is there, and nobody's business
		return
	}
	runtime.LockOSThread() // it keeps its slack when it is executed again
	defer runtime.UnlockOSThread()
	own, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(own) >= slack { // as the one who started it wants it
		return
	}
	self, err := os.Executable()
	if err != nil || unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0) != nil {
		return
	}
	_ = syscall.Exec(self, os.Args, append(os.Environ(), slackMark+"=1")) // else it goes on as it is
}
