package ethrpc

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"superindex/indexer"
)

// saying is how a node or a provider words a fault. Where the pattern has a group,
// it is the number of blocks or of logs that would be taken.
type saying struct {
	pattern *regexp.Regexp // of lower case text
	kind    Kind
	number  uint64        // in place of the group, where the text has none but the limit is known
	less    uint64        // the limit is so much lower than what the text says
	wait    time.Duration // at least
}

// says compiles a pattern, in which N stands for a number: "10,000", "1k".
func says(pattern string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(pattern, "N", `([\d,]+k?)`))
}

// sayings are the texts of known nodes and providers; the first one that is found
// decides. Those that come first contain words of those that come later.
var sayings = []saying{
	{pattern: says(`beyond current head`), kind: Behind},           // geth, op-geth, reth
	{pattern: says(`blockoutofrange`), kind: Behind},               // anvil
	{pattern: says(`could not be found`), kind: Behind},            // Nethermind
	{pattern: says(`header not found`), kind: Missing},             // geth
	{pattern: says(`unknown block`), kind: Missing},                // geth
	{pattern: says(`missing trie node`), kind: Missing},            // geth
	{pattern: says(`no state available`), kind: Missing},           // Nethermind
	{pattern: says(`no historical rpc`), kind: Missing},            // op-geth, before Bedrock
	{pattern: says(`invalid block range params`), kind: Transient}, // geth: from > to, no such request is made
	{pattern: says(`invalid block range`), kind: Missing},          // dRPC: the backend lacks it

	{pattern: says(`compute units per second`), kind: Limited}, // Alchemy
	{pattern: says(`rate.?limit`), kind: Limited},              // proxyd, Infura
	{pattern: says(`too many requests`), kind: Limited},
	{pattern: says(`request count exceeded`), kind: Limited}, // Infura
	{pattern: says(`/second`), kind: Limited},                // QuickNode
	{pattern: says(`requests per second`), kind: Limited},
	{pattern: says(`code: 1015`), kind: Limited, wait: time.Minute}, // Cloudflare: a ban
	{pattern: says(`currently healthy`), kind: Overloaded},          // proxyd; Base's, of too wide ranges too
	{pattern: says(`over capacity`), kind: Overloaded},              // proxyd
	{pattern: says(`server is busy`), kind: Overloaded},             // jsonrpsee

	{pattern: says(`monthly capacity`), kind: Refused}, // Alchemy
	{pattern: says(`/billing`), kind: Refused},
	{pattern: says(`unauthorized`), kind: Refused},
	{pattern: says(`invalid api key`), kind: Refused},
	{pattern: says(`must be authenticated`), kind: Refused},
	{pattern: says(`not whitelisted`), kind: Unsupported}, // proxyd
	{pattern: says(`method .*(not enabled|does not exist|not found|not supported|not available)`), kind: Unsupported},

	{pattern: says(`exceed max addresses`), kind: TooManyAddresses},        // geth
	{pattern: says(`contains [\d,]+ filters`), kind: TooManyAddresses},     // Infura
	{pattern: says(`request body too large`), kind: TooManyAddresses},      // proxyd
	{pattern: says(`batch too large`), kind: TooManyCalls},                 // geth
	{pattern: says(`too many rpc calls`), kind: TooManyCalls},              // proxyd
	{pattern: says(`request is too big`), kind: TooManyCalls},              // jsonrpsee
	{pattern: says(`max results N`), kind: TooMuch},                        // op-reth, Llama
	{pattern: says(`returned more than N results`), kind: TooMuch},         // Infura
	{pattern: says(`too many logs, narrow your filter: N`), kind: TooMuch}, // Erigon
	{pattern: says(`response size`), kind: TooMuch},                        // Alchemy
	{pattern: says(`response (is )?too (large|big)`), kind: TooMuch},       // geth, reth, proxyd
	{pattern: says(`timeout|timed out`), kind: TooMuch},                    // Infura, proxyd, geth

	{pattern: says(`max(?:imum)? block range:? N`), kind: TooManyBlocks},                                      // op-reth, geth, publicnode
	{pattern: says(`server limit, narrow your filter: N`), kind: TooManyBlocks},                               // Erigon
	{pattern: says(`exceeds limit of N`), kind: TooManyBlocks},                                                // Infura
	{pattern: says(`up to a N block`), kind: TooManyBlocks},                                                   // Alchemy
	{pattern: says(`limited to (?:an? )?N blocks?`), kind: TooManyBlocks},                                     // QuickNode, 1rpc, Blast
	{pattern: says(`blocks distance: N`), kind: TooManyBlocks},                                                // Ankr
	{pattern: says(`ranges over N blocks`), kind: TooManyBlocks},                                              // dRPC
	{pattern: says(`max range: N`), kind: TooManyBlocks, less: 1},                                             // Cloudflare
	{pattern: says(`exceeds the range .*> ?N`), kind: TooManyBlocks},                                          // BlockPI
	{pattern: says(`at most N blocks`), kind: TooManyBlocks},                                                  // Coinbase
	{pattern: says(`requested blocks is N`), kind: TooManyBlocks},                                             // Thirdweb
	{pattern: says(`range limit N`), kind: TooManyBlocks},                                                     // Thirdweb
	{pattern: says(`max is N blocks`), kind: TooManyBlocks},                                                   // Tenderly
	{pattern: says(`range is too wide`), kind: TooManyBlocks, number: 3000},                                   // Ankr
	{pattern: says(`block range too large`), kind: TooManyBlocks, number: 2000},                               // Base
	{pattern: says(`blocks? range|range limit|range (is )?too large|exceeds the range`), kind: TooManyBlocks}, // Besu, Optimism, Chainstack
	{pattern: says(`too (large|big)|too many`), kind: TooMuch},
}

// verdict is what the text, of which found is the part that matched, means.
func (s saying) verdict(found []string, text string, wait time.Duration) Verdict {
	v := Verdict{Kind: s.kind, Wait: max(wait, s.wait), Works: suggested(text)}
	limit := s.number
	if s.pattern.NumSubexp() == 1 && limit == 0 {
		limit = count(found[1])
	}
	switch s.kind {
	case TooManyBlocks:
		v.Blocks = limit - min(limit, s.less)
	case TooMuch:
		v.Logs = int(min(limit, 1<<31))
	}
	return v
}

// count reads "10000", "10,000" or "1k"; 0 where it is none of them.
func count(text string) uint64 {
	digits, thousands := strings.CutSuffix(strings.ReplaceAll(text, ",", ""), "k")
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0
	}
	if thousands {
		n *= 1000
	}
	return n
}

var (
	hexRange     = regexp.MustCompile(`\[0x([0-9a-f]{1,16}), ?0x([0-9a-f]{1,16})\]`) // Infura, Alchemy
	decimalRange = regexp.MustCompile(`with the range (\d{1,19})-(\d{1,19})`)        // op-reth
)

// suggested is the range that an endpoint says it would answer. Alchemy's may come
// the wrong way round.
func suggested(text string) indexer.Range {
	found, base := hexRange.FindStringSubmatch(text), 16
	if found == nil {
		found, base = decimalRange.FindStringSubmatch(text), 10
	}
	if found == nil {
		return indexer.Range{}
	}
	from, _ := strconv.ParseUint(found[1], base, 64) // digits only; one that is too large is of no use, and larger than what was asked
	to, _ := strconv.ParseUint(found[2], base, 64)
	return indexer.Range{From: min(from, to), To: max(from, to)}
}
