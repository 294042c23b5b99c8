//go:build linux && !race

package ethrpc

import "net"

// prompted makes a connection a prompt one.
func prompted(conn net.Conn) net.Conn { return newPrompt(conn) }
