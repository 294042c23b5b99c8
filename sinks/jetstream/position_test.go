package jetstream

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// named is a stream that is asked for nothing but its name.
type named struct{ jetstream.Stream }

func (named) CachedInfo() *jetstream.StreamInfo {
	return &jetstream.StreamInfo{Config: jetstream.StreamConfig{Name: "N"}}
}

// FuzzMark: whatever stands in a message's headers, it is somebody else's, and the error
// says which it is and what to do, or what they say is what they are written as.
func FuzzMark(f *testing.F) {
	id := strings.Repeat("0a", len(chain.JournalID{}))
	f.Add("1853882368", "0", id, "00000000000000ff", "true", "")
	f.Add("18446744073709551615", "70000", id, "ffffffffffffffff", "", "12")
	f.Add("7", "1", id+"0a", "1", "true", "-1")
	f.Add("", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, seq, index, journal, digest, end, synced string) {
		m := &jetstream.RawStreamMsg{Sequence: 12, Subject: "superindex.x", Header: nats.Header{}}
		for key, value := range map[string]string{headerSeq: seq, headerIndex: index, headerJournal: journal, headerDigest: digest, headerEnd: end, headerSynced: synced} {
			m.Header.Set(key, value)
		}
		got, err := reader{named{}, "superindex."}.mark(m)
		if err != nil {
			if !chain.IsFatal(err) || !strings.Contains(err.Error(), "message 12 of stream N") {
				t.Errorf("%v", err)
			}
			return
		}
		number, hexadecimal := strings.TrimLeft(seq, "0"), strings.TrimLeft(strings.ToLower(digest), "0")
		switch {
		case strings.TrimLeft(strconv.FormatUint(uint64(got.seq), 10), "0") != number,
			strings.TrimLeft(fmt.Sprintf("%x", got.digest), "0") != hexadecimal,
			hex.EncodeToString(got.journal[:]) != strings.ToLower(journal),
			got.end != (end == "true"), got.sequence != 12, synced == "" && got.synced != 12, got.index < 0:
			t.Errorf("%q, %q, %q, %q, %q, %q is %+v", seq, index, journal, digest, end, synced, got)
		}
	})
}
