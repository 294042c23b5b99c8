package decoder

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"superindex/chain"
	"superindex/internal/assets"
)

// The contract emits, and beside each event stands what has to be read. Events
// without topic0 are known by the contract's address.
const contract = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Emitter {
    enum Color { Red, Green, Blue }
    struct Point { int24 x; int256 y; }
    struct Shape { string name; Point[] points; Color color; bytes4[2] tags; }
    struct Deep { Shape[2] pair; uint256[][] table; Point fixedPoint; }
    type Price is uint128;

    event Indexed(string indexed text, bytes indexed raw, uint256[] indexed list, string plain);
    event Structs(Point indexed hashed, Point plain, Shape shape);
    event Nested(Deep deep, bytes tail);
    event Arrays(uint8[3] fixedInts, string[2] fixedTexts, bytes[] raws, int64[][2] mixed, address[] none);
    event Words(uint8 a, int8 b, int256 c, bool d, address e, bytes1 f, bytes32 g, Color h, Price i, uint48 j, uint56 k, Emitter l);
    event Calls(function () external f, function () external indexed g);
    event Nothing();
    event Unnamed(uint256, string, bool indexed);
    event Secret(bytes4 indexed a, address indexed b, uint256 indexed c, int8 indexed d, string e) anonymous;
    event Plain(uint256[2] a) anonymous;

    function target() external {}

    function emitAll(bytes calldata raw, string calldata notUtf8) external {
        uint256[] memory list = new uint256[](2);
        (list[0], list[1]) = (1, type(uint256).max);
        emit Indexed("hello", hex"00ff", list, unicode"héllo \"\\\n\u0001");

        Point[] memory points = new Point[](2);
        (points[0], points[1]) = (Point(-8388608, type(int256).min), Point(8388607, -1));
        Shape memory shape = Shape("tri", points, Color.Blue, [bytes4(0xdeadbeef), bytes4(0)]);
        emit Structs(points[0], points[1], shape);

        Deep memory deep;
        deep.pair[0] = shape;
        deep.pair[1].name = notUtf8;
        deep.table = new uint256[][](3);
        deep.table[1] = list;
        deep.fixedPoint = Point(1, 2);
        emit Nested(deep, raw);

        bytes[] memory raws = new bytes[](3);
        (raws[0], raws[1]) = (raw, hex"01");
        int64[][2] memory mixed;
        mixed[1] = new int64[](1);
        mixed[1][0] = -5;
        emit Arrays([1, 2, 255], ["", "0123456789012345678901234567890123456789"], raws, mixed, new address[](0));

        emit Words(255, -128, type(int256).min, true, msg.sender, 0x7f, bytes32(uint256(1)), Color.Green,
            Price.wrap(type(uint128).max), type(uint48).max, type(uint56).max, this);
        emit Calls(this.target, this.target);
        emit Nothing();
        emit Unnamed(7, "seven", true);
        emit Secret(0x01020304, msg.sender, 300, -1, "hush");
        emit Plain([uint256(11), 12]);
    }
}
`

// TestSolidity compiles the contract with solc, runs it on anvil and reads what
// it emitted.
func TestSolidity(t *testing.T) {
	abiJSON, code := compileSolidity(t)
	node := startAnvil(t)
	logs, emitter, sender := emitAll(t, node, abiJSON, code)

	layouts, err := ParseABI(abiJSON)
	if err != nil {
		t.Fatal(err)
	}
	table := New(Sources{Addresses: map[chain.Address][]*Layout{emitter: layouts}})
	want := emitted(emitter, sender)
	if len(logs) != len(want) {
		t.Fatalf("%d logs, %d expected", len(logs), len(want))
	}
	for i, log := range logs {
		e := chain.Event{Log: log}
		table.Decode(&e, nil)
		if got := e.Name + " " + string(e.Args); got != want[i] || e.Decoding != chain.Decoded {
			t.Errorf("%v\ngot  %s\nwant %s\ntopics %v, data %x", e.Decoding, got, want[i], log.Topics, log.Data)
		}
		for _, l := range layouts {
			if l.name == e.Name {
				exactly(t, l, log)
			}
		}
	}
}

// exactly fails unless the log fits exactly: Solidity's encoder writes no other way.
func exactly(t *testing.T, l *Layout, log chain.Log) {
	t.Helper()
	topics := log.Topics
	if !l.anonymous {
		topics = topics[1:]
	}
	r := reader{data: log.Data, left: 2 * len(log.Data), exact: true}
	if why := r.event(l, topics); why != Fits || !r.exact {
		t.Errorf("%s: %v, exact %v", l.signature, why, r.exact)
	}
}

const (
	rawBytes = "0x00010203"
	notUTF8  = "0xc328"
)

// emitted is what the contract emits, in its order.
func emitted(emitter, sender chain.Address) []string {
	const most = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	const least = "-57896044618658097711785492504343953926634992332820282019728792003956564819968"
	hash := func(preimage []byte) chain.Hash { return keccak(string(preimage)) }
	point := `{"x":-8388608,"y":"` + least + `"}`
	shape := `{"name":"tri","points":[` + point + `,{"x":8388607,"y":"-1"}],"color":2,"tags":["0xdeadbeef","0x00000000"]}`
	target := emitter.String() + keccak("target()").String()[2:10]
	wordOf := func(n int64) []byte { return common.BigToHash(new(big.Int).And(big.NewInt(n), maxWord())).Bytes() }
	leastWord := append([]byte{0x80}, make([]byte, 31)...)
	return []string{
		fmt.Sprintf(`Indexed {"text":%q,"raw":%q,"list":%q,"plain":"héllo \"\\\n\u0001"}`,
			hash([]byte("hello")), hash([]byte{0, 0xff}), hash(append(wordOf(1), bytes.Repeat([]byte{0xff}, 32)...))),
		fmt.Sprintf(`Structs {"hashed":%q,"plain":{"x":8388607,"y":"-1"},"shape":%s}`, hash(append(wordOf(-8388608), leastWord...)), shape),
		`Nested {"deep":{"pair":[` + shape + `,{"name":{"hex":"` + notUTF8 + `"},"points":[],"color":0,"tags":["0x00000000","0x00000000"]}],"table":[[],["1","` + most +
			`"],[]],"fixedPoint":{"x":1,"y":"2"}},"tail":"` + rawBytes + `"}`,
		`Arrays {"fixedInts":[1,2,255],"fixedTexts":["","0123456789012345678901234567890123456789"],"raws":["` + rawBytes + `","0x01","0x"],"mixed":[[],["-5"]],"none":[]}`,
		`Words {"a":255,"b":-128,"c":"` + least + `","d":true,"e":"` + sender.String() + `","f":"0x7f","g":"0x` + fmt.Sprintf("%064x", 1) +
			`","h":1,"i":"340282366920938463463374607431768211455","j":281474976710655,"k":"72057594037927935","l":"` + emitter.String() + `"}`,
		`Calls {"f":"` + target + `","g":"` + target + `"}`,
		`Nothing {}`,
		`Unnamed {"0":"7","1":"seven","2":true}`,
		`Secret {"a":"0x01020304","b":"` + sender.String() + `","c":"300","d":-1,"e":"hush"}`,
		`Plain {"a":["11","12"]}`,
	}
}

func maxWord() *big.Int { return new(big.Int).SetBytes(bytes.Repeat([]byte{0xff}, 32)) }

// compileSolidity runs npm's solc, which `make deps` puts into tools/npm.
func compileSolidity(t *testing.T) (abiJSON, code []byte) {
	t.Helper()
	solc := filepath.Join("..", "tools", "npm", "node_modules", "solc")
	if _, err := os.Stat(solc); err != nil {
		t.Skipf("solc is not installed: %v", err)
	}
	input, err := json.Marshal(map[string]any{
		"language": "Solidity",
		"sources":  map[string]any{"e.sol": map[string]any{"content": contract}},
		"settings": map[string]any{
			"evmVersion": "paris", "viaIR": true, "optimizer": map[string]any{"enabled": true},
			"outputSelection": map[string]any{"*": map[string]any{"*": []string{"abi", "evm.bytecode.object"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-e", `process.stdout.write(require(process.argv[1]).compile(require("fs").readFileSync(0,"utf8")))`, mustAbs(t, solc))
	cmd.Stdin = bytes.NewReader(input)
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("solc: %v", err)
	}
	var output struct {
		Errors    []struct{ Severity, FormattedMessage string }
		Contracts map[string]map[string]struct {
			ABI json.RawMessage
			EVM struct{ Bytecode struct{ Object string } }
		}
	}
	if err := json.Unmarshal(text, &output); err != nil {
		t.Fatalf("solc: %v: %.200s", err, text)
	}
	for _, e := range output.Errors {
		if e.Severity == "error" {
			t.Fatal(e.FormattedMessage)
		}
	}
	c := output.Contracts["e.sol"]["Emitter"]
	return c.ABI, common.FromHex(c.EVM.Bytecode.Object)
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// startAnvil starts a dev chain on a free port of the loopback interface and
// ends it with the test.
func startAnvil(t *testing.T) *rpc.Client {
	t.Helper()
	path, err := assets.Find(assets.Anvil)
	if err != nil {
		t.Skip(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	cmd := exec.Command(path, "--host", "127.0.0.1", "--port", fmt.Sprint(port), "--silent")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	node, err := rpc.DialContext(t.Context(), fmt.Sprintf("http://127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	for range 1200 {
		var id string
		if err = node.CallContext(t.Context(), &id, "eth_chainId"); err == nil {
			return node
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("anvil does not answer: %v", err)
	return nil
}

// emitAll deploys the contract, calls it once and returns what it emitted.
func emitAll(t *testing.T, node *rpc.Client, abiJSON, code []byte) (logs []chain.Log, emitter, sender chain.Address) {
	t.Helper()
	var accounts []common.Address
	call(t, node, &accounts, "eth_accounts")
	created := send(t, node, map[string]any{"from": accounts[0], "data": hexutil.Bytes(code)})
	input, err := gethABI(t, abiJSON).Pack("emitAll", common.FromHex(rawBytes), string(common.FromHex(notUTF8)))
	if err != nil {
		t.Fatal(err)
	}
	called := send(t, node, map[string]any{"from": accounts[0], "to": created.ContractAddress, "data": hexutil.Bytes(input)})
	for _, l := range called.Logs {
		logs = append(logs, chain.Log{Address: l.Address, Topics: l.Topics, Data: l.Data})
	}
	return logs, *created.ContractAddress, chain.Address(accounts[0])
}

// receipt is what the test reads of a transaction's receipt.
type receipt struct {
	Status          hexutil.Uint64
	ContractAddress *chain.Address
	Logs            []struct {
		Address chain.Address
		Topics  []chain.Hash
		Data    hexutil.Bytes
	}
}

func send(t *testing.T, node *rpc.Client, tx map[string]any) (r receipt) {
	t.Helper()
	var hash common.Hash
	call(t, node, &hash, "eth_sendTransaction", tx)
	for range 1200 {
		var got *receipt
		if call(t, node, &got, "eth_getTransactionReceipt", hash); got != nil {
			if got.Status != 1 {
				t.Fatalf("transaction %s failed", hash)
			}
			return *got
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("transaction %s is not mined", hash)
	return r
}

func call(t *testing.T, node *rpc.Client, out any, method string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := node.CallContext(ctx, out, method, args...); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}
