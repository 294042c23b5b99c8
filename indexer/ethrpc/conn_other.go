//go:build !linux

package ethrpc

import "net"

// prompted leaves the connection as it is.
func prompted(conn net.Conn) net.Conn { return conn }
