package ethrpc

import (
	"errors"
	"fmt"
	"math/big"

	"superindex/chain"
)

// transaction is what is read of a transaction beside its receipt. Its type is of
// no matter: deposits (0x7e), Celo's (0x7b) and those yet to come have these too.
type transaction struct {
	hash     chain.Hash
	method   [4]byte
	gasPrice [32]byte
}

// readTxs reads a block's transactions.
func (b *receipted) readTxs(c *cursor) chain.Count {
	b.txs = nil
	c.enter('[')
	for first := true; c.next(first); first = false {
		var tx transaction
		c.enter('{')
		for first := true; ; first = false {
			key := c.key(first)
			if key == nil {
				break
			}
			tx.member(c, key)
		}
		b.txs = append(b.txs, tx)
	}
	return chain.Known(len(b.txs))
}

func (tx *transaction) member(c *cursor, key []byte) {
	c.mark = c.at
	switch string(key) {
	case "hash":
		c.fixed(tx.hash[:], c.value(), "hash")
	case "gasPrice":
		tx.gasPrice, _ = c.wei(c.value(), "gasPrice")
	case "input":
		c.beginning(tx.method[:], c.value(), "input")
	default:
		c.value()
	}
}

// readReceipts is the call's read.
func (b *receipted) readReceipts(c *cursor) error {
	if c.peek() == 'n' {
		c.value()
		b.gone = true
		return c.err
	}
	c.enter('[')
	for first := true; c.next(first); first = false {
		if err := b.readReceipt(c); err != nil {
			return fmt.Errorf("receipt %d of block %d: %w", b.count, b.number, err)
		}
		b.count++
	}
	return c.err
}

var errNoLogs = errors.New("without logs")

// readReceipt reads a receipt with its logs, and keeps it if somebody wants it.
func (b *receipted) readReceipt(c *cursor) error {
	k := kept{Tx: chain.Tx{Status: chain.StatusUnknown}}
	index, events, logs := quantity{}, len(b.scan.events), false
	c.enter('{')
	for first := true; ; first = false {
		key := c.key(first)
		if key == nil {
			break
		}
		c.mark = c.at
		switch string(key) {
		case "transactionIndex":
			index = c.quantity(c.value(), "transactionIndex")
		case "logs":
			logs = true
			if err := b.scan.read(c); err != nil {
				return err
			}
		default:
			k.member(c, key)
		}
	}
	if c.err != nil {
		return c.err
	}
	if !index.ok || index.n != uint64(b.count) {
		return errors.New("not in the order of the transactions")
	}
	if !logs {
		return errNoLogs
	}
	k.Index = uint32(index.n)
	if len(b.scan.events) > events || b.wants(&k.From) || b.wants(k.To) || b.wants(k.Created) {
		b.kept = append(b.kept, k)
	}
	return nil
}

// wants reports whether an address is watched; none is not.
func (b *receipted) wants(a *chain.Address) bool { return a != nil && b.scan.watched.Has(a) }

// member reads a receipt's other members.
func (k *kept) member(c *cursor, key []byte) {
	switch string(key) {
	case "transactionHash":
		c.fixed(k.Hash[:], c.value(), "transactionHash")
	case "blockHash":
		c.fixed(k.Block.Hash[:], c.value(), "blockHash")
	case "blockNumber":
		k.Block.Number = c.quantity(c.value(), "blockNumber").n
	case "from":
		c.fixed(k.From[:], c.value(), "from")
	case "to":
		k.To = c.address(c.value(), "to")
	case "contractAddress":
		k.Created = c.address(c.value(), "contractAddress")
	case "status":
		if q := c.loose(c.value(), "status"); q.ok {
			k.Status = uint8(min(q.n, 1))
		}
	case "gasUsed":
		k.GasUsed = c.loose(c.value(), "gasUsed").n
	case "effectiveGasPrice":
		k.EffectiveGasPrice, k.priced = c.wei(c.value(), "effectiveGasPrice")
	case "l1Fee":
		k.L1Fee, _ = c.wei(c.value(), "l1Fee")
	default:
		c.value()
	}
}

// bare reports whether a value is null or a text of nothing, "" or "0x".
func (c *cursor) bare(v value) bool {
	return v.kind == 'n' || c.err == nil && v.isText() && (v.from == v.to || string(c.clear(v)) == "0x")
}

// address reads an address; nil for one that is bare.
func (c *cursor) address(v value, name string) *chain.Address {
	if c.bare(v) {
		return nil
	}
	a := new(chain.Address)
	c.fixed(a[:], v, name)
	return a
}

// loose reads a quantity, as 0 where it is "0x".
func (c *cursor) loose(v value, name string) quantity {
	if c.bare(v) {
		return quantity{ok: v.kind != 'n'}
	}
	return c.quantity(v, name)
}

// wei reads a quantity of up to 256 bits, big-endian; false and zero where it is
// bare.
func (c *cursor) wei(v value, name string) (n [32]byte, ok bool) {
	if c.err != nil || c.bare(v) {
		return n, false
	}
	text, base := c.clear(v), 10
	if prefixed(text) {
		text, base = text[2:], 16
	}
	i, ok := new(big.Int).SetString(string(text), base)
	if !ok || i.Sign() < 0 || i.BitLen() > 8*len(n) || !v.isText() && v.kind != '0' {
		c.fail(fmt.Errorf("%s: %.80q is no quantity", name, c.bytes(v)))
		return n, false
	}
	i.FillBytes(n[:])
	return n, true
}

// beginning reads the first bytes of 0x text, fewer where it is shorter.
func (c *cursor) beginning(dst []byte, v value, name string) {
	if c.err != nil || c.bare(v) {
		return
	}
	text := c.clear(v)
	size := min(len(dst), len(text)/2-1)
	if !v.isText() || !prefixed(text) || !unhex(dst[:size], text[2:2+2*size]) {
		c.fail(fmt.Errorf("%s: %w: %.24q", name, errHex, c.bytes(v)))
	}
}
