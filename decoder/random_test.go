package decoder

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"superindex/chain"
)

// elementaries are all the types without brackets that accounts/abi knows too.
func elementaries() (names []string) {
	for n := 8; n <= 256; n += 8 {
		names = append(names, fmt.Sprintf("uint%d", n), fmt.Sprintf("int%d", n))
	}
	for n := 1; n <= 32; n++ {
		names = append(names, fmt.Sprintf("bytes%d", n))
	}
	return append(names, "address", "bool", "function", "bytes", "string")
}

// dice makes random layouts and values.
type dice struct {
	*rand.Rand
	leaves []string
	used   map[string]int // how often each elementary type was chosen
}

func newDice(seed uint64) *dice {
	return &dice{rand.New(rand.NewPCG(seed, 1)), elementaries(), map[string]int{}}
}

// signature is a random declaration of up to six arguments.
func (d *dice) signature() string {
	var args []string
	indexed := 0
	for i := range d.IntN(7) {
		arg := d.typed(3)
		if indexed < 3 && d.IntN(4) == 0 {
			indexed++
			arg += " indexed"
		}
		if d.IntN(5) > 0 {
			arg += fmt.Sprintf(" arg%d", i)
		}
		args = append(args, arg)
	}
	return "event Random" + fmt.Sprint(d.IntN(1000)) + "(" + strings.Join(args, ", ") + ")"
}

func (d *dice) typed(depth int) string {
	switch roll := d.IntN(10); {
	case depth > 0 && roll == 0:
		return d.typed(depth-1) + "[]"
	case depth > 0 && roll == 1:
		return fmt.Sprintf("%s[%d]", d.typed(depth-1), 1+d.IntN(3))
	case depth > 0 && roll == 2:
		var parts []string
		for i := range 1 + d.IntN(4) {
			parts = append(parts, d.typed(depth-1)+fmt.Sprintf(" c%d", i))
		}
		return "(" + strings.Join(parts, ",") + ")"
	case roll < 6: // strings and bytes as often as all the others together
		return d.leaf("bytes", "string")
	}
	return d.leaf(d.leaves...)
}

func (d *dice) leaf(of ...string) string {
	name := of[d.IntN(len(of))]
	d.used[name]++
	return name
}

// fill sets v to a random value of type a.
func (d *dice) fill(a abi.Type, v reflect.Value) {
	switch a.T {
	case abi.SliceTy:
		v.Set(reflect.MakeSlice(v.Type(), d.IntN(4), 4))
		fallthrough
	case abi.ArrayTy:
		for i := range v.Len() {
			d.fill(*a.Elem, v.Index(i))
		}
	case abi.TupleTy:
		for i := range a.TupleElems {
			d.fill(*a.TupleElems[i], v.Field(i))
		}
	case abi.UintTy, abi.IntTy:
		d.fillInteger(a, v)
	case abi.StringTy:
		v.SetString(d.text())
	case abi.BytesTy:
		v.SetBytes(d.bytes(d.IntN(100)))
	case abi.BoolTy:
		v.SetBool(d.IntN(2) == 0)
	default: // arrays of bytes
		reflect.Copy(v, reflect.ValueOf(d.bytes(v.Len())))
	}
}

func (d *dice) fillInteger(a abi.Type, v reflect.Value) {
	bits := uint(a.Size)
	n := new(big.Int).SetBytes(d.bytes(d.IntN(a.Size/8 + 1)))
	switch d.IntN(6) {
	case 0:
		n.Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
	case 1:
		n.Lsh(big.NewInt(1), bits-1)
	}
	if a.T == abi.IntTy && n.Bit(int(bits)-1) == 1 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), bits))
	}
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.ValueOf(n))
	case v.CanInt():
		v.SetInt(n.Int64())
	default:
		v.SetUint(n.Uint64())
	}
}

func (d *dice) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return b
}

// text is UTF-8 with what has to be escaped, or in one case of four anything.
func (d *dice) text() string {
	if d.IntN(4) == 0 {
		return string(d.bytes(d.IntN(40)))
	}
	var b strings.Builder
	for range d.IntN(40) {
		b.WriteRune([]rune("aé\"\\\n\t\x00\x1f\b\f\r\x7f\u2028😀/<")[d.IntN(16)])
	}
	return b.String()
}

// log is a random log of the layout with the values that were put into it, as
// accounts/abi packs them.
func (d *dice) log(t *testing.T, l *Layout) (log chain.Log, values []any) {
	args := gethArguments(t, l)
	log.Topics = []chain.Hash{l.topic0}
	var plain []any
	for _, a := range args {
		v := reflect.New(a.Type.GetType()).Elem()
		d.fill(a.Type, v)
		values = append(values, v.Interface())
		if !a.Indexed {
			plain = append(plain, v.Interface())
			continue
		}
		word, err := abi.Arguments{{Type: a.Type}}.Pack(v.Interface())
		if err != nil {
			t.Fatal(err)
		}
		log.Topics = append(log.Topics, chain.Hash(word))
	}
	data, err := args.NonIndexed().Pack(plain...)
	if err != nil {
		t.Fatal(err)
	}
	log.Data = data
	return log, values
}

// TestRandomEqualsGeth decodes random logs of random layouts: the arguments are
// those that were packed, and those that accounts/abi unpacks. Then it breaks
// the log in one place: what still decodes is what accounts/abi says.
func TestRandomEqualsGeth(t *testing.T) {
	const pairs = 12_000
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d pairs", seed, pairs)
	d := newDice(seed)
	broken := Stats{}
	for i := range pairs {
		signature := d.signature()
		l := mustParse(t, signature)
		if err := matchesGeth(t, l); err != nil {
			t.Fatalf("seed %d, pair %d: %s: %v", seed, i, signature, err)
		}
		log, values := d.log(t, l)
		e := chain.Event{Log: log}
		New(Sources{Layouts: []*Layout{l}}).Decode(&e, nil)
		if want := gethJSON(l, values); string(e.Args) != want || e.Decoding != chain.Decoded {
			t.Fatalf("seed %d, pair %d: %s\ndata %x\ngot  %s\nwant %s", seed, i, signature, log.Data, e.Args, want)
		}
		if err := sameAsGeth(t, l, log.Topics[1:], log.Data); err != nil {
			t.Fatalf("seed %d, pair %d: %s: %v", seed, i, signature, err)
		}
		d.damage(&log)
		if err := sameAsGeth(t, l, log.Topics[1:], log.Data); err != nil {
			t.Fatalf("seed %d, pair %d, broken: %s: %v", seed, i, signature, err)
		}
		_, why := New(Sources{Layouts: []*Layout{l}}).Decode(&e, nil)
		broken[why]++
	}
	for _, name := range d.leaves {
		if d.used[name] == 0 {
			t.Errorf("no pair had a %s", name)
		}
	}
	t.Logf("broken logs by reason: %v", broken)
}

// matchesGeth compares what the two make of a declaration.
func matchesGeth(t *testing.T, l *Layout) error {
	args := abi.Arguments{}
	for i, a := range declaredTypes(t, l) {
		args = append(args, abi.Argument{Name: fmt.Sprint("f", i), Type: a})
	}
	g := abi.NewEvent(l.name, l.name, false, args)
	if g.Sig != l.signature || g.ID != common.Hash(l.topic0) {
		return fmt.Errorf("signature %s is %s to accounts/abi", l.signature, g.Sig)
	}
	return nil
}

// declaredTypes are the types before indexed ones were hashed, read from the
// signature again.
func declaredTypes(t *testing.T, l *Layout) (types []abi.Type) {
	for _, a := range mustParse(t, "event "+l.signature).args {
		types = append(types, gethType(t, a.node))
	}
	return types
}

// damage changes one word, cuts the end or adds to it.
func (d *dice) damage(log *chain.Log) {
	words := len(log.Data) / 32
	switch roll := d.IntN(6); {
	case roll == 0:
		log.Data = append(log.Data, d.bytes(d.IntN(65))...)
	case roll == 1:
		log.Data = log.Data[:d.IntN(len(log.Data)+1)]
	case roll == 2 && words > 0:
		log.Data[d.IntN(len(log.Data))] ^= byte(1 << d.IntN(8))
	case roll < 5 && words > 0: // a word that looks like a length or an offset
		at := 32 * d.IntN(words)
		clear(log.Data[at : at+32])
		log.Data[at+31] = byte(32 * d.IntN(12))
		log.Data[at+31] += byte(d.IntN(2))
	case len(log.Topics) > 1:
		log.Topics[1+d.IntN(len(log.Topics)-1)][d.IntN(32)] ^= 1
	}
}
