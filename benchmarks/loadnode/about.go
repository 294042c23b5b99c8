package loadnode

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// about answers what is no JSON-RPC.
func (n *Node) about(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ledger":
		latest, _, _ := n.blocks.heads()
		from, to := bound(r, "from", 0), bound(r, "to", latest.number)
		show(w, n.Ledger(from, to))
	case "/counters":
		show(w, n.Counters())
	case "/watched":
		for _, a := range n.Watched() {
			fmt.Fprintln(w, a)
		}
	case "/oss-directory.tar.gz":
		w.Header().Set("Content-Type", "application/gzip")
		if err := n.WriteDirectory(w); err != nil {
			panic(http.ErrAbortHandler) // the caller must not take it for whole
		}
	default:
		fmt.Fprint(w, "A load node. POST JSON-RPC to /, or GET /ledger, /counters, /watched, /oss-directory.tar.gz\n")
	}
}

// bound is a number of the query, or what it is without one.
func bound(r *http.Request, name string, otherwise uint64) uint64 {
	if v, err := strconv.ParseUint(r.URL.Query().Get(name), 10, 64); err == nil {
		return v
	}
	return otherwise
}

func show(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	text, _ := json.Marshal(v) // structs of numbers
	_, _ = w.Write(append(text, '\n'))
}

// perProject is how many contracts one project of the made-up directory lists.
const perProject = 50

// WriteDirectory writes the tarball of an oss-directory that lists the watched
// contracts, on every EVM network.
func (n *Node) WriteDirectory(w io.Writer) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	all := n.Watched()
	for i := 0; i*perProject < len(all); i++ {
		name := fmt.Sprintf("project-%05d", i)
		text := fmt.Appendf(nil, "version: 7\nname: %s\ndisplay_name: Project %d\nblockchain:\n", name, i)
		for _, a := range all[i*perProject : min(len(all), (i+1)*perProject)] {
			text = fmt.Appendf(text, "  - address: %q\n    networks: [any_evm]\n    tags: [contract]\n", a)
		}
		head := &tar.Header{Name: "oss-directory/data/projects/" + name[len(name)-2:] + "/" + name + ".yaml", Mode: 0o644, Size: int64(len(text))}
		if err := t.WriteHeader(head); err != nil {
			return fmt.Errorf("write the directory: %w", err)
		}
		if _, err := t.Write(text); err != nil {
			return fmt.Errorf("write the directory: %w", err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("write the directory: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write the directory: %w", err)
	}
	return nil
}
