package oracle

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"superindex/chain"
)

// FromWarehouse reads what the view `events` shows of a network.
func FromWarehouse(ctx context.Context, conn driver.Conn, of chain.Stream) (Set, error) {
	set, err := fromWarehouse(ctx, conn, of)
	if err != nil {
		return nil, fmt.Errorf("oracle: read the events of %s: %w", of.Name, err)
	}
	return set, nil
}

func fromWarehouse(ctx context.Context, conn driver.Conn, of chain.Stream) (Set, error) {
	rows, err := conn.Query(ctx, `
		SELECT block_number, block_hash, block_time, tx_hash, log_index, address, topics, data, toString(finality)
		FROM events WHERE chain_id = ? AND network = ?`, of.ChainID, of.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	set := Set{}
	for rows.Next() {
		f := Folded{Network: of.Name}
		var at time.Time
		var finality string
		err := rows.Scan(&f.BlockNumber, &f.BlockHash, &at, &f.TxHash, &f.LogIndex, &f.Address, &f.Topics, &f.Data, &finality)
		if err != nil {
			return nil, err
		}
		f.BlockTime = uint64(at.Unix())
		if err := set.take(f, finality); err != nil {
			return nil, err
		}
	}
	return set, rows.Err()
}

// Folded is one event that a consumer of the stream holds once it has followed
// every message. The texts are those of the message.
type Folded struct {
	Network     string
	BlockNumber uint64
	BlockHash   string
	BlockTime   uint64 // seconds since 1970
	TxHash      string
	LogIndex    uint32
	Address     string
	Topics      []string
	Data        string
}

// FromStream is what a consumer holds. Its messages tell an event's finality once,
// and later only how the heads moved: heads are where they moved last.
func FromStream(rows []Folded, heads Heads) (Set, error) {
	set := Set{}
	for _, f := range rows {
		if err := set.take(f, heads.finality(f.BlockNumber)); err != nil {
			return nil, fmt.Errorf("oracle: the stream: %w", err)
		}
	}
	return set, nil
}

// take adds a row of texts. They must be written as the contract says: lower-case
// 0x text.
func (s Set) take(f Folded, finality string) error {
	key := Key{Network: f.Network, Index: f.LogIndex}
	row := Row{Number: f.BlockNumber, Time: f.BlockTime, Finality: finality}
	texts := []text{{f.BlockHash, key.Block[:]}, {f.TxHash, row.Tx[:]}, {f.Address, row.Address[:]}}
	topics := make([]chain.Hash, len(f.Topics))
	for i, topic := range f.Topics {
		texts = append(texts, text{topic, topics[i][:]})
	}
	data := make([]byte, max(len(f.Data)-2, 0)/2)
	for _, t := range append(texts, text{f.Data, data}) {
		if err := t.parse(); err != nil {
			return fmt.Errorf("log %d of block %d: %w", f.LogIndex, f.BlockNumber, err)
		}
	}
	row.Digest = digest(topics, data)
	return s.add(key, row)
}

// text is 0x text, and the bytes that it is to fill.
type text struct {
	from string
	into []byte
}

func (t text) parse() error {
	digits, ok := strings.CutPrefix(t.from, "0x")
	if !ok || len(digits) != 2*len(t.into) || strings.ToLower(digits) != digits {
		return fmt.Errorf("%.80q is not lower-case 0x text of %d bytes", t.from, len(t.into))
	}
	if _, err := hex.Decode(t.into, []byte(digits)); err != nil {
		return fmt.Errorf("%.80q: %w", t.from, err)
	}
	return nil
}
