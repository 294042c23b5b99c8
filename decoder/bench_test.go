package decoder

import (
	"encoding/json"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"superindex/chain"
)

// sample is one log of a layout that the benchmarks measure.
type sample struct {
	name   string
	layout *Layout
	log    chain.Log
}

// samples are a transfer, a swap, a user operation and a nested tuple.
func samples(t testing.TB) (list []sample) {
	address := "0x000000000000000000000000a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
	for _, s := range []struct{ name, signature, topics, data string }{
		{"Transfer", "event Transfer(address indexed from, address indexed to, uint256 value)", address + " " + address, "1500000000"},
		{
			"Swap", "event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick)",
			address + " " + address,
			"raw:ffffffffffffffffffffffffffffffffffffffffffffffffdd1d53ed43e1c000 1500000000 raw:000000000000000000000000000000000000447f5e2c9e2e3d7a0d3a1d9c8b21 18446744073709551615 199123",
		},
		{
			"UserOperationEvent", "event UserOperationEvent(bytes32 indexed userOpHash, address indexed sender, address indexed paymaster, uint256 nonce, bool success, uint256 actualGasCost, uint256 actualGasUsed)",
			"0xc8f04b3e7e4ad27c5b4a2c8a55bd3c2ff2eac7dbbf72f1b7bb8f7e3f8d1e8c11 " + address + " " + address, "4 1 2345678901234 301234",
		},
		{
			"OrderFulfilled", "event OrderFulfilled(bytes32 orderHash, address indexed offerer, address indexed zone, address recipient, (uint8 itemType, address token, uint256 identifier, uint256 amount)[] offer, (uint8 itemType, address token, uint256 identifier, uint256 amount, address recipient)[] consideration)",
			address + " " + address,
			"0xc8f04b3e7e4ad27c5b4a2c8a55bd3c2ff2eac7dbbf72f1b7bb8f7e3f8d1e8c11 " + address + " 128 288 1 2 " + address + " 4321 1 2 0 0 0 950000000000000000 " + address + " 0 0 0 25000000000000000 " + address,
		},
	} {
		l := mustParse(t, s.signature)
		log := chain.Log{Topics: []chain.Hash{l.topic0}, Data: words(s.data)}
		for topics := words(s.topics); len(topics) > 0; topics = topics[word:] {
			log.Topics = append(log.Topics, chain.Hash(topics))
		}
		list = append(list, sample{s.name, l, log})
	}
	return list
}

// BenchmarkDecode measures three ways side by side: Decode by the built-in table,
// its layout looked up; accounts/abi to Go values alone; and accounts/abi to values
// and then JSON, which is what Decode gives. accounts/abi is told the layout. They
// take turns, so that what else the machine does meets all three; ns are of
// processor time; x is how often Decode fits.
func BenchmarkDecode(b *testing.B) {
	table := builtinTable(b)
	for _, s := range samples(b) {
		b.Run(s.name, func(b *testing.B) {
			e := chain.Event{Log: s.log}
			buf := make([]byte, 0, 4096)
			ours := func() {
				if _, why := table.Decode(&e, buf); why != Fits {
					b.Fatal(why)
				}
			}
			beside(b, ours, gethWay(b, &s, false), gethWay(b, &s, true))
		})
	}
}

// turn is how many events one way decodes before the next one's turn: enough for
// several collections of its own garbage, and for the caches to be its own.
const turn = 10_000

func beside(b *testing.B, ways ...func()) {
	spent := make([]float64, len(ways))
	for b.Loop() {
		for i, way := range ways {
			runtime.GC() // nobody pays for the garbage of the one before
			begin := processorTime(b)
			for range turn {
				way()
			}
			spent[i] += float64((processorTime(b) - begin).Nanoseconds())
		}
	}
	for i, name := range []string{"", "values-", "json-"} {
		b.ReportMetric(spent[i]/float64(turn*b.N), name+"ns")
		b.ReportMetric(testing.AllocsPerRun(100, ways[i]), name+"allocs")
		if i > 0 {
			b.ReportMetric(spent[i]/spent[0], name+"x")
		}
	}
	b.ReportMetric(0, "ns/op") // of all three: it says nothing
}

// gethWay decodes the sample by accounts/abi, to text or only to values.
func gethWay(b *testing.B, s *sample, text bool) func() {
	args := gethArguments(b, s.layout)
	var indexed abi.Arguments
	for _, a := range args {
		if a.Indexed {
			indexed = append(indexed, a)
		}
	}
	return func() {
		out, err := gethWork(args, indexed, &s.log)
		if err == nil && text {
			_, err = json.Marshal(out)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// gethWork is what a user of accounts/abi does with a log.
func gethWork(args, indexed abi.Arguments, log *chain.Log) (map[string]any, error) {
	out := map[string]any{}
	if err := args.UnpackIntoMap(out, log.Data); err != nil {
		return nil, err
	}
	topics := make([]common.Hash, 0, 3)
	for _, h := range log.Topics[1:] {
		topics = append(topics, common.Hash(h))
	}
	return out, abi.ParseTopicsIntoMap(out, indexed, topics)
}

// BenchmarkReal decodes the 25 Ethereum blocks again and again.
func BenchmarkReal(b *testing.B) {
	table, logs := builtinTable(b), realLogs(b, ethereumLogs)
	buf := make([]byte, 0, 1<<20)
	var e chain.Event
	bytes := 0
	defer reportCPU(b)()
	for b.Loop() {
		for i := range logs {
			e.Log = logs[i]
			buf, _ = table.Decode(&e, buf[:0])
			bytes += len(buf)
		}
	}
	b.ReportMetric(float64(bytes)/float64(b.N*len(logs)), "JSON-bytes/event")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(logs)), "ns/event")
}

// BenchmarkBuiltin measures how long a start waits for the table.
func BenchmarkBuiltin(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		builtinTable(b)
	}
}

// reportCPU adds the processor time of this process to what a benchmark reports:
// unlike the wall clock it does not count what other processes took.
func reportCPU(b *testing.B) func() {
	b.ReportAllocs()
	begin := processorTime(b)
	return func() {
		b.ReportMetric(float64((processorTime(b)-begin).Nanoseconds())/float64(b.N), "cpu-ns/op")
	}
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// TestNoAllocation: Decode allocates nothing where buf is long enough.
func TestNoAllocation(t *testing.T) {
	table := builtinTable(t)
	buf := make([]byte, 0, 4096)
	for _, s := range samples(t) {
		e := chain.Event{Log: s.log}
		if n := testing.AllocsPerRun(100, func() { table.Decode(&e, buf) }); n != 0 || e.Decoding != chain.Decoded {
			t.Errorf("%s: %v allocations, %v", s.name, n, e.Decoding)
		}
	}
}
