// Command picture makes an SVG of what a terminal shows: it reads what `script` wrote
// down from stdin, and writes the picture to stdout. It knows as much of a terminal as
// superindex uses: lines, colours, going up and clearing to the end. All but main is
// pure.
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// The picture's measures, in pixels of a font of fontSize.
const (
	fontSize   = 13
	cellWidth  = 7.83
	lineHeight = 18
	margin     = 16
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the terminal: %w", err)
	}
	w := bufio.NewWriter(out)
	draw(w, trim(replay(string(text))))
	return w.Flush()
}

var (
	up    = regexp.MustCompile(`^\x1b\[(\d+)A`)
	clear = regexp.MustCompile(`^\x1b\[J`)
)

// replay returns the lines that stand on the terminal at the end, colours still in them.
func replay(text string) []string {
	lines, row := []string{""}, 0
	for text != "" {
		switch m := up.FindStringSubmatch(text); {
		case m != nil:
			n, _ := strconv.Atoi(m[1]) // digits, by the pattern
			row, text = max(0, row-n), text[len(m[0]):]
		case clear.MatchString(text):
			lines, text = append(lines[:row], ""), text[len("\x1b[J"):]
		case text[0] == '\n':
			row, text = row+1, text[1:]
			if row == len(lines) {
				lines = append(lines, "")
			}
		case text[0] == '\r':
			text = text[1:] // what is drawn again was cleared before
		default:
			lines[row], text = lines[row]+text[:1], text[1:]
		}
	}
	return lines
}

// trim leaves out what `script` says of itself, and empty lines at both ends.
func trim(lines []string) (kept []string) {
	for _, l := range lines {
		if !strings.HasPrefix(l, "Script started on ") && !strings.HasPrefix(l, "Script done on ") {
			kept = append(kept, strings.TrimRight(l, " "))
		}
	}
	for len(kept) > 0 && kept[0] == "" {
		kept = kept[1:]
	}
	for len(kept) > 0 && kept[len(kept)-1] == "" {
		kept = kept[:len(kept)-1]
	}
	return kept
}

var colour = regexp.MustCompile("\x1b\\[(\\d+)m")

// colours are SGR's numbers as the picture shows them.
var colours = map[string]string{"31": "#ff6b6b", "32": "#63d297", "33": "#e5c07b", "39": "#d7dae0"}

func draw(w io.Writer, lines []string) {
	columns := 0
	for _, l := range lines {
		columns = max(columns, len(colour.ReplaceAllString(l, "")))
	}
	width, height := int(float64(columns)*cellWidth)+2*margin, len(lines)*lineHeight+2*margin
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="%d" fill="#d7dae0">`+"\n",
		width, height, width, height, fontSize)
	fmt.Fprintf(w, `<rect width="%d" height="%d" rx="8" fill="#16181d"/>`+"\n", width, height)
	for i, l := range lines {
		if l == "" {
			continue
		}
		fmt.Fprintf(w, `<text x="%d" y="%d" textLength="%.0f" xml:space="preserve">%s</text>`+"\n",
			margin, margin+fontSize+i*lineHeight, float64(len(colour.ReplaceAllString(l, "")))*cellWidth, spans(l))
	}
	fmt.Fprintln(w, "</svg>")
}

// spans is a line with its colours as SVG has them.
func spans(line string) string {
	var b strings.Builder
	open := false
	for line != "" {
		at := colour.FindStringSubmatchIndex(line)
		if at == nil {
			at = []int{len(line), len(line), len(line), len(line)}
		}
		b.WriteString(html.EscapeString(line[:at[0]]))
		if open {
			b.WriteString("</tspan>")
			open = false
		}
		if fill := colours[line[at[2]:at[3]]]; fill != "" {
			fmt.Fprintf(&b, `<tspan fill="%s">`, fill)
			open = true
		}
		line = line[at[1]:]
	}
	if open {
		b.WriteString("</tspan>")
	}
	return b.String()
}
