package reorg

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"superindex/chain"
)

// transfers is a step of blocks with 100 events each, as of an ERC-20: three events
// a transaction, some 300 addresses, few of them often.
func transfers(parent chain.BlockRef, blocks int) *chain.Step {
	b := &chain.Batch{Parent: parent, Last: parent}
	random := func(n uint64, of byte) chain.Hash {
		return sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, n), of))
	}
	for range blocks {
		number := b.Last.Number + 1
		b.Last = chain.BlockRef{Number: number, Hash: random(number, 'b')}
		b.Blocks = append(b.Blocks, chain.Block{BlockRef: b.Last, Time: 1_700_000_000 + 2*number, WatchedLogs: 100})
		for i := range uint64(100) {
			log := number*100 + i
			from, to, value := random(log, 'f'), random(log, 't'), random(log, 'v')
			clear(from[:12])
			clear(to[:12])
			clear(value[:22])
			address := chain.Address{byte(log * log % 97 * i % 3), byte(log % 101)}
			b.Events = append(b.Events, chain.Event{
				Log: chain.Log{
					Block: b.Last, Time: 1_700_000_000 + 2*number, TxHash: random(log/3, 'x'), TxIndex: uint32(i / 3), Index: uint32(i),
					Address: address, Topics: []chain.Hash{{0xdd, 0xf2}, from, to}, Data: value[:],
				},
				Decoding: chain.Decoded, Name: "Transfer", Signature: "Transfer(address,address,uint256)",
				Args: fmt.Appendf(nil, `{"from":"0x%x","to":"0x%x","value":"%d"}`, from[12:], to[12:], binary.BigEndian.Uint64(value[24:])),
			})
		}
	}
	return &chain.Step{Stream: op, Apply: b}
}

const benchBlocks = 190 // to a step: 8 MiB in memory

func BenchmarkEncode(b *testing.B) {
	s := transfers(ref(0, 'a'), benchBlocks)
	var buf []byte
	own := ownTime(b)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = appendStep(buf[:0], s)
	}
	n := len(s.Apply.Events)
	b.ReportMetric(float64((ownTime(b)-own).Nanoseconds())/float64(b.N*n), "own-ns/event")
	b.ReportMetric(float64(len(buf))/float64(n), "B/event")
}

func BenchmarkDecode(b *testing.B) {
	s := transfers(ref(0, 'a'), benchBlocks)
	buf, err := appendStep(nil, s)
	if err != nil {
		b.Fatal(err)
	}
	own := ownTime(b)
	b.ReportAllocs()
	for b.Loop() {
		var got chain.Step
		if err := parseStep(&got, buf, new(memory)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((ownTime(b)-own).Nanoseconds())/float64(b.N*len(s.Apply.Events)), "own-ns/event")
}

// BenchmarkAppend commits steps to a disk. The computing that it takes, the
// storage's own work included, is less noisy than the rate.
func BenchmarkAppend(b *testing.B) {
	j, err := Open(b.TempDir(), Defaults())
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	begin(b, j, chain.BlockRef{})
	s := transfers(chain.BlockRef{}, benchBlocks)
	events := s.Apply.Events
	own, before := ownTime(b), written(b)
	for b.Loop() {
		if _, err := j.Append(b.Context(), s); err != nil {
			b.Fatal(err)
		}
		s.Apply.Parent = s.Apply.Last // the blocks' numbers do not matter here
	}
	n := float64(b.N * len(events))
	b.ReportMetric(float64((ownTime(b)-own).Nanoseconds())/n, "own-ns/event")
	b.ReportMetric(n/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(written(b)-before)/n, "written-B/event")
}

// BenchmarkNext reads them back.
func BenchmarkNext(b *testing.B) {
	j, err := Open(b.TempDir(), Defaults())
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	first := begin(b, j, chain.BlockRef{})
	s := transfers(chain.BlockRef{}, benchBlocks)
	for range 20 {
		if _, err := j.Append(b.Context(), s); err != nil {
			b.Fatal(err)
		}
		s.Apply.Parent = s.Apply.Last
	}
	own, n, after, reader := ownTime(b), 0, first, j.Reader(op.Name)
	b.ReportAllocs()
	for b.Loop() {
		steps, err := reader.Next(b.Context(), after, 4<<20)
		if err != nil {
			b.Fatal(err)
		}
		for i := range steps {
			n += len(steps[i].Apply.Events)
			after = steps[i].Seq
		}
		if st, _ := j.Stat(op.Name); after == st.Head {
			after = first
		}
	}
	b.ReportMetric(float64((ownTime(b)-own).Nanoseconds())/float64(n), "own-ns/event")
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

// written is how many bytes this process has written, to whatever file.
func written(b *testing.B) (n int64) {
	b.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(text), "rchar: %d\nwchar: %d", new(int64), &n); err != nil {
		b.Fatal(err)
	}
	return n
}
