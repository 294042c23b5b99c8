package jetstream_test

import (
	"log/slog"
	"testing"

	"superindex/chain"
	embedded "superindex/internal/embedded/nats"
	"superindex/sinks/jetstream"
)

// BenchmarkWrite publishes steps of 1,000 events of some 600 bytes, ten to a
// write, to the embedded server, whose files are synced once a write; the server's
// work is in the figure.
func BenchmarkWrite(b *testing.B) {
	server, err := embedded.Start(b.Context(), embedded.Options{Dir: b.TempDir(), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	o := options(server.FullURL())
	o.Sync = server.Sync
	sink, err := jetstream.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	steps := transfers(10, 1000)
	if _, err := sink.Position(b.Context(), steps[0].Stream); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := range steps {
			n++
			steps[i].Seq = chain.Seq(n)
		}
		if err := sink.Write(b.Context(), steps); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*1001)/b.Elapsed().Seconds(), "messages/s")
}

// transfers are steps with events like an ERC-20's.
func transfers(steps, events int) (out []chain.Step) {
	stream := chain.Stream{Name: "bench", ChainID: 1}
	for range steps {
		batch := &chain.Batch{Events: make([]chain.Event, events)}
		for i := range batch.Events {
			batch.Events[i] = chain.Event{
				Log: chain.Log{
					Address: chain.Address{byte(i)}, Index: uint32(i), Topics: make([]chain.Hash, 3), Data: make([]byte, 32),
				},
				Decoding: chain.Decoded, Name: "Transfer", Signature: "Transfer(address,address,uint256)",
				Args: []byte(`{"from":"0x0000000000000000000000000000000000000001","to":"0x0000000000000000000000000000000000000002","value":"1000000"}`),
			}
		}
		out = append(out, chain.Step{Stream: stream, Apply: batch})
	}
	return out
}
