package oracle

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/ethclient"

	"superindex/chain"
	"superindex/internal/assets"
	"superindex/internal/devchain"
	"superindex/internal/devchain/simchain"
)

func dial(t *testing.T, url string) *ethclient.Client {
	t.Helper()
	client, err := ethclient.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// lively is an anvil with some blocks of users' doings.
type lively struct {
	*devchain.Chain
	*testing.T
	client *ethclient.Client
	rand   *rand.Rand
}

func newLively(t *testing.T) *lively {
	t.Helper()
	if _, err := assets.Find(assets.Anvil); err != nil {
		t.Skip(err)
	}
	node, err := devchain.Start(t.Context(), devchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	l := &lively{node, t, dial(t, node.URL()), rand.New(rand.NewPCG(3, 4))}
	l.advance(8)
	return l
}

func (l *lively) advance(blocks int) {
	l.Helper()
	for range blocks {
		if err := errors.Join(l.Act(l.Context(), l.rand, 15), l.Mine(l.Context(), 1)); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *lively) head() uint64 {
	l.Helper()
	n, err := l.client.BlockNumber(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	return n
}

func (l *lively) watched() (all []chain.Address) {
	for _, c := range l.Contracts() {
		if c.Listed {
			all = append(all, c.Address)
		}
	}
	return all
}

func (l *lively) read() (Set, Heads) {
	l.Helper()
	set, heads, err := Read(l.Context(), l.client, Query{"dev", 1, l.head(), l.watched()})
	if err != nil {
		l.Fatal(err)
	}
	return set, heads
}

func TestReadAnvil(t *testing.T) {
	l := newLively(t)
	set, heads := l.read()
	if n := l.head(); heads != (Heads{n, n - 4, n - 8}) {
		t.Errorf("heads %v", heads)
	}
	words, contracts := map[string]int{}, map[chain.Address]bool{}
	for _, row := range set {
		words[row.Finality]++
		contracts[row.Address] = true
	}
	if words["unsafe"] == 0 || words["safe"] == 0 || len(contracts) != len(l.watched()) {
		t.Errorf("finality %v, %d contracts", words, len(contracts))
	}
	again, _ := l.read()
	if err := Compare(set, again); err != nil {
		t.Error(err)
	}
	if _, err := l.Reorg(t.Context(), l.rand, 3); err != nil {
		t.Fatal(err)
	}
	forked, _ := l.read()
	if Compare(set, forked) == nil {
		t.Error("a reorg makes no difference")
	}
	if _, _, err := Read(t.Context(), l.client, Query{"dev", 1, l.head() + 1, nil}); err == nil {
		t.Error("a block above the head was read")
	}
}

func TestReadGoEthereum(t *testing.T) {
	node, err := simchain.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	for range 35 {
		if err := node.Emit(ctx, 2); err != nil {
			t.Fatal(err)
		}
		if _, err := node.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	client := dial(t, node.URL())
	query := Query{"geth", 1, 36, []chain.Address{node.Burst}}
	set, heads, err := Read(ctx, client, query)
	if err != nil || len(set) != 70 || heads != (Heads{36, 36, 32}) {
		t.Errorf("%d logs, heads %v, %v", len(set), heads, err)
	}
	if _, err := node.Back(ctx, 2); err != nil {
		t.Fatal(err)
	}
	query.To = 34
	if _, _, err := Read(ctx, client, query); !errors.Is(err, ErrMoved) { // safe is still the dropped block 36
		t.Errorf("in the middle of a reorg: %v", err)
	}
}
