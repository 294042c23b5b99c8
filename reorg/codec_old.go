package reorg

import (
	"unsafe"

	"superindex/chain"
)

// plainEvents are events as they were written up to version 4: topics, data and arguments as
// they are, so that they are read where they lie.
func (r *decoder) plainEvents(blocks []chain.Block) []chain.Event {
	n := r.length(6)
	events := take(&r.memory.events, n) // each field is set
	at, forms, addresses := place{blocks: blocks}, []form(nil), []chain.Address(nil)
	for i := range events {
		e := &events[i]
		head := r.uint()
		r.stands(events, i, &at, head>>1, head&1 == 1)
		e.Index = uint32(r.uint())
		e.Address = known(r, &addresses, (*decoder).addr)
		e.Topics, e.Data = r.plainTopics(), r.bytes()
		f := known(r, &forms, (*decoder).plainForm)
		e.Decoding, e.Name, e.Signature, e.Args = f.decoding, f.name, f.signature, nil
		if e.Decoding != chain.Raw {
			e.Args = r.bytes()
		}
		if r.failed {
			return nil
		}
	}
	return events
}

// plainTopics are a view of the bytes: an array of bytes can lie anywhere.
func (r *decoder) plainTopics() []chain.Hash {
	n := int(r.byte())
	return hashes(r.raw(n * len(chain.Hash{})))
}

// hashes is b, seen as so many hashes as it has whole ones.
func hashes(b []byte) []chain.Hash {
	return unsafe.Slice((*chain.Hash)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/len(chain.Hash{}))
}

// plainForm has neither topics nor what they are.
func (r *decoder) plainForm() (f form) {
	f.decoding = chain.Decoding(r.byte())
	if r.failed = r.failed || f.decoding > chain.Ambiguous; f.decoding != chain.Raw {
		f.name, f.signature = r.string(), r.string()
	}
	return f
}
