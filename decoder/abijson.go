package decoder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// ParseABI compiles every event of an ABI: a JSON array of entries as solc gives
// it, or an object that holds one under "abi", as artifacts do. Entries other
// than events are passed over.
func ParseABI(text []byte) ([]*Layout, error) {
	if t := bytes.TrimSpace(text); len(t) > 0 && t[0] == '{' {
		var artifact struct{ ABI json.RawMessage }
		if err := json.Unmarshal(text, &artifact); err != nil {
			return nil, fmt.Errorf("artifact: %w", err)
		}
		text = artifact.ABI
	}
	var entries []abiEntry
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("ABI: %w", err)
	}
	var layouts []*Layout
	for _, e := range entries {
		if e.Type != "event" {
			continue
		}
		l, err := e.compile()
		if err != nil {
			return nil, fmt.Errorf("event %.80q: %w", e.Name, err)
		}
		layouts = append(layouts, l)
	}
	return layouts, nil
}

// abiEntry is one entry of an ABI, or one of its inputs or components.
type abiEntry struct {
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Anonymous  bool       `json:"anonymous"`
	Indexed    bool       `json:"indexed"`
	Inputs     []abiEntry `json:"inputs"`
	Components []abiEntry `json:"components"`
}

func (e abiEntry) compile() (*Layout, error) {
	args, err := declaredOf(e.Inputs, 1)
	if err != nil {
		return nil, err
	}
	return compile(e.Name, args, e.Anonymous)
}

func declaredOf(entries []abiEntry, depth int) ([]declared, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested over %d deep", errType, maxDepth)
	}
	args := make([]declared, len(entries))
	for i, e := range entries {
		n, err := e.node(depth)
		if err != nil {
			return nil, err
		}
		args[i] = declared{e.Name, n, e.Indexed && depth == 1}
	}
	return args, nil
}

// node compiles the type of an input.
func (e abiEntry) node(depth int) (*node, error) {
	brackets, isTuple := strings.CutPrefix(e.Type, "tuple")
	if !isTuple {
		p := parser{rest: e.Type, depth: depth}
		n, err := p.typed()
		if err == nil && p.rest != "" {
			return nil, fmt.Errorf("%w: %q", errType, e.Type)
		}
		return n, err
	}
	args, err := declaredOf(e.Components, depth+1)
	if err != nil {
		return nil, err
	}
	n, err := tuple(args)
	if err != nil {
		return nil, err
	}
	p := parser{rest: brackets}
	if n, err = p.brackets(n); err == nil && p.rest != "" {
		return nil, fmt.Errorf("%w: %q", errType, e.Type)
	}
	return n, err
}
