package sinktest

import (
	"crypto/sha256"
	"fmt"

	"superindex/chain"
)

// The addresses that emit: three that every Apply holds, one that only fills do.
var (
	early = []chain.Address{{0xa1}, {0xa2}, {0xa3}}
	late  = chain.Address{0x1a, 0x7e}
)

// Block is the last block of the chain path, without its counts.
func (s *Script) Block(path string) chain.Block {
	b := chain.Block{BlockRef: chain.BlockRef{Number: Base + uint64(len(path))}, Time: 1_600_000_000 + 2*uint64(len(path))}
	b.Hash = sha256.Sum256([]byte(s.Stream.Name + "/" + path))
	if path != "" {
		b.Parent = sha256.Sum256([]byte(s.Stream.Name + "/" + path[:len(path)-1]))
	}
	s.forks[b.Hash] = path
	return b
}

func (s *Script) blockWith(path string, events int) chain.Block {
	b := s.Block(path)
	b.Txs, b.Logs, b.WatchedLogs = chain.Known(1), chain.Known(events+1), uint32(events)
	return b
}

// eventsOf are the events of the last block of path.
func (s *Script) eventsOf(path string) (events []chain.Event) {
	n := 0
	switch c := path[len(path)-1]; {
	case c >= 'a':
		n = 1 + int(c)%3
	case c >= 'A':
		n = 400
	}
	for i := range n {
		events = append(events, s.events(path, early[i%len(early)], i, 1)...)
	}
	return events
}

// events are n events of one address in the last block of path.
func (s *Script) events(path string, address chain.Address, index, n int) (events []chain.Event) {
	block := s.Block(path)
	for i := index; i < index+n; i++ {
		events = append(events, chain.Event{
			Log: chain.Log{
				Block: block.BlockRef, Time: block.Time, Address: address, Index: uint32(i),
				TxHash: sha256.Sum256(block.Hash[:]),
				Topics: []chain.Hash{{0xdd, address[0]}, {byte(i)}}, Data: block.Hash[:8],
			},
			Decoding: chain.Decoded, Name: "Mined", Signature: "Mined(uint256)",
			Args: fmt.Appendf(nil, `{"fork":"%s","n":"%d"}`, path[max(0, len(path)-8):], i),
		})
	}
	return events
}
