package loadnode

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"

	"superindex/chain"
)

func listener(t testing.TB) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// digestOf is the ledger's digest of logs as our client reads them.
func digestOf(events []chain.Event) (sum uint64) {
	for i := range events {
		l := &events[i].Log
		var topics []string
		for _, topic := range l.Topics {
			topics = append(topics, topic.String())
		}
		line := fmt.Sprintf("%d %v %d %v %d %d %v %s 0x%x", l.Block.Number, l.Block.Hash, l.Time, l.TxHash, l.TxIndex, l.Index, l.Address,
			strings.Join(topics, ","), l.Data)
		sum += xxhash.Sum64String(line)
	}
	return sum
}

// BenchmarkLogs reads 100 blocks of 100 logs at a time with a plain reader.
func BenchmarkLogs(b *testing.B) {
	_, url := serve(b, Defaults())
	buf := make([]byte, 1<<20)
	var bytes, logs int64
	for i := 0; b.Loop(); i++ {
		from := 1 + i%99*100
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x%x","toBlock":"0x%x"}]}`, from, from+99)
		resp, err := http.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf)
		resp.Body.Close()
		if err != nil || n != resp.ContentLength {
			b.Fatal(n, err)
		}
		bytes, logs = bytes+n, logs+10_000
	}
	b.ReportMetric(float64(logs)/b.Elapsed().Seconds(), "logs/s")
	b.ReportMetric(float64(bytes)/float64(logs), "B/log")
	b.SetBytes(bytes / int64(b.N))
}

// BenchmarkNew makes 10,000 blocks of 100 logs.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(Defaults()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLedger digests a million logs.
func BenchmarkLedger(b *testing.B) {
	n, err := New(Defaults())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n.Ledger(1, 10_000).Logs != 1_000_000 {
			b.Fatal("not a million logs")
		}
	}
}
