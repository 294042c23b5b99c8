package decoder

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/sha3"

	"superindex/chain"
)

// Layout is one event declaration, compiled. It never changes.
type Layout struct {
	name      string
	signature string
	topic0    chain.Hash // zero for an anonymous event
	anonymous bool
	topics    int // that a log of it has, topic0 among them
	args      []arg
	block     int // bytes of the head of what is not indexed
}

// arg is one argument of an event.
type arg struct {
	field
	indexed bool
}

// Name is the event's name: "Transfer".
func (l *Layout) Name() string { return l.name }

// Signature is the text that topic0 is the hash of:
// "Transfer(address,address,uint256)".
func (l *Layout) Signature() string { return l.signature }

// Topic0 is the first topic of a log of this event; zero for an anonymous one.
func (l *Layout) Topic0() chain.Hash { return l.topic0 }

// Anonymous reports whether the event's logs carry no topic0.
func (l *Layout) Anonymous() bool { return l.anonymous }

// Indexed has a digit for each argument, "1" for an indexed one: "110".
func (l *Layout) Indexed() string {
	digits := make([]byte, len(l.args))
	for i, a := range l.args {
		digits[i] = '0'
		if a.indexed {
			digits[i] = '1'
		}
	}
	return string(digits)
}

// same is equal for two layouts that no log can tell apart: they differ in the
// names of arguments at most.
func (l *Layout) same() string {
	return l.signature + l.Indexed() + strconv.FormatBool(l.anonymous)
}

// declared is an argument or a tuple's component as it was read.
type declared struct {
	name    string
	node    *node
	indexed bool
}

var errLayout = errors.New("no event can be declared so")

// compile makes the layout of an event.
func compile(name string, args []declared, anonymous bool) (*Layout, error) {
	if !identifier(name) {
		return nil, fmt.Errorf("%w: named %q", errLayout, name)
	}
	l := &Layout{name: name, signature: name + "(" + join(args) + ")", anonymous: anonymous}
	if !anonymous {
		l.topics = 1
		l.topic0 = keccak(l.signature)
	}
	for i, key := range keys(args) {
		l.add(key, args[i])
	}
	if l.topics > 4 || l.block > maxHead {
		return nil, fmt.Errorf("%w: %d topics and %d bytes: %s", errLayout, l.topics, l.block, l.signature)
	}
	return l, nil
}

// hashed stands for every indexed value that is only there as its hash.
var hashed = node{kind: kindBytesN, size: word, head: word, name: "bytes32"}

func (l *Layout) add(key string, d declared) {
	n := d.node
	if !d.indexed {
		l.block += n.head
		l.args = append(l.args, arg{newField(key, n), false})
		return
	}
	l.topics++
	if n.reference() {
		n = &hashed
	}
	l.args = append(l.args, arg{newField(key, n), true})
}

func keccak(text string) (h chain.Hash) {
	k := sha3.NewLegacyKeccak256()
	k.Write([]byte(text))
	k.Sum(h[:0])
	return h
}

// join lists the canonical names of the types.
func join(args []declared) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = a.node.name
	}
	return strings.Join(names, ",")
}

// keys makes the JSON keys of args, each with what stands before it. A name that
// is missing, no identifier or taken gives way to the position: identifiers do
// not begin with a digit, so that keys are unique and need no escaping.
func keys(args []declared) []string {
	taken := map[string]bool{}
	made := make([]string, len(args))
	before := "{"
	for i, a := range args {
		name := a.name
		if !identifier(name) || taken[name] {
			name = strconv.Itoa(i)
		}
		taken[name] = true
		made[i] = before + `"` + name + `":`
		before = ","
	}
	return made
}

// identifier reports whether text is a name in Solidity.
func identifier(text string) bool {
	for i := range len(text) {
		if !nameByte(text[i]) {
			return false
		}
	}
	return text != "" && (text[0] < '0' || text[0] > '9')
}

// nameByte reports whether c may stand in a name.
func nameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}
