//go:build !linux

package node

import "os/exec"

// endWithParent does nothing: only Linux can tie a child to its parent.
func endWithParent(*exec.Cmd) {}
