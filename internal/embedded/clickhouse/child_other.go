//go:build !linux

package clickhouse

import (
	"errors"
	"os"
	"os/exec"
)

func terminalAsStdin() (*os.File, error) {
	return nil, errors.New("the embedded ClickHouse runs on Linux only")
}

func ignoreStops() {}

func punctual() {}

func detach(*exec.Cmd) {}
