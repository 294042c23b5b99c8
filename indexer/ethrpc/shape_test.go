package ethrpc

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"superindex/indexer"
)

// formats are logs as nodes write them, with holes for block, transaction, index and data.
var formats = map[string]string{
	"geth": `{"address":"0x00112233445566778899aabbccddeeff%08x","topics":["0x%064x","0x%064x"],"data":"0x%x",` +
		`"blockNumber":"0x%x","transactionHash":"0x%064x","transactionIndex":"0x%x","blockHash":"0x%064x","blockTimestamp":"0x%x","logIndex":"0x%x","removed":false}`,
	"data first": `{ "data": "0x%[4]x", "removed": false, "address" : "0x00112233445566778899aabbccddeeff%08[1]x",` + "\n" +
		`"logIndex":"0x%016[10]x","topics":["0x%064[2]x","0x%064[3]x"],"kind":{"a":[1,"b"]},"blockNumber":"0x%[5]x",` +
		`"transactionHash":"0x%064[6]x","transactionIndex":"0x%[7]x","blockHash":"0x%064[8]x","blockTimestamp":"0x%[9]x"}`,
	"null": `{"address":"0x00112233445566778899aabbccddeeff%08[1]x","blockTimestamp":null,"topics":["0x%064[2]x","0x%064[3]x"],"data":"0x%[4]x",` +
		`"blockNumber":"0x%[5]x","transactionHash":"0x%064[6]x","transactionIndex":"0x%[7]x","blockHash":"0x%064[8]x","logIndex":"0x%[10]x","removed":null}`,
}

// logsLike are eight logs of one format in two blocks, with indexes of one digit and of two.
func logsLike(format string) []string {
	var all []string
	for i := range 8 {
		block := 0x1234560 + i/5
		all = append(all, fmt.Sprintf(format, i%3, 7*i, 1<<i, strings.Repeat("\xfe", 60-7*i), block, 99+i/2, 14+i/2, 5+block, 0x65000000+block, 12+i))
	}
	return all
}

// slowly gives too little at once for a log to be compared.
type slowly struct{ io.Reader }

func (r slowly) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 100)]) }

// Logs that are compared with those before them say what they say when each is read
// as it stands, whatever byte is another one, by either way of comparing.
func TestAlikeLogs(t *testing.T) {
	had := cpu.X86.HasAVX2
	defer func() { cpu.X86.HasAVX2 = had }()
	for name, format := range formats {
		logs := logsLike(format)
		const tried = 6
		before, after := "["+strings.Join(logs[:tried], ",")+",", ","+strings.Join(logs[tried+1:], ",")+"]"
		for i := range logs[tried] {
			for _, b := range []byte{'"', '\\', '7', 'g', "\x00\n ,fFxX{}[]\x80"[i%13]} {
				other := []byte(logs[tried])
				other[i] = b
				answer := before + string(other) + after
				want, wrong := scanned(slowly{strings.NewReader(answer)})
				for _, cpu.X86.HasAVX2 = range []bool{had, false} {
					got, err := scanned(strings.NewReader(answer))
					same := err != nil || reflect.DeepEqual(got.events, want.events) && reflect.DeepEqual(got.blocks, want.blocks)
					if (err == nil) != (wrong == nil) || !same {
						t.Fatalf("%s: %q in place of %q: %v, read as it stands: %v", name, other[i:], logs[tried][i:], err, wrong)
					}
				}
			}
		}
	}
}

// scanned reads an answer of logs of the formats.
func scanned(from io.Reader) (*scan, error) {
	s := newScan(indexer.Range{From: 0x1000000, To: 0x2000000}, everything{}, nil)
	return s, s.read(&cursor{from: from, buf: make([]byte, 0, 16<<10)})
}

// Of many logs like each other few are read as they stand.
func TestAlikeLogsFit(t *testing.T) {
	for name, format := range formats {
		logs := logsLike(format)
		buf := []byte(strings.Join(logs, ",") + ",")
		var s shape
		slow, c := 0, &cursor{buf: bytes.Clone(buf)}
		c.buf = append(c.buf, make([]byte, moldStripes*stripeBytes)...) // so that the last fits, too
		for range logs {
			var l log
			had := s.next
			l.read(c, &s)
			if c.err != nil || l.count != 2 || !l.Index.ok || l.data.to-l.data.from < 20 {
				t.Fatal(name, c.err, l)
			}
			if s.next != had {
				slow++
			}
			c.at++
		}
		if slow > 3 {
			t.Errorf("%s: %d of %d logs were read as they stand", name, slow, len(logs))
		}
	}
}

// Both ways of comparing and of counting digits say the same.
func TestStripes(t *testing.T) {
	var like [3]stripe
	text := bytes.Repeat([]byte("0123456789abcdefABCDEF"), 5)[:len(like)*stripeBytes]
	for i, b := range text {
		s, i := &like[i/stripeBytes], i%stripeBytes
		switch i % 3 {
		case 0:
			s.text[i], s.fixed[i] = b, 0xff
		case 1:
			s.digits[i] = 0xff
		}
	}
	for i := range text {
		for b := range 256 {
			other := bytes.Clone(text)
			other[i] = byte(b)
			digit := nibbles[b] <= 15
			fits := i%stripeBytes%3 == 2 || i%stripeBytes%3 == 1 && digit || other[i] == text[i]
			if got, words := alike(&other[0], &like[0], len(like)), alikeWords(other, like[:]); got != fits || words != fits {
				t.Fatalf("%#x at %d: %v, by the word %v", b, i, got, words)
			}
			want := len(text)
			if !digit {
				want = i
			}
			if got, words := hexRun(other), hexRunWords(other); got != want || words != want {
				t.Fatalf("%#x at %d: %d digits, by the word %d", b, i, got, words)
			}
		}
	}
	for n := range len(text) {
		if got := hexRun(text[:n]); got != n {
			t.Errorf("%d digits: %d", n, got)
		}
	}
}

// A numeral is what its digits say.
func TestNumeral(t *testing.T) {
	for _, n := range []uint64{0, 1, 0xf, 0x10, 0xabcdef12, 0x123456789, 1<<64 - 1} {
		for width := 1; width <= 16; width++ {
			text := fmt.Sprintf(`{"logIndex":"0x%0*x"`, width, n)
			to := len(text) - 1
			from := strings.Index(text, "0x") + 2
			if to-from > 16 {
				continue
			}
			if got := numeral([]byte(text), from, to); got != n {
				t.Errorf("%s: %#x", text, got)
			}
		}
	}
}
