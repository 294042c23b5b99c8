package child

import (
	"os"
	"os/exec"
	"runtime"
)

// Process is one that was started.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; to be read after done
}

// Start starts cmd. Where its context ends, it is treated as cmd says.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	endWithParent(cmd)
	started := make(chan error, 1)
	go p.live(started)
	return p, <-started
}

// live starts the process and waits for its end, on one thread: the process is
// killed when that thread dies, so the thread is not given to anything else.
func (p *Process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
	}
}

// PID is its number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process is gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended reports whether the process is gone.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Err is how it ended, once Done is closed; nil is exit code 0.
func (p *Process) Err() error { return p.err }

// ExitCode is what it returned, once Done is closed; -1 where a signal ended it.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Signal sends a signal; os.ErrProcessDone where the process is gone.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }
