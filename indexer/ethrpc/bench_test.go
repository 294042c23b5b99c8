package ethrpc

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/minio/simdjson-go"

	"superindex/chain"
	"superindex/indexer"
)

// The answer that the benchmarks read: as many logs, of as many bytes, as
// go-ethereum would write them.
const (
	benchBlocks = 200
	benchLogs   = 100 // a block
	benchData   = 49  // bytes: a log takes 668 with its comma
)

var benchRange = indexer.Range{From: 0x1000000, To: 0x1000000 + benchBlocks - 1}

// listed are one in a hundred of the addresses.
type listed struct{}

func (listed) Has(a *chain.Address) bool { return a[0]%100 == 0 && a[1] == 0 }

// benchAnswer is an answer with headers and logs, and the logs alone.
func benchAnswer(blocks int) (answer, logs []byte) {
	r := rand.New(rand.NewPCG(1, 2))
	hex := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return fmt.Sprintf("0x%x", b)
	}
	var all []string
	var headers []string
	for b := range blocks {
		hash := hex(32)
		if b == 0 || b == blocks-1 {
			headers = append(headers, fmt.Sprintf(
				`{"jsonrpc":"2.0","id":%d,"result":{"number":"0x%x","hash":"%s","parentHash":"%s","timestamp":"0x%x","logsBloom":"0x%s"}}`,
				len(headers)+1, int(benchRange.From)+b, hash, hex(32), 0x65000000+2*b, strings.Repeat("01", 256)))
		}
		for i := range benchLogs {
			address := fmt.Sprintf("0x%02x%02x%036x", r.IntN(100), 0, r.IntN(250))
			all = append(all, fmt.Sprintf(`{"address":"%s","topics":["%s","%s","%s"],"data":"0x%032x%s","blockNumber":"0x%x",`+
				`"transactionHash":"%s","transactionIndex":"0x%x","blockHash":"%s","blockTimestamp":"0x%x","logIndex":"0x%x","removed":false}`,
				address, hex(32), hex(32), hex(32), r.Uint64(), hex(benchData - 16)[2:], int(benchRange.From)+b, hex(32), i/3, hash, 0x65000000+2*b, i))
		}
	}
	text := "[" + strings.Join(all, ",") + "]"
	return []byte("[" + strings.Join(headers, ",") + `,{"jsonrpc":"2.0","id":3,"result":` + text + "}]"), []byte(text)
}

// Our way through an answer of 20,000 logs, from the wire's bytes to logs.
func BenchmarkScan(b *testing.B) {
	answer, _ := benchAnswer(benchBlocks)
	for _, c := range []struct {
		name string
		set  indexer.Watched
	}{{"all", everything{}}, {"percent", listed{}}, {"none", watched{}}} {
		b.Run("watched="+c.name, func(b *testing.B) {
			var memory indexer.Memory // used again, as the engine does
			measure(b, answer, func() error {
				s := newScan(benchRange, c.set, &memory)
				_, calls := headerCalls(ends(benchRange))
				err := decode(&cursor{buf: answer, size: len(answer)}, append(calls, &call{read: s.read}))
				if s.all != benchBlocks*benchLogs {
					b.Fatal(s.all, "logs")
				}
				memory.Reset(s.events)
				return err
			})
		})
	}
}

// What a parser of any JSON takes for the same bytes, without making logs of them.
func BenchmarkBareSimdjson(b *testing.B) {
	if !simdjson.SupportedCPU() {
		b.Skip("simdjson-go does not support this CPU")
	}
	answer, _ := benchAnswer(benchBlocks)
	var parsed *simdjson.ParsedJson
	measure(b, answer, func() (err error) {
		parsed, err = simdjson.Parse(answer, parsed, simdjson.WithCopyStrings(false))
		return err
	})
}

// What ethclient.FilterLogs does with an answer.
func BenchmarkGoEthereum(b *testing.B) {
	answer, logs := benchAnswer(benchBlocks)
	measure(b, answer, func() error {
		var items []json.RawMessage
		if err := json.Unmarshal([]byte("["+string(logs)+"]"), &items); err != nil {
			return err
		}
		var all []types.Log
		return json.Unmarshal(items[0], &all)
	})
}

func measure(b *testing.B, answer []byte, read func() error) {
	b.SetBytes(int64(len(answer)))
	b.ReportAllocs()
	own := ownTime(b)
	for b.Loop() {
		if err := read(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((ownTime(b)-own).Nanoseconds())/float64(b.N)/benchBlocks/benchLogs, "own-ns/log")
	b.ReportMetric(float64(b.N)*benchBlocks*benchLogs/b.Elapsed().Seconds(), "logs/s")
}

// ownTime is how long this process has computed.
func ownTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
