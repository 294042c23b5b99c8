package devchain

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"

	"github.com/ethereum/go-ethereum/common"
)

// act is what a user may do: call method of the contract named on with what args
// makes. Some actions fail, as they do everywhere: a transaction without logs.
type act struct {
	on, method string
	args       func(c *Chain, r *rand.Rand) []any
}

// acts are chosen from with equal chances: the common ones stand twice.
var acts = [...]act{
	{"gold", "mint", toSomebody},
	{"gold", "transfer", toSomebody},
	{"gold", "transfer", toSomebody},
	{"gold", "approve", toSomebody},
	{"silver", "transfer", toSomebody},
	{"silver", "mint", toSomebody},
	{"stamps", "mint", somebody},
	{"stamps", "mint", somebody},
	{"stamps", "hand", somebody},
	{"stamps", "setApprovalForAll", func(c *Chain, r *rand.Rand) []any {
		return []any{c.user(r), r.IntN(2) == 0}
	}},
	{"gold-silver v2", "swap", func(c *Chain, r *rand.Rand) []any { return []any{amount(r), c.user(r)} }},
	{"gold-silver v2", "swap", func(c *Chain, r *rand.Rand) []any { return []any{amount(r), c.user(r)} }},
	{"gold-silver v2", "mint", func(_ *Chain, r *rand.Rand) []any { return []any{amount(r)} }},
	{"gold-silver v2", "burn", func(c *Chain, r *rand.Rand) []any { return []any{amount(r), c.user(r)} }},
	{"gold-silver v3", "swap", func(c *Chain, r *rand.Rand) []any {
		n := amount(r)
		if r.IntN(2) == 0 {
			n.Neg(n)
		}
		return []any{n, c.user(r)}
	}},
	{"gold-silver v3", "mint", width},
	{"gold-silver v3", "burn", width},
	{"attestations", "attest", func(c *Chain, r *rand.Rand) []any {
		return []any{c.user(r), [32]byte(common.LeftPadBytes([]byte{byte(1 + r.IntN(3))}, 32))}
	}},
	{"attestations", "attest", func(c *Chain, r *rand.Rand) []any {
		return []any{c.user(r), [32]byte(common.LeftPadBytes([]byte{byte(1 + r.IntN(3))}, 32))}
	}},
	{"attestations", "revoke", func(*Chain, *rand.Rand) []any { return nil }},
	{"relay", "", nil},
	{"unlisted", "mint", toSomebody},
}

func somebody(c *Chain, r *rand.Rand) []any   { return []any{c.user(r)} }
func toSomebody(c *Chain, r *rand.Rand) []any { return []any{c.user(r), amount(r)} }

func width(_ *Chain, r *rand.Rand) []any {
	return []any{big.NewInt(int64(60 * (1 + r.IntN(10)))), amount(r)}
}

func (c *Chain) user(r *rand.Rand) common.Address { return c.users[1+r.IntN(len(c.users)-1)] }

// amount is from one thousandth of a token to ten of them, of 18 decimals.
func amount(r *rand.Rand) *big.Int {
	return new(big.Int).Mul(big.NewInt(1+r.Int64N(10_000)), big.NewInt(1e15))
}

// Act has n users do something. Nothing is mined.
func (c *Chain) Act(ctx context.Context, r *rand.Rand, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		a := acts[r.IntN(len(acts))]
		on := c.contracts[a.on]
		data, err := a.data(c, on, r)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", a.on, a.method, err)
		}
		if err := c.send(ctx, c.user(r), &on.Address, data); err != nil {
			return fmt.Errorf("%s.%s: %w", a.on, a.method, err)
		}
	}
	return nil
}

// data is what the contract is called with. The relay has no methods: it gets a
// topic and bytes that fit no layout.
func (a act) data(c *Chain, on deployed, r *rand.Rand) ([]byte, error) {
	if a.args != nil {
		return on.abi.Pack(a.method, a.args(c, r)...)
	}
	bytes := make([]byte, 32+r.IntN(100))
	for i := range bytes {
		bytes[i] = byte(r.Uint32())
	}
	return bytes, nil
}
