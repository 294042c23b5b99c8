package registry

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// understood is what one file says.
type understood struct {
	doc        *document   // what was found wrong in it; its tree is gone
	line       int         // where its fields begin
	project    *Project    // nil where it is none, or one without a name
	collection *Collection // as well
}

// understandAll understands every file by itself, on all cores: the whole directory
// takes one of them a second, most of it in the YAML parser. The order is the files'.
func understandAll(files []file) []*understood {
	all := make([]*understood, len(files))
	var next atomic.Int64
	var g sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() {
			words := newWords()
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				all[i] = understand(files[i], words)
			}
		})
	}
	g.Wait()
	return all
}

// understand reads one file; words are those of files before, and it adds to them.
func understand(f file, words *words) *understood {
	d := &document{file: f.path, words: words}
	one := &understood{doc: d}
	if !d.parse(f.body) {
		return one
	}
	one.line = d.root.Line
	if strings.HasPrefix(f.path, "data/collections/") {
		if c, ok := d.collection(); ok {
			one.collection = &c
		}
	} else if p, ok := d.project(); ok {
		one.project = &p
	}
	d.root = nil
	return one
}
