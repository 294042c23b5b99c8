package ethrpc

// member is a member of a log.
type member uint8

const (
	other member = iota // one that is not read
	address
	topics
	data
	blockNumber
	transactionHash
	transactionIndex
	blockHash
	blockTimestamp
	logIndex
	removed
)

// named finds a log's member.
func named(key []byte) member {
	switch string(key) {
	case "address":
		return address
	case "topics":
		return topics
	case "data":
		return data
	case "blockNumber":
		return blockNumber
	case "transactionHash":
		return transactionHash
	case "transactionIndex":
		return transactionIndex
	case "blockHash":
		return blockHash
	case "blockTimestamp":
		return blockTimestamp
	case "logIndex":
		return logIndex
	case "removed":
		return removed
	}
	return other
}

// shared reports whether all logs of a block have the same.
func (m member) shared() bool { return m == blockNumber || m == blockHash || m == blockTimestamp }
