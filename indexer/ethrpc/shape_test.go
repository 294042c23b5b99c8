package ethrpc

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
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
				want, wrong := alone(slices.Concat(logs[:tried], []string{string(other)}, logs[tried+1:]))
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

// A log like others whose data is half a byte too long is refused for its data.
func TestAlikeLogWithHalfAByte(t *testing.T) {
	for name, format := range formats {
		logs := logsLike(format)
		logs[6] = strings.Replace(logs[6], `"data":"0x`, `"data":"0xa`, 1)
		logs[6] = strings.Replace(logs[6], `"data": "0x`, `"data": "0xa`, 1)
		_, err := scanned(strings.NewReader("[" + strings.Join(logs, ",") + "]"))
		if err == nil || !strings.Contains(err.Error(), "data: no 0x text") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// newFormatsScan takes logs of the formats.
func newFormatsScan() *scan {
	return newScan(indexer.Range{From: 0x1000000, To: 0x2000000}, everything{}, nil)
}

// scanned reads an answer of logs of the formats.
func scanned(from io.Reader) (*scan, error) {
	s := newFormatsScan()
	return s, s.read(&cursor{from: from, buf: make([]byte, 0, 16<<10)})
}

// alone reads the same logs each as it stands: none is compared with another.
func alone(logs []string) (*scan, error) {
	s := newFormatsScan()
	for _, text := range logs {
		var l log
		c := &cursor{buf: []byte(text)}
		if l.read(c, new(shape)); c.err != nil {
			return s, c.err
		}
		if c.at != len(text) {
			return s, fmt.Errorf("%d bytes of %q", c.at, text)
		}
		if err := s.add(c, &l); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Of many logs like each other few are read as they stand.
func TestAlikeLogsFit(t *testing.T) {
	for name, format := range formats {
		logs := logsLike(format)
		buf := []byte(strings.Join(logs, ",") + ",")
		var s shape
		slow, c := 0, &cursor{buf: bytes.Clone(buf)}
		c.buf = append(c.buf, make([]byte, moldBytes)...) // so that the last fits, too
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

// A log fits a mold where all is the same but for hex digits, in place of which
// others may stand; either way of comparing says so, and where what differs is.
func TestFits(t *testing.T) {
	for name, format := range formats {
		logs := logsLike(format)
		m, free := molded(t, logs[6]), make([]bool, len(logs[6]))
		for _, text := range regexp.MustCompile(`"0x[0-9a-f]+`).FindAllStringIndex(logs[6], -1) {
			for i := text[0] + len(`"0x`); i < text[1]; i++ {
				free[i] = true
			}
		}
		for i := range logs[6] {
			for b := range 256 {
				other := append([]byte(logs[6]), make([]byte, stripeBytes)...)
				other[i] = byte(b)
				var f, words fit
				want := other[i] == logs[6][i] || free[i] && nibbles[b] <= 15
				if m.fits(&f, other) != want || m.fitsWords(&words, other) != want || want && f != words {
					t.Fatalf("%s: %#x at %d: %+v, by the word %+v; fits: %v", name, b, i, f, words, want)
				}
			}
		}
		for size := range logs[6] {
			if cut := []byte(logs[6][:size]); m.fits(new(fit), append(cut, 0)) || m.fitsWords(new(fit), cut) {
				t.Fatalf("%s: %q fits", name, cut)
			}
		}
	}
}

// Up to four topics fit, and nothing but topics, whatever the mold was made of.
func TestTopicsFit(t *testing.T) {
	topic := fmt.Sprintf(`"0x%064x"`, 1)
	for list, want := range map[string]bool{
		"": true, topic: true, topic + strings.Repeat(","+topic, 3): true,
		topic + strings.Repeat(","+topic, 4): false, topic + ",": false, "," + topic: false, topic + topic: false,
		topic[:66] + `"`: false, topic[:67] + `0"`: false, `"0X` + topic[3:]: false, "null": false, topic + ",null": false,
	} {
		for name, format := range formats {
			log := logsLike(format)[0]
			from, to := strings.Index(log, "[\"0x")+1, strings.Index(log, "\"]")+1
			other := append([]byte(log[:from]+list+log[to:]), make([]byte, stripeBytes)...)
			m := molded(t, log)
			var f, words fit
			if m.fits(&f, other) != want || m.fitsWords(&words, other) != want || want && f != words {
				t.Errorf("%s: %s: %+v, by the word %+v; fits: %v", name, list, f, words, want)
			}
			if want && f.count != strings.Count(list, "x") {
				t.Errorf("%s: %d topics in %s", name, f.count, list)
			}
		}
	}
}

// molded is the mold of a log.
func molded(t *testing.T, text string) *mold {
	var s shape
	var l log
	c := &cursor{buf: []byte(text)}
	if l.read(c, &s); c.err != nil || s.next != 1 {
		t.Fatal(c.err)
	}
	return &s.molds[0]
}

// The members that all logs of a block share are read again where they differ from the
// last log's that fitted, and only there.
func TestSharedMembers(t *testing.T) {
	for name, format := range formats {
		logs := logsLike(format)
		m, before := molded(t, logs[4]), 4
		for _, i := range []int{4, 5, 6, 4, 4, 7} { // 4 is of another block
			var f fit
			var got, want log
			want.read(&cursor{buf: []byte(logs[i])}, new(shape))
			text := append([]byte(logs[i]), make([]byte, stripeBytes)...)
			if m.fits(&f, text); f.sameBlock != ((i == 4) == (before == 4)) {
				t.Errorf("%s: log %d after %d is of the same block: %v", name, i, before, f.sameBlock)
			}
			if size := m.read(&got, text); size != len(logs[i]) {
				t.Fatalf("%s: log %d: %d bytes of %d", name, i, size, len(logs[i]))
			}
			before = i
			got.topics, got.first = want.topics, 0
			if got != want {
				t.Errorf("%s: log %d: %+v, as it stands %+v", name, i, got, want)
			}
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
			if got := numeral([]byte(text), from, to); got != n {
				t.Errorf("%s: %#x", text, got)
			}
		}
	}
}
