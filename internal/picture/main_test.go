package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReplay(t *testing.T) {
	text := "Script started on a day\n$ demo\r\none\r\ntwo\r\n\x1b[2A\r\x1b[Ja \x1b[32mgood\x1b[0m <one>  \r\n\r\nend\r\n\r\nScript done on a day\n"
	want := []string{"$ demo", "a \x1b[32mgood\x1b[0m <one>", "", "end"}
	if got := trim(replay(text)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var b strings.Builder
	if err := run(strings.NewReader(text), &b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `a <tspan fill="#63d297">good</tspan> &lt;one&gt;</text>`) {
		t.Error(b.String())
	}
	isXML(t, b.String())
}

// The README's picture is one that a browser can show, of a demo that ended well.
func TestTheCommittedPicture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "img", "demo.svg"))
	if err != nil {
		t.Fatal(err)
	}
	isXML(t, string(text))
	if !strings.Contains(string(text), "chain = warehouse = folded stream on 3 networks") {
		t.Error("it shows no verdict: make picture")
	}
}

func isXML(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	var err error
	for err == nil {
		_, err = d.Token()
	}
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
