package devchain

import (
	"context"
	_ "embed" // for the compiled contracts
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"superindex/chain"
)

//go:generate sh -c "node contracts/compile.mjs ../../tools/npm/node_modules/solc > contracts/contracts.json"

//go:embed contracts/contracts.json
var compiled []byte

// Contract is one that is deployed on the chain.
type Contract struct {
	Name    string // "gold"
	Kind    string // "Token": the Solidity contract; "Relay" for one without an ABI
	Address chain.Address
	ABI     json.RawMessage // null for a Relay
	Listed  bool            // to be watched; the others' logs are there to be dropped
}

// Events are the contract's events as Solidity declares them:
// "event Transfer(address indexed from, address indexed to, uint256 value)".
func (c Contract) Events() ([]string, error) {
	parsed, err := parseABI(c.ABI)
	if err != nil {
		return nil, fmt.Errorf("contract %s: %w", c.Name, err)
	}
	var events []string
	for _, e := range parsed.Events {
		events = append(events, e.String())
	}
	return events, nil
}

func parseABI(text json.RawMessage) (parsed abi.ABI, err error) {
	if text == nil {
		return parsed, nil
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		return parsed, fmt.Errorf("read the ABI: %w", err)
	}
	return parsed, nil
}

// deployed is a contract with what is needed to call it.
type deployed struct {
	Contract
	abi abi.ABI
}

// plan is what is deployed, in this order. The addresses follow from it: they are
// the same on every chain.
var plan = [...]struct {
	name, kind string
	args       []string // names of contracts deployed before
	listed     bool
}{
	{name: "gold", kind: "Token", listed: true},
	{name: "silver", kind: "Token", listed: true},
	{name: "stamps", kind: "Collectible", listed: true},
	{name: "gold-silver v2", kind: "PoolV2", args: []string{"gold", "silver"}, listed: true},
	{name: "gold-silver v3", kind: "PoolV3", listed: true},
	{name: "attestations", kind: "Attestations", listed: true},
	{name: "relay", kind: "Relay", listed: true},
	{name: "unlisted", kind: "Token"},
}

// relayCode emits a log with one topic, the first 32 bytes it is called with,
// and the rest as data: an event that nobody has a layout for.
const relayCode = "0x600e8060095f395ff3365f5f375f35602036036020a100"

// deploy sends the creations and mines them.
func (c *Chain) deploy(ctx context.Context) error {
	var artifacts map[string]struct {
		ABI      json.RawMessage
		Bytecode hexutil.Bytes
	}
	if err := json.Unmarshal(compiled, &artifacts); err != nil {
		return fmt.Errorf("read the compiled contracts: %w", err)
	}
	for nonce, p := range plan {
		address := crypto.CreateAddress(c.users[0], uint64(nonce))
		d := deployed{Contract: Contract{Name: p.name, Kind: p.kind, Address: chain.Address(address), Listed: p.listed}}
		code := hexutil.MustDecode(relayCode)
		if a, ok := artifacts[p.kind]; ok {
			d.ABI, code = a.ABI, a.Bytecode
		}
		var err error
		if d.abi, err = parseABI(d.ABI); err != nil {
			return fmt.Errorf("contract %s: %w", p.name, err)
		}
		for _, name := range p.args {
			address := c.contracts[name].Address
			code = append(code, common.LeftPadBytes(address[:], 32)...)
		}
		if err := c.send(ctx, c.users[0], nil, code); err != nil {
			return fmt.Errorf("deploy %s: %w", p.name, err)
		}
		c.contracts[p.name] = d
	}
	if err := c.mine(ctx, 1); err != nil {
		return err
	}
	return c.checkDeployed(ctx)
}

// checkDeployed makes sure that every creation succeeded.
func (c *Chain) checkDeployed(ctx context.Context) error {
	for name, d := range c.contracts {
		var code hexutil.Bytes
		if err := c.child.RPC.CallContext(ctx, &code, "eth_getCode", common.Address(d.Address), "latest"); err != nil {
			return fmt.Errorf("read the code of %s: %w", name, err)
		}
		if len(code) == 0 {
			return fmt.Errorf("contract %s is not at %v", name, d.Address)
		}
	}
	return nil
}
