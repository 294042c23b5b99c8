package decoder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// kind is what a word, or what an offset points to, means.
type kind uint8

const (
	kindUint   kind = iota // size is in bits
	kindInt                // size is in bits
	kindUfixed             // size is in bits, scale in decimals
	kindFixed              // size is in bits, scale in decimals
	kindAddress
	kindBool
	kindBytesN // size is in bytes; function is 24 of them
	kindBytes
	kindString
	kindSlice // of elem
	kindArray // size of elem
	kindTuple // of fields
)

// word is how many bytes everything in the ABI is a multiple of.
const word = 32

// Bounds of what is accepted as a type. Solidity's stack allows far less; they
// keep a hostile ABI from making a layout that is dear to walk.
const (
	maxDepth = 32      // nested arrays and tuples
	maxHead  = 1 << 20 // bytes of one block's head
)

// node is one type, compiled. Nodes form a tree and never change.
type node struct {
	kind    kind
	dynamic bool // the head holds an offset instead of the value
	size    int
	scale   int
	head    int // bytes in the enclosing head: word for a dynamic type
	block   int // bytes of the own head: what an offset to an array or tuple leads to
	elem    *node
	fields  []field
	name    string // canonical, as it is hashed: "(uint256,address)[]"
}

// field is a component of a tuple.
type field struct {
	key   string           // `{"name":` for the first, `,"name":` for the others
	begin [keyWords]uint64 // the key's first bytes, lowest first
	node  *node
}

// keyWords times eight bytes hold most keys.
const keyWords = 2

func newField(key string, n *node) field {
	f := field{key: key, node: n}
	for i := range min(len(key), 8*keyWords) {
		f.begin[i/8] |= uint64(key[i]) << (i % 8 * 8)
	}
	return f
}

// appendKey appends the key; most keys are too short for what a call to copy them
// costs, and are stored a word at a time.
func (f *field) appendKey(dst []byte) []byte {
	n := len(dst)
	if len(f.key) > 8*keyWords || cap(dst)-n < 8*keyWords {
		return append(dst, f.key...)
	}
	b := (*[8 * keyWords]byte)(dst[n : n+8*keyWords])
	binary.LittleEndian.PutUint64(b[:], f.begin[0])
	binary.LittleEndian.PutUint64(b[8:], f.begin[1])
	return dst[:n+len(f.key)]
}

// reference reports whether an indexed argument of this type is only hashed.
func (n *node) reference() bool {
	switch n.kind {
	case kindBytes, kindString, kindSlice, kindArray, kindTuple:
		return true
	}
	return false
}

var errType = errors.New("no such type")

// elementary compiles a type without brackets: "uint", "bytes32", "address".
func elementary(name string) (*node, error) {
	n := &node{head: word, name: name}
	switch name {
	case "address":
		n.kind = kindAddress
	case "bool":
		n.kind = kindBool
	case "function":
		n.kind, n.size = kindBytesN, 24
	case "string":
		n.kind, n.dynamic = kindString, true
	case "bytes":
		n.kind, n.dynamic = kindBytes, true
	default:
		return sized(n, name)
	}
	return n, nil
}

// sized compiles the types that carry a number.
func sized(n *node, name string) (*node, error) {
	stem := strings.TrimRight(name, "0123456789x")
	digits := name[len(stem):]
	switch stem {
	case "uint", "int":
		if digits == "" {
			digits = "256"
		}
		n.kind, n.name = kindUint, stem+digits
		if stem == "int" {
			n.kind = kindInt
		}
		n.size = number(digits, 256)
	case "bytes":
		n.kind, n.size = kindBytesN, 8*number(digits, 32)
	case "fixed", "ufixed":
		return fixed(n, name)
	default:
		return nil, fmt.Errorf("%w: %q", errType, name)
	}
	if n.size < 8 || n.size%8 != 0 {
		return nil, fmt.Errorf("%w: %q", errType, name)
	}
	if n.kind == kindBytesN {
		n.size /= 8
	}
	return n, nil
}

// fixed compiles "fixedMxN" and "ufixedMxN".
func fixed(n *node, name string) (*node, error) {
	stem, digits, _ := strings.Cut(name, "fixed")
	if digits == "" {
		digits = "128x18"
	}
	bits, scale, _ := strings.Cut(digits, "x")
	n.name, n.size, n.scale = stem+"fixed"+digits, number(bits, 256), number(scale, 80)
	n.kind = kindFixed
	if stem == "u" {
		n.kind = kindUfixed
	}
	if n.size < 8 || n.size%8 != 0 || n.scale < 0 {
		return nil, fmt.Errorf("%w: %q", errType, name)
	}
	return n, nil
}

// number reads a decimal number without leading zeros up to most; -1 is none.
func number(digits string, most int) int {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > most || strconv.Itoa(n) != digits {
		return -1
	}
	return n
}

// array compiles elem[size]; size -1 is elem[].
func array(elem *node, size int) (*node, error) {
	if size < 0 {
		return &node{kind: kindSlice, dynamic: true, head: word, elem: elem, name: elem.name + "[]"}, nil
	}
	if size == 0 || size > maxHead/elem.head {
		return nil, fmt.Errorf("%w: array of %d %s", errType, size, elem.name)
	}
	n := &node{
		kind: kindArray, size: size, elem: elem, dynamic: elem.dynamic,
		block: size * elem.head, name: elem.name + "[" + strconv.Itoa(size) + "]",
	}
	n.head = n.block
	if n.dynamic {
		n.head = word
	}
	return n, nil
}

// tuple compiles a struct.
func tuple(args []declared) (*node, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("%w: tuple of nothing", errType)
	}
	n := &node{kind: kindTuple, name: "(" + join(args) + ")"}
	for i, key := range keys(args) {
		n.fields = append(n.fields, newField(key, args[i].node))
		n.block += args[i].node.head
		n.dynamic = n.dynamic || args[i].node.dynamic
	}
	if n.block > maxHead {
		return nil, fmt.Errorf("%w: tuple of %d bytes", errType, n.block)
	}
	n.head = n.block
	if n.dynamic {
		n.head = word
	}
	return n, nil
}
