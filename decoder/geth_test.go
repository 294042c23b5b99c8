package decoder

import (
	"bytes"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"superindex/chain"
)

// gethArguments is what accounts/abi makes of the layout's arguments. Names are
// its own: ours may be no identifiers of Go.
func gethArguments(t testing.TB, l *Layout) (args abi.Arguments) {
	t.Helper()
	for i, a := range l.args {
		n := a.node
		if n == &hashed {
			n = mustParse(t, "event E(bytes32)").args[0].node
		}
		args = append(args, abi.Argument{Name: "f" + strconv.Itoa(i), Type: gethType(t, n), Indexed: a.indexed})
	}
	return args
}

func gethType(t testing.TB, n *node) abi.Type {
	t.Helper()
	m := marshaling("f0", n)
	made, err := abi.NewType(m.Type, "", m.Components)
	if err != nil {
		t.Fatalf("accounts/abi does not know %s: %v", n.name, err)
	}
	return made
}

func marshaling(name string, n *node) abi.ArgumentMarshaling {
	core, brackets := n, ""
	for core.kind == kindSlice || core.kind == kindArray {
		size := ""
		if core.kind == kindArray {
			size = strconv.Itoa(core.size)
		}
		core, brackets = core.elem, "["+size+"]"+brackets
	}
	m := abi.ArgumentMarshaling{Name: name, Type: core.name + brackets}
	if core.kind == kindTuple {
		m.Type = "tuple" + brackets
		for i, f := range core.fields {
			m.Components = append(m.Components, marshaling("f"+strconv.Itoa(i), f.node))
		}
	}
	return m
}

// gethJSON is what Args has to be for these values, the first part of each
// argument's key taken from the layout.
func gethJSON(l *Layout, values []any) string {
	var b strings.Builder
	for i, a := range l.args {
		b.WriteString(a.key)
		render(&b, a.node, reflect.ValueOf(values[i]))
	}
	if len(l.args) == 0 {
		b.WriteByte('{')
	}
	return b.String() + "}"
}

func render(b *strings.Builder, n *node, v reflect.Value) {
	switch n.kind {
	case kindSlice, kindArray:
		for i := range v.Len() {
			b.WriteByte(",["[1-min(i, 1)])
			render(b, n.elem, v.Index(i))
		}
		if v.Len() == 0 {
			b.WriteByte('[')
		}
		b.WriteByte(']')
	case kindTuple:
		for i, f := range n.fields {
			b.WriteString(f.key)
			render(b, f.node, v.Field(i))
		}
		b.WriteByte('}')
	default:
		b.WriteString(renderLeaf(n, v.Interface()))
	}
}

func renderLeaf(n *node, v any) string {
	switch v := v.(type) {
	case *big.Int:
		if n.size <= 48 {
			return v.String()
		}
		return `"` + v.String() + `"`
	case uint64, int64:
		return fmt.Sprintf(`"%d"`, v)
	case bool, uint8, uint16, uint32, int8, int16, int32:
		return fmt.Sprint(v)
	case string:
		return renderText(v)
	case []byte:
		return fmt.Sprintf(`"0x%x"`, v)
	case common.Address:
		return fmt.Sprintf(`"0x%x"`, v[:])
	}
	return fmt.Sprintf(`"0x%x"`, v) // an array of bytes
}

func renderText(s string) string {
	if !utf8.ValidString(s) {
		return fmt.Sprintf(`{"hex":"0x%x"}`, s)
	}
	var b strings.Builder
	for _, r := range s {
		switch short, ok := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}[r]; {
		case ok:
			b.WriteString(short)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// gethDecode reads a log as accounts/abi does and returns the values of all
// arguments, in their order. Indexed ones that it has no reader for (tuples, and
// functions, which it looks for on the wrong side) are read as 32 bytes.
func gethDecode(args abi.Arguments, l *Layout, topics []chain.Hash, data []byte) ([]any, error) {
	plain, err := args.NonIndexed().Unpack(data)
	if err != nil {
		return nil, err
	}
	var values []any
	for i, a := range args {
		if !a.Indexed {
			values, plain = append(values, plain[0]), plain[1:]
			continue
		}
		v, err := gethTopic(a, l.args[i].node, topics[0])
		if err != nil {
			return nil, err
		}
		values, topics = append(values, v), topics[1:]
	}
	return values, nil
}

func gethTopic(a abi.Argument, n *node, topic chain.Hash) (any, error) {
	if n.name == "function" {
		return [24]byte(topic[:24]), nil
	}
	out := map[string]any{}
	err := abi.ParseTopicsIntoMap(out, abi.Arguments{a}, []common.Hash{common.Hash(topic)})
	return out[a.Name], err
}

func mustParse(t testing.TB, signature string) *Layout {
	t.Helper()
	l, err := Parse(signature)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func gethABI(t testing.TB, text []byte) abi.ABI {
	t.Helper()
	parsed, err := abi.JSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
