package chain

// Seq numbers the steps of one stream. It is position, row version and
// checkpoint in one: it rises strictly, also across journals, and has gaps only
// where a journal was replaced or took over a sink.
type Seq uint64

// Step is one change to a stream. Exactly one of Apply, Revert, Fill and Rows is
// set. A step exists if and only if it is in the journal, and never changes.
type Step struct {
	Journal JournalID
	Stream  Stream
	Seq     Seq
	Digest  uint64 // of this step and all before it in its stream: tells two histories of one journal apart

	Apply  *Batch
	Revert *Revert
	Fill   *Fill
	Rows   *Rows
}

// Batch is a contiguous run of blocks and what was found in them: blocks
// Parent+1 to Last were added. An empty one, Parent = Last, only moves Safe and
// Final.
type Batch struct {
	Parent, Last BlockRef
	Safe, Final  BlockRef // after this step; zero while none is known
	Moved        bool     // Safe, Final or Watch differ from the step before
	Assumed      bool     // finality comes from a window, not from the node's tags
	Watch        WatchID  // the set whose history is whole as of this step; zero while some of it is owed
	Blocks       []Block  // ascending; dense above Final, Last always among them unless the batch is empty
	Events       []Event  // ascending by (block, index)
	Transactions []Tx     // ascending by (block, index)
	Proof        Proof
}

// Cause says why blocks were removed.
type Cause uint8

// Causes of a Revert.
const (
	Reorg  Cause = iota // the chain took another fork, or went back
	Begin               // a new journal, or one that takes over a sink, starts from here; no reorg
	Rewind              // the operator's order, the only one that may go below finalized
)

// String is the word that status and dump show.
func (c Cause) String() string { return [...]string{"reorg", "begin", "rewind"}[c] }

// Revert removes every block above To.
type Revert struct {
	To    BlockRef
	From  BlockRef // the head that was left; zero for Begin
	Time  uint64   // when it was seen, seconds since 1970, so that a repetition is the same row
	Cause Cause
}

// Depth is how many blocks were removed.
func (r Revert) Depth() uint64 { return r.From.Number - min(r.From.Number, r.To.Number) }

// Fill says what history at or below finalized is: for these addresses, in
// blocks From to To, the rows are exactly these. No addresses means all.
type Fill struct {
	From      uint64
	To        BlockRef // at or below finalized
	Addresses []Address
	Watch     WatchID
	Blocks    []Block // those that hold one of Events; the fill never removes a block
	Events    []Event
	Proof     Proof
}

// Rows are observations that no block carries: a feed's, a registry's, coverage.
type Rows struct {
	Feed string // "github", "registry", "coverage", ...
	Rows []Row
}

// Row is one observation. A later row of the same feed, kind and id replaces it.
type Row struct {
	Kind string // the dataset, and the last word of the message's subject
	ID   string
	Time uint64 // when it happened, seconds since 1970
	Body []byte // a JSON object with the columns of the view
}

// Position is what a sink itself holds of a stream.
type Position struct {
	Journal JournalID // zero: the sink has never held a whole step
	Seq     Seq       // every step up to here is held
	Digest  uint64    // Step.Digest of that step

	// High is the highest Seq of any row or message, and HighDigest its step's
	// Digest. It is above Seq where a write was cut: rows may be there whose steps
	// are not held whole.
	High       Seq
	HighDigest uint64

	Final BlockRef // of the last Apply; or the To of a Begin since, or of a Rewind since that went below it
	Watch WatchID  // of the last Apply
}

// Empty reports whether the sink holds no whole step of the stream.
func (p Position) Empty() bool { return p.Journal == JournalID{} }
