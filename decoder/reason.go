package decoder

// Reason says why a log stayed raw.
type Reason uint8

// The reasons. Where several layouts were tried it is the first one's.
const (
	Fits        Reason = iota // it did not stay raw
	NoTopic                   // it has no topics, and no anonymous layout of its address fits
	Unknown                   // no layout has its topic0
	TopicCount                // its topic0 is known, with another number of topics
	OutOfData                 // a value, a length or an offset lies past the end
	Backwards                 // an offset points before the place where it may lead
	OutOfType                 // a value that its type does not have: a bool of 2, an address of 21 bytes
	LeftOver                  // a word or more that no value leads to
	TooMuchWork               // its offsets lead to the same bytes again and again
	reasons
)

// String is a constant word for logs and metrics.
func (r Reason) String() string {
	return [reasons]string{
		"fits", "no_topic", "unknown", "topic_count", "out_of_data", "backwards", "out_of_type", "left_over", "too_much_work",
	}[r]
}

// Stats counts logs by Reason. Its owner decides who may write to it.
type Stats [reasons]uint64

// Raw is the number of logs that stayed raw.
func (s *Stats) Raw() (n uint64) {
	for _, c := range s[Fits+1:] {
		n += c
	}
	return n
}
