package clickhouse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAccessFileIsReadBackAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "clickhouse.env")
	want := Access{Address: "127.0.0.1:9000", Password: "p", ReaderPassword: "r"}
	if err := want.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadAccess(path)
	if err != nil || got != want {
		t.Fatalf("read %+v, %v; wrote %+v", got, err, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "CLICKHOUSE_READER_DSN=clickhouse://reader:r@127.0.0.1:9000/superindex\n") {
		t.Errorf("it holds %q, %v", text, err)
	}
}

func TestOptionsNameWhatCannotBe(t *testing.T) {
	lib := filepath.Join(t.TempDir(), "lib.so")
	if err := os.WriteFile(lib, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := Options{Lib: lib, Dir: "d", Listen: "127.0.0.1:0"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Options){
		"lib":        func(o *Options) { o.Lib = "/nowhere" },
		"dir":        func(o *Options) { o.Dir = "" },
		"listen":     func(o *Options) { o.Listen = "0.0.0.0:9000" },
		"max memory": func(o *Options) { o.MaxMemory = -1 },
	} {
		o := good
		change(&o)
		if err := o.Check(); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestConfigurationQuotesWhatAPathMayHold(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), `a&b<c>"d`)}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := o.writeConfig(Access{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.configFile())
	if err != nil || !strings.Contains(string(text), `a&amp;b&lt;c&gt;&#34;d`) {
		t.Errorf("the path is not quoted: %s, %v", text, err)
	}
}
