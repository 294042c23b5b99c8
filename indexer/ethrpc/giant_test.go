package ethrpc

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A window waits for leave once, and only to become large.
func TestLargeWindowsAskFirst(t *testing.T) {
	refused := errors.New("not now")
	for name, c := range map[string]struct {
		size  int
		leave error
		asks  int
	}{
		"a log":             {100 << 10, nil, 0},
		"the largest":       {largeWindow - 1<<10, nil, 0},
		"a giant":           {8 * largeWindow, nil, 1},
		"a giant, given up": {8 * largeWindow, refused, 1},
	} {
		asks := 0
		reader := cursor{from: strings.NewReader(`"` + strings.Repeat("a", c.size) + `" `), enlarge: func() error { asks++; return c.leave }}
		v := reader.value()
		if asks != c.asks || !errors.Is(reader.err, c.leave) {
			t.Errorf("%s: asked %d times, %v", name, asks, reader.err)
		}
		if got := int(v.to - v.from); c.leave == nil && got != c.size {
			t.Errorf("%s: %d bytes", name, got)
		}
	}
}

// A giant that was read, or was too much, leaves the way free for the next.
func TestGiantsComeOneByOne(t *testing.T) {
	var size atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text := `[{"jsonrpc":"2.0","id":1,"more":"` + strings.Repeat("a", int(size.Load())) + `","result":"0x7"}]`
		_, _ = io.WriteString(w, text) // the largest is not read to its end
	}))
	t.Cleanup(server.Close)
	c, err := New(Options{Network: "n", Name: "giant", URL: server.URL, ChainID: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, n := range []int64{4 * largeWindow, 2 * maxWindow, 4 * largeWindow} {
		size.Store(n)
		if err := c.Verify(t.Context()); (err != nil) != (n > maxWindow) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if len(c.giant) != 0 {
			t.Fatal("a giant that is gone bars the way")
		}
	}
}
