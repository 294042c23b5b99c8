package registry

import (
	"bytes"
	"compress/gzip"
	"io"
	"reflect"
	"strings"
	"testing"
)

// FuzzTarball reads any bytes as what a forge packed: it ends with an error, or with
// files of data/ that came in it, and reading it again says the same.
func FuzzTarball(f *testing.F) {
	for _, files := range [][]string{small(), under("oss-directory-main", small()), {"COMMIT", strings.Repeat("a", 40)}, {"data/projects/../../x.yaml", "x"}} {
		unzipped, err := gzip.NewReader(bytes.NewReader(pack(f, files...)))
		if err != nil {
			f.Fatal(err)
		}
		body, err := io.ReadAll(unzipped)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		c, err := readTarball(bytes.NewReader(zipped(t, archive)))
		if err != nil {
			return
		}
		size := 0
		for _, file := range c.files {
			if size += len(file.body); !yamlPath.MatchString(file.path) || len(file.body) > maxFile {
				t.Errorf("%q of %d bytes", file.path, len(file.body))
			}
		}
		if size != c.bytes || size > maxTotal || c.commit != "" && !commitText.MatchString(c.commit) {
			t.Errorf("%d bytes, %d counted, of commit %q", size, c.bytes, c.commit)
		}
		if again, err := readTarball(bytes.NewReader(zipped(t, archive))); err != nil || again.digest() != c.digest() {
			t.Errorf("another answer the second time: %v", err)
		}
	})
}

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzNetworks lays any chainList.json, chainList.toml or chain's TOML over the table:
// it is refused, or every chain has an id and a name of its own, and laying it over once
// more changes nothing.
func FuzzNetworks(f *testing.F) {
	for file, text := range map[string]string{
		"chainList.json": `[{"name":"OP Mainnet","identifier":"mainnet/op","chainId":10,"rpc":["https://a"],"explorers":["https://b"]},{"identifier":"sepolia/new-one","chainId":77}]`,
		"chainList.toml": "[[chains]]\nname = \"New\"\nidentifier = \"mainnet/new\"\nchain_id = 78\nrpc = [\"https://a\"]\n",
		"op.toml":        "name = \"OP\"\nchain_id = 10\npublic_rpc = \"https://a\"\nblock_time = 2\nseq_window_size = 3600\n[genesis.l2]\nnumber = 105235063\n",
	} {
		f.Add(file, []byte(text))
	}
	f.Fuzz(func(t *testing.T, file string, text []byte) {
		entries, err := parseEntries("mainnet/"+file, text)
		if err != nil {
			return
		}
		out, err := Superchain().with(entries)
		if err != nil {
			return
		}
		names, ids := map[string]bool{}, map[uint64]bool{}
		for _, n := range out {
			names[n.Name], ids[n.ChainID] = true, true
		}
		if len(out) < len(Superchain()) || len(names) != len(out) || len(ids) != len(out) || names[""] || ids[0] {
			t.Errorf("%d chains, %d names, %d ids", len(out), len(names), len(ids))
		}
		if again, err := out.with(entries); err != nil || !reflect.DeepEqual(again, out) {
			t.Errorf("%v once more, %v; before %v", again, err, out)
		}
	})
}
