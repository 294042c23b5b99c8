package main

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

// Every kind of value that a view has is shown as a person and a program read it.
func TestRowsAreShown(t *testing.T) {
	price, when, name, none := *big.NewInt(1_000_000), time.Unix(0, 0), "a", (*string)(nil)
	row := []any{&price, &when, &name, &none}
	columns := []string{"price", "time", "name", "none"}
	var table, lines strings.Builder
	emit, flush := tableRows(&table, columns)
	if err := emit(row); err != nil {
		t.Fatal(err)
	}
	if err := flush(); err != nil {
		t.Fatal(err)
	}
	if want := "1000000  1970-01-01 00:00:00  a     -\n"; !strings.HasSuffix(table.String(), want) {
		t.Errorf("%q", table.String())
	}
	emit, _ = jsonRows(&lines, columns)
	if err := emit(row); err != nil {
		t.Fatal(err)
	}
	if got := lines.String(); !strings.HasPrefix(got, `{"price":1000000,"time":`) || !strings.HasSuffix(got, `"name":"a","none":null}`+"\n") {
		t.Error(got)
	}
}
