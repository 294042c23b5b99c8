package decoder

import (
	"fmt"
	"strings"
)

// Parse compiles a human-readable declaration:
//
//	event Transfer(address indexed from, address indexed to, uint256 value)
//
// The word event, the names and a closing semicolon may be missing; tuple stands
// before a tuple's bracket or does not; anonymous stands behind.
func Parse(signature string) (*Layout, error) {
	p := parser{rest: strings.TrimSuffix(strings.TrimSpace(signature), ";")}
	l, err := p.event()
	if err != nil {
		return nil, fmt.Errorf("signature %.200q: %w", signature, err)
	}
	return l, nil
}

// parser reads one declaration from the left.
type parser struct {
	rest  string
	depth int
}

func (p *parser) event() (*Layout, error) {
	name := p.word()
	if name == "event" && !strings.HasPrefix(p.rest, "(") {
		name = p.word()
	}
	args, err := p.args()
	if err != nil {
		return nil, err
	}
	last := p.word()
	if p.space(); p.rest != "" || last != "" && last != "anonymous" {
		return nil, fmt.Errorf("%w: %.80q follows", errLayout, last+p.rest)
	}
	return compile(name, args, last != "")
}

// args reads "(type [indexed] [name], ...)".
func (p *parser) args() (args []declared, err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("%w: nested over %d deep", errType, maxDepth)
	}
	defer func() { p.depth-- }()
	if !p.take('(') {
		return nil, fmt.Errorf("%w: ( expected before %.80q", errLayout, p.rest)
	}
	if p.take(')') {
		return nil, nil
	}
	for {
		a, err := p.arg()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if p.take(')') {
			return args, nil
		}
		if !p.take(',') {
			return nil, fmt.Errorf("%w: , or ) expected before %.80q", errLayout, p.rest)
		}
	}
}

func (p *parser) arg() (a declared, err error) {
	if a.node, err = p.typed(); err != nil {
		return a, err
	}
	a.name = p.word()
	if a.name == "indexed" && p.depth == 1 {
		a.indexed, a.name = true, p.word()
	}
	return a, nil
}

// typed reads a type with its brackets.
func (p *parser) typed() (*node, error) {
	n, err := p.stem()
	if err != nil {
		return nil, err
	}
	return p.brackets(n)
}

// brackets makes n an array for each pair of brackets that follows.
func (p *parser) brackets(n *node) (_ *node, err error) {
	for depth := 1; p.take('['); depth++ {
		size := -1
		if digits := p.word(); digits != "" {
			size = number(digits, maxHead)
			if size < 0 {
				return nil, fmt.Errorf("%w: array of %.80s", errType, digits)
			}
		}
		if !p.take(']') || depth > maxDepth {
			return nil, fmt.Errorf("%w: ] expected before %.80q", errType, p.rest)
		}
		if n, err = array(n, size); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (p *parser) stem() (*node, error) {
	name := p.word()
	if name != "" && name != "tuple" {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " "), "payable"); ok && name == "address" {
			p.rest = rest
		}
		return elementary(name)
	}
	args, err := p.args()
	if err != nil {
		return nil, err
	}
	return tuple(args)
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// word takes letters, digits, _ and $; it may be empty.
func (p *parser) word() string {
	p.space()
	end := 0
	for end < len(p.rest) && nameByte(p.rest[end]) {
		end++
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

// take takes c where it is next.
func (p *parser) take(c byte) bool {
	p.space()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}
