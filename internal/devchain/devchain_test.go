package devchain

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"superindex/internal/assets"
	"superindex/internal/chance"
)

func start(t *testing.T) *Chain {
	t.Helper()
	if _, err := assets.Find(assets.Anvil); err != nil {
		t.Skip(err)
	}
	c, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type header struct {
	Number     hexutil.Uint64
	Hash       string
	ParentHash string
}

func (c *Chain) at(t *testing.T, tag any) (h header) {
	t.Helper()
	if err := c.child.RPC.CallContext(t.Context(), &h, "eth_getBlockByNumber", tag, false); err != nil {
		t.Fatal(err)
	}
	return h
}

// line lists the hashes from one block to the head, and checks that they link.
func (c *Chain) line(t *testing.T, from uint64) (hashes []string) {
	t.Helper()
	head := c.at(t, "latest")
	for n := from; n <= uint64(head.Number); n++ {
		h := c.at(t, hexutil.Uint64(n))
		if len(hashes) > 0 && h.ParentHash != hashes[len(hashes)-1] {
			t.Fatalf("block %d does not link", n)
		}
		hashes = append(hashes, h.Hash)
	}
	return hashes
}

type logEntry struct {
	Address         string
	Topics          []string
	BlockNumber     hexutil.Uint64
	TransactionHash string
	LogIndex        hexutil.Uint64
}

func (c *Chain) logs(t *testing.T) (logs []logEntry) {
	t.Helper()
	filter := map[string]any{"fromBlock": "0x0", "toBlock": "latest"}
	if err := c.child.RPC.CallContext(t.Context(), &logs, "eth_getLogs", filter); err != nil {
		t.Fatal(err)
	}
	return logs
}

// Every event of every contract occurs, and nothing else but the relay's.
func TestUsersAct(t *testing.T) {
	c, r := start(t), chance.New(t)
	for range 10 {
		if err := c.Act(t.Context(), r, 60); err != nil {
			t.Fatal(err)
		}
		if err := c.Mine(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[[2]string]int{}
	for _, l := range c.logs(t) {
		seen[[2]string{l.Address, l.Topics[0]}]++
	}
	want := 0
	for _, d := range c.Contracts() {
		events := c.contracts[d.Name].abi.Events
		for _, e := range events {
			if d.Name == "unlisted" && e.Name != "Transfer" || d.Name == "silver" && e.Name == "Approval" {
				continue // the users do not do that
			}
			if key := [2]string{d.Address.String(), e.ID.Hex()}; seen[key] == 0 {
				t.Errorf("%s: no %s", d.Name, e.Name)
			} else {
				delete(seen, key)
				want++
			}
		}
	}
	relay := c.contracts["relay"].Address.String()
	relayed := 0
	for key := range seen {
		if key[0] != relay {
			t.Errorf("foreign log %v", key)
		}
		relayed++
	}
	if relayed < 3 || want < 15 {
		t.Errorf("%d events and %d relayed logs", want, relayed)
	}
}

func TestEvents(t *testing.T) {
	c := start(t)
	token, relay := c.contracts["gold"], c.contracts["relay"]
	events, err := token.Events()
	slices.Sort(events)
	want := []string{
		"event Approval(address indexed owner, address indexed spender, uint256 value)",
		"event Transfer(address indexed from, address indexed to, uint256 value)",
	}
	if err != nil || !slices.Equal(events, want) {
		t.Errorf("got %v, %v", events, err)
	}
	if events, err := relay.Events(); err != nil || len(events) != 0 {
		t.Errorf("relay: got %v, %v", events, err)
	}
}

// A reorg keeps the height, replaces exactly the newest blocks, brings most
// transactions back and some of them elsewhere; finalized stays.
func TestReorg(t *testing.T) {
	c, r := start(t), chance.New(t)
	ctx := t.Context()
	for range 8 {
		if err := c.Act(ctx, r, 20); err != nil {
			t.Fatal(err)
		}
		if err := c.Mine(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	final, before, logs := c.at(t, "finalized"), c.line(t, 0), c.logs(t)
	depth, err := c.Reorg(ctx, r, 6)
	if err != nil || depth != 6 {
		t.Fatalf("depth %d, %v", depth, err)
	}
	after := c.line(t, 0)
	kept := len(before) - 6
	if len(after) != len(before) || !slices.Equal(after[:kept], before[:kept]) {
		t.Errorf("height %d became %d, or blocks below changed", len(before), len(after))
	}
	for n := kept; n < len(after); n++ {
		if after[n] == before[n] {
			t.Errorf("block %d is the same", n)
		}
	}
	if got := c.at(t, "finalized"); got != final {
		t.Errorf("finalized %v became %v", final, got)
	}
	checkMoved(t, logs, c.logs(t))
}

// checkMoved wants transactions in both lists, some of them in another block.
func checkMoved(t *testing.T, before, after []logEntry) {
	t.Helper()
	places := map[string]hexutil.Uint64{}
	for _, l := range before {
		places[l.TransactionHash] = l.BlockNumber
	}
	moved, same := 0, 0
	for _, l := range after {
		if n, ok := places[l.TransactionHash]; ok && n != l.BlockNumber {
			moved++
		} else if ok {
			same++
		}
	}
	if moved == 0 || same == 0 || len(after) >= len(before) {
		t.Errorf("of %d logs %d moved, %d stayed, there are %d", len(before), moved, same, len(after))
	}
}

// Whatever is asked for, what was once finalized stays, also where the head went
// down and finalized, as anvil tells it, with it.
func TestFinalizedStays(t *testing.T) {
	c, r := start(t), chance.New(t)
	ctx := t.Context()
	if err := c.Mine(ctx, 5); err != nil {
		t.Fatal(err)
	}
	var final uint64
	var line []string
	for i := range 12 {
		final = max(final, uint64(c.at(t, "finalized").Number))
		line = slices.Clone(c.line(t, 0)[:final+1])
		var err error
		switch i % 3 {
		case 0:
			_, err = c.Rollback(ctx, 100)
		case 1:
			_, err = c.Reorg(ctx, r, 100)
		case 2:
			err = c.Mine(ctx, 3+r.Uint64N(9))
		}
		if err != nil {
			t.Fatal(err)
		}
		if now := c.line(t, 0); len(now) < len(line) || !slices.Equal(now[:len(line)], line) {
			t.Fatalf("step %d: finalized block %d was replaced", i, final)
		}
	}
	if depth, err := c.Depth(ctx); err != nil || depth > 8 {
		t.Errorf("depth %d, %v", depth, err)
	}
}

// A chain that lost blocks shows again what it had finalized.
func TestRegain(t *testing.T) {
	c := start(t)
	for range 2 {
		if err := c.Mine(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		before := len(c.line(t, 0))
		if depth, err := c.Rollback(t.Context(), 5); err != nil || depth != 5 {
			t.Fatalf("%d blocks removed, %v", depth, err)
		}
		for range 2 { // the second time there is nothing to do
			if err := c.Regain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if now := len(c.line(t, 0)); now != before {
			t.Errorf("%d blocks instead of %d", now, before)
		}
	}
}

func TestRun(t *testing.T) {
	c := start(t)
	r, before := chance.New(t), len(c.line(t, 0))
	pace := Pace{Block: 30 * time.Millisecond, Acts: 5, Reorg: 200 * time.Millisecond, MaxDepth: 6, Log: slog.New(slog.DiscardHandler)}
	blocks, logs := 0, 0
	for began := time.Now(); (blocks < before+10 || logs < 30) && time.Since(began) < 2*time.Minute; {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		err := c.Run(ctx, r, pace)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		blocks, logs = len(c.line(t, 0)), len(c.logs(t))
	}
	if blocks < before+10 || logs < 30 {
		t.Errorf("from %d to %d blocks, %d logs", before, blocks, logs)
	}
}

func TestCloseEndsTheProcess(t *testing.T) {
	c := start(t)
	c.Close()
	select {
	case <-c.child.Done():
	default:
		t.Error("the process is still there")
	}
	if err := c.Mine(t.Context(), 1); err == nil {
		t.Error("it still mines")
	}
}

// The chain dies with its starter, also where that one is killed: the test starts
// itself as the starter, which tells the URL and waits.
func TestChainDiesWithItsStarter(t *testing.T) {
	const role = "SUPERINDEX_DEVCHAIN_STARTER"
	if os.Getenv(role) != "" {
		fmt.Println(start(t).URL())
		select {}
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can tie a child to its parent")
	}
	starter := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	starter.Env = append(os.Environ(), role+"=1")
	out, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	if _, err := fmt.Fscanln(out, &url); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(url, "http://")
	if !listens(address) {
		t.Fatalf("nobody listens on %s", address)
	}
	_ = starter.Process.Kill()
	_ = starter.Wait()
	for range 6000 {
		if !listens(address) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("anvil outlived its starter by a minute")
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// The committed bytecode is that of the committed sources.
func TestCompiledContracts(t *testing.T) {
	solc := filepath.Join("..", "..", "tools", "npm", "node_modules", "solc")
	if _, err := os.Stat(solc); err != nil {
		t.Skip("the Solidity compiler is not installed: run `make deps`")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	got, err := exec.CommandContext(t.Context(), node, "contracts/compile.mjs", solc).Output()
	if err != nil {
		t.Fatal(err)
	}
	var fresh, committed map[string]any
	if err := json.Unmarshal(got, &fresh); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(compiled, &committed); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, compiled) {
		t.Errorf("contracts.json is stale (%d contracts, now %d): run `go generate ./internal/devchain`", len(committed), len(fresh))
	}
}
