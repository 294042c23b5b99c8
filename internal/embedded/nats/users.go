package nats

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/crypto/bcrypt"
)

// EnvFile is where Users are written, below the data folder, mode 0600. The nats
// command line reads the first three names, so that `. run/nats.env` makes it a
// reader.
const EnvFile = "run/nats.env"

// Users are the server's address and its two users.
type Users struct {
	URL                    string
	Reader, ReaderPassword string // may read every stream, and publish nothing
	Full, FullPassword     string // may do anything
}

// field is a line of the file.
type field struct {
	name  string
	value *string
}

func (u *Users) fields() []field {
	return []field{
		{"NATS_URL", &u.URL},
		{"NATS_USER", &u.Reader},
		{"NATS_PASSWORD", &u.ReaderPassword},
		{"NATS_FULL_USER", &u.Full},
		{"NATS_FULL_PASSWORD", &u.FullPassword},
	}
}

// ReadUsers reads what a server's start wrote into a daemon's data folder.
func ReadUsers(dir string) (u Users, err error) {
	err = u.read(dir)
	return u, err
}

// loadUsers reads the users of the last start, so that their passwords stay; the
// first start makes them.
func loadUsers(dir string) (Users, error) {
	u := Users{Reader: "reader", ReaderPassword: rand.Text(), Full: "superindex", FullPassword: rand.Text()}
	err := u.read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return u, nil
	}
	return u, err
}

// read takes over what the file says.
func (u *Users) read(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, EnvFile))
	if err != nil {
		return fmt.Errorf("nats: read users: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		for _, f := range u.fields() {
			if f.name == name && value != "" {
				*f.value = value
			}
		}
	}
	return nil
}

// ReaderURL is how a reader reaches the server that runs, or ran last, on a data
// folder. It holds the password.
func ReaderURL(dir string) (string, error) {
	users, err := loadUsers(dir)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(users.URL)
	if err != nil || users.URL == "" {
		return "", fmt.Errorf("nats: %s names no server", EnvFile)
	}
	u.User = url.UserPassword(users.Reader, users.ReaderPassword)
	return u.String(), nil
}

// saveUsers replaces the file as a whole: a reader never sees half of it.
func saveUsers(dir string, u Users) error {
	path := filepath.Join(dir, EnvFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("nats: save users: %w", err)
	}
	var text []byte
	for _, f := range u.fields() {
		text = fmt.Appendf(text, "%s=%s\n", f.name, *f.value)
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("nats: save users: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("nats: save users: %w", err)
	}
	return nil
}

// forServer hashes the passwords, as the server wants it: it warns of others. They
// are random texts of 128 bits, which no cost of the hash makes harder to guess.
func (u *Users) forServer() ([]*server.User, error) {
	full, err := bcrypt.GenerateFromPassword([]byte(u.FullPassword), bcrypt.MinCost)
	if err != nil {
		return nil, fmt.Errorf("nats: hash a password: %w", err)
	}
	reader, err := bcrypt.GenerateFromPassword([]byte(u.ReaderPassword), bcrypt.MinCost)
	if err != nil {
		return nil, fmt.Errorf("nats: hash a password: %w", err)
	}
	return []*server.User{
		{Username: u.Full, Password: string(full)},
		{Username: u.Reader, Password: string(reader), Permissions: readOnly()},
	}, nil
}

// readOnly lets a user look at streams, make and drop consumers of its own, and
// take and acknowledge messages.
func readOnly() *server.Permissions {
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO.*",
			"$JS.API.STREAM.MSG.GET.*", "$JS.API.DIRECT.GET.>",
			"$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DURABLE.CREATE.>", "$JS.API.CONSUMER.DELETE.>",
			"$JS.API.CONSUMER.INFO.>", "$JS.API.CONSUMER.NAMES.>", "$JS.API.CONSUMER.LIST.>", "$JS.API.CONSUMER.MSG.NEXT.>",
			"$JS.ACK.>", "$JS.FC.>",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"superindex.>", "_INBOX.>"}},
	}
}
