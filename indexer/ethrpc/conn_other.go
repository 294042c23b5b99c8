//go:build !linux || race

package ethrpc

import "net"

// prompted leaves the connection as it is. So it is under the race detector, too: it
// knows that what was sent was sent before it is read only where the runtime reads it.
func prompted(conn net.Conn) net.Conn { return conn }
