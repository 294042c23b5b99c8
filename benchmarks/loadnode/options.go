package loadnode

import (
	"errors"
	"fmt"
	"time"
)

// Options say which chain a Node serves, and how well. Defaults gives them.
type Options struct {
	Seed    uint64 // another seed is another chain
	ChainID uint64
	Genesis uint64 // time of block 0, seconds since 1970

	Blocks       uint64        // the head at first; blocks 1 to Blocks are full, block 0 is empty
	Transactions int           // in a block
	Logs         int           // in a block, spread over its transactions
	Data         int           // bytes of data in a log; 0: a mix of common events of 0 to 160 bytes
	Bodies       int           // how many different blocks there are
	BlockTime    time.Duration // between two blocks' times, whole seconds; and between two new heads, see Live
	Live         bool          // the head moves while Run runs

	Addresses int     // contracts that are watched
	Zipf      float64 // how unequal contracts are: the exponent, above 1
	Share     float64 // of the logs that come from watched contracts, 0 to 1

	SafeLag, FinalLag uint64 // blocks between the head and safe, and finalized
	ReorgEvery        uint64 // while Run runs: a reorg after so many new heads; 0: none
	ReorgDepth        uint64 // blocks that one removes

	Latency   time.Duration // before each answer
	Rate      float64       // requests a second, above which they are refused; 0: no limit
	RateItems bool          // refuse by an error an item (-32016) in place of HTTP 429
	MaxLogs   int           // in one answer; 0: no limit
	MaxBlocks uint64        // in one range; 0: no limit
	Gzip      bool          // for clients that accept it
}

// Defaults are 1,000,000 logs in 10,000 blocks, all watched, as fast as it goes.
func Defaults() Options {
	return Options{
		Seed: 1, ChainID: 10, Genesis: 1_700_000_000,
		Blocks: 10_000, Transactions: 10, Logs: 100, Bodies: 256, BlockTime: 2 * time.Second,
		Addresses: 1000, Zipf: 1.1, Share: 1,
		ReorgDepth: 3,
	}
}

// Check names the first field that cannot be.
func (o Options) Check() error {
	switch {
	case o.ChainID == 0:
		return errors.New("load node: ChainID: 0 is no chain")
	case o.Bodies < 1 || o.Bodies > 1<<16:
		return fmt.Errorf("load node: Bodies: %d is not within 1 to 65,536", o.Bodies)
	case o.Transactions < 1 || o.Logs < 0 || o.Data < 0:
		return errors.New("load node: Transactions, Logs, Data: fewer than 1 transaction, or below 0")
	case o.BlockTime < time.Second || o.BlockTime%time.Second != 0:
		return fmt.Errorf("load node: BlockTime: %v is no whole number of seconds", o.BlockTime)
	case o.Addresses < 1:
		return errors.New("load node: Addresses: fewer than 1")
	case o.Zipf <= 1:
		return fmt.Errorf("load node: Zipf: %v is not above 1", o.Zipf)
	case o.Share < 0 || o.Share > 1:
		return fmt.Errorf("load node: Share: %v is not within 0 to 1", o.Share)
	case o.ReorgEvery > 0 && o.ReorgDepth == 0:
		return errors.New("load node: ReorgDepth: 0, though reorgs are wanted")
	case o.Rate < 0 || o.MaxLogs < 0 || o.Latency < 0:
		return errors.New("load node: Rate, MaxLogs, Latency: below 0")
	}
	return nil
}

// seconds is BlockTime in seconds.
func (o Options) seconds() uint64 { return uint64(o.BlockTime / time.Second) }
