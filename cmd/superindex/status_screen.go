package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen is a terminal that is drawn again and again in place; log lines that are
// written to it go above what is drawn. Where out is no terminal it passes on what is
// written and draws nothing. It is safe for concurrent use.
type screen struct {
	out      io.Writer
	terminal bool
	size     func() (width, height int)

	mu    sync.Mutex
	shown string // what is drawn now, with its last line's end
}

func newScreen(out *os.File) *screen {
	fd := int(out.Fd())
	size := func() (int, int) {
		width, height, err := term.GetSize(fd)
		if err != nil || width == 0 || height == 0 {
			return 120, 40
		}
		return width, height
	}
	return &screen{out: out, terminal: term.IsTerminal(fd), size: size}
}

// colour paints, unless the user asked for none (no-color.org).
func (s *screen) colour() paint { return paint{s.terminal && os.Getenv("NO_COLOR") == ""} }

// Write writes lines above what is drawn.
func (s *screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := fmt.Fprintf(s.out, "%s%s%s", s.wiped(), lines, s.shown); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// draw replaces what is drawn by text, as much of it as fits.
func (s *screen) draw(text string) error {
	if !s.terminal {
		return nil
	}
	width, height := s.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	next := fit(text, width, height-1)
	_, err := io.WriteString(s.out, s.wiped()+next)
	s.shown = next
	return err
}

// keep leaves what is drawn where it is; what comes goes below.
func (s *screen) keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = ""
}

// leave takes away what is drawn.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.out, s.wiped()) // the terminal is gone: nobody misses it
	s.shown = ""
}

// wiped moves the cursor to where the drawing begins and clears from there.
func (s *screen) wiped() string {
	if s.shown == "" {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", strings.Count(s.shown, "\n"))
}

// fit cuts text to so many columns and lines.
func fit(text string, width, height int) string {
	var b strings.Builder
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if i >= height-1 && len(lines) > height {
			fmt.Fprintf(&b, "... and %d lines more\n", len(lines)-i)
			break
		}
		b.WriteString(clip(line, width))
		b.WriteByte('\n')
	}
	return b.String()
}

// clip cuts a line to so many columns. Escape sequences take none, and those behind
// the cut stay: they end a colour.
func clip(line string, width int) string {
	var b strings.Builder
	for column := 0; line != ""; {
		if end := strings.IndexByte(line, 'm'); strings.HasPrefix(line, "\x1b[") && end > 0 {
			b.WriteString(line[:end+1])
			line = line[end+1:]
			continue
		}
		_, size := utf8.DecodeRuneInString(line)
		if column++; column <= width {
			b.WriteString(line[:size])
		}
		line = line[size:]
	}
	return b.String()
}
