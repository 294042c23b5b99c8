package ethrpc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"superindex/chain"
)

// reference reads logs with encoding/json, as slowly as that goes.
func reference(answer []byte) (events []chain.Event, err error) {
	var items []json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(&items); err != nil {
		return nil, err
	}
	for _, item := range items {
		e, err := referenceLog(item)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// referenceLog reads one log, member by member: a later one replaces an earlier.
func referenceLog(item []byte) (e chain.Event, err error) {
	d := json.NewDecoder(bytes.NewReader(item))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return e, errors.New("no object")
	}
	last := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return e, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return e, err
		}
		last[key.(string)] = value
		if err := referenceMember(&e.Log, key.(string), value); err != nil {
			return e, err
		}
	}
	for key, most := range map[string]uint64{"blockNumber": 1<<64 - 1, "logIndex": 1 << 31, "transactionIndex": 1 << 31} {
		v, ok := last[key]
		if n, err := referenceQuantity(v); err != nil || !ok || string(v) == "null" || n > most {
			return e, errors.New("without " + key)
		}
	}
	for _, key := range []string{"address", "topics", "data", "transactionHash"} {
		if v, ok := last[key]; !ok || string(v) == "null" && key != "topics" && key != "data" {
			return e, errors.New("without " + key)
		}
	}
	if string(last["removed"]) == "true" {
		return e, errors.New("removed")
	}
	if e.Block.Hash == (chain.Hash{}) {
		return e, errors.New("without blockHash")
	}
	return e, errors.Join(referenceTopics(&e.Log, last["topics"]), referenceData(&e.Log, last["data"]),
		referenceFixed(e.TxHash[:], last["transactionHash"]))
}

// referenceMember reads what is read of every log.
func referenceMember(l *chain.Log, key string, v json.RawMessage) (err error) {
	var n uint64
	switch key {
	case "address":
		return referenceFixed(l.Address[:], v)
	case "blockHash":
		return referenceFixed(l.Block.Hash[:], v)
	case "topics":
		var topics []json.RawMessage
		return json.Unmarshal(v, &topics)
	case "removed":
		return json.Unmarshal(v, new(bool))
	case "blockNumber":
		l.Block.Number, err = referenceQuantity(v)
	case "blockTimestamp":
		_, err = referenceQuantity(v)
	case "logIndex":
		n, err = referenceQuantity(v)
		l.Index = uint32(n)
	case "transactionIndex":
		n, err = referenceQuantity(v)
		l.TxIndex = uint32(n)
	}
	return err
}

func referenceQuantity(v json.RawMessage) (uint64, error) {
	text := string(v)
	if text == "null" || text == "" {
		return 0, nil
	}
	if text[0] == '"' {
		if err := json.Unmarshal(v, &text); err != nil {
			return 0, err
		}
	}
	if len(text) >= 2 && strings.EqualFold(text[:2], "0x") {
		return strconv.ParseUint(text[2:], 16, 64)
	}
	return strconv.ParseUint(text, 10, 64)
}

func referenceFixed(dst []byte, v json.RawMessage) error {
	if len(v) == 0 || string(v) == "null" {
		clear(dst)
		return nil
	}
	b, err := referenceHex(v)
	if err != nil || len(b) != len(dst) {
		return errors.Join(err, errors.New("of another length"))
	}
	copy(dst, b)
	return nil
}

func referenceHex(v json.RawMessage) ([]byte, error) {
	var text string
	if err := json.Unmarshal(v, &text); err != nil {
		return nil, err
	}
	if len(text) < 2 || !strings.EqualFold(text[:2], "0x") {
		return nil, errors.New("no 0x")
	}
	return hex.DecodeString(text[2:])
}

func referenceTopics(l *chain.Log, v json.RawMessage) error {
	l.Topics = []chain.Hash{}
	var topics []json.RawMessage
	if len(v) > 0 {
		if err := json.Unmarshal(v, &topics); err != nil {
			return err
		}
	}
	for _, topic := range topics {
		var h chain.Hash
		if err := referenceFixed(h[:], topic); err != nil || string(topic) == "null" {
			return errors.New("no topic")
		}
		if l.Topics = append(l.Topics, h); len(l.Topics) > 4 {
			return errors.New("five topics")
		}
	}
	return nil
}

func referenceData(l *chain.Log, v json.RawMessage) (err error) {
	if len(v) == 0 || string(v) == "null" || string(v) == `""` {
		return nil
	}
	if l.Data, err = referenceHex(v); len(l.Data) == 0 {
		l.Data = nil
	}
	return err
}
