package clickhouse

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// The engine's users, and the database whose tables the second may read; so may
// it those of databases whose names begin so.
const (
	fullUser = "superindex"
	readUser = "reader"
	database = "superindex"
)

// Access says how to reach an engine: over ClickHouse's native protocol, as a
// user with every right or as one that can only read.
type Access struct {
	Address        string // host:port
	Password       string // of the user superindex
	ReaderPassword string // of the user reader
}

// DSN is for the user who may do everything.
func (a Access) DSN() string { return a.dsn(fullUser, a.Password) }

// ReaderDSN is for the user who may read the warehouse, and send settings with a
// query, but neither write nor reach files, URLs and other servers.
func (a Access) ReaderDSN() string { return a.dsn(readUser, a.ReaderPassword) }

func (a Access) dsn(user, password string) string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(user, password), Host: a.Address, Path: "/" + database}
	return u.String()
}

// variables are the lines of an access file, which a shell can source.
func (a Access) variables() [][2]string {
	return [][2]string{
		{"CLICKHOUSE_ADDRESS", a.Address},
		{"CLICKHOUSE_DATABASE", database},
		{"CLICKHOUSE_USER", fullUser},
		{"CLICKHOUSE_PASSWORD", a.Password},
		{"CLICKHOUSE_DSN", a.DSN()},
		{"CLICKHOUSE_READER", readUser},
		{"CLICKHOUSE_READER_PASSWORD", a.ReaderPassword},
		{"CLICKHOUSE_READER_DSN", a.ReaderDSN()},
	}
}

// WriteFile writes the access to path, which only its owner may read. A reader
// sees the old file or the new one.
func (a Access) WriteFile(path string) error {
	var text bytes.Buffer
	for _, v := range a.variables() {
		fmt.Fprintf(&text, "%s=%s\n", v[0], v[1])
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write clickhouse's access: %w", err)
	}
	if err := os.WriteFile(path+".new", text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write clickhouse's access: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write clickhouse's access: %w", err)
	}
	return nil
}

// ReadAccess reads what WriteFile wrote.
func ReadAccess(path string) (Access, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Access{}, fmt.Errorf("read clickhouse's access: %w", err)
	}
	values := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		values[name] = value
	}
	return Access{
		Address:        values["CLICKHOUSE_ADDRESS"],
		Password:       values["CLICKHOUSE_PASSWORD"],
		ReaderPassword: values["CLICKHOUSE_READER_PASSWORD"],
	}, nil
}

// keptAccess is the access at address with the passwords that path holds; where
// it holds none, new ones are made. It is written back.
func keptAccess(path, address string) (Access, error) {
	a, err := ReadAccess(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Access{}, err
	}
	a.Address = address
	for _, password := range []*string{&a.Password, &a.ReaderPassword} {
		if *password == "" {
			*password = randomPassword()
		}
	}
	return a, a.WriteFile(path)
}

func randomPassword() string {
	var b [16]byte
	rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}
