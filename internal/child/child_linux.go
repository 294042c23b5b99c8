package child

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel kill the child when the thread that started it
// dies, which start keeps alive for as long as the child lives.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
