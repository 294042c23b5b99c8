package nats

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Log = slog.New(slog.DiscardHandler)
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func connect(t *testing.T, s *Server, user, password string) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := nats.Connect(s.Users().URL, nats.UserInfo(user, password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

func TestKeepsStreamsAndPasswords(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{Dir: dir})
	before := s.Users()
	_, js := connect(t, s, before.Full, before.FullPassword)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"superindex.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "superindex.a", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = start(t, Options{Dir: dir})
	after := s.Users()
	after.URL = before.URL // another free port
	if before != after {
		t.Error("passwords changed with the restart")
	}
	nc, err := nats.Connect(s.FullURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, _ = jetstream.New(nc)
	stream, err := js.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := stream.GetMsg(t.Context(), 1); err != nil || string(m.Data) != "kept" {
		t.Errorf("message %v, %v", m, err)
	}
}

func TestEnvFileIsForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{Dir: dir})
	path := filepath.Join(dir, EnvFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	text, _ := os.ReadFile(path)
	for _, line := range []string{"NATS_URL=" + s.Users().URL, "NATS_USER=reader", "NATS_FULL_PASSWORD=" + s.Users().FullPassword} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("%s does not hold %s", text, line)
		}
	}
}

func TestReaderReadsAndDoesNotWrite(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir()})
	u := s.Users()
	_, full := connect(t, s, u.Full, u.FullPassword)
	nc, js := connect(t, s, u.Reader, u.ReaderPassword)
	ctx := t.Context()
	if _, err := full.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"superindex.evm.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := full.Publish(ctx, "superindex.evm.a", []byte("read me")); err != nil {
		t.Fatal(err)
	}
	for _, config := range []jetstream.ConsumerConfig{{Durable: "d", AckPolicy: jetstream.AckExplicitPolicy}, {}} {
		c, err := js.CreateConsumer(ctx, "S", config)
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Next(jetstream.FetchMaxWait(time.Minute))
		if err != nil || string(m.Data()) != "read me" {
			t.Fatalf("message %v, %v", m, err)
		}
		if err := m.DoubleAck(ctx); config.Durable != "" && err != nil {
			t.Errorf("acknowledge: %v", err)
		}
	}
	if _, err := js.Publish(ctx, "superindex.evm.a", nil); err == nil {
		t.Error("the reader published")
	}
	if err := js.DeleteStream(ctx, "S"); err == nil {
		t.Error("the reader deleted a stream")
	}
	if err := nc.LastError(); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("refused for %v", err)
	}
	if _, err := nats.Connect(u.URL); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("without a password: %v", err)
	}
}

func TestStartNamesWhatIsWrong(t *testing.T) {
	taken := start(t, Options{Dir: t.TempDir()})
	address := strings.TrimPrefix(taken.Users().URL, "nats://")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	for want, o := range map[string]Options{
		"Dir":                    {Listen: "127.0.0.1:0", Log: log},
		"Listen":                 {Dir: file, Listen: "127.0.0.1", Log: log},
		"not a loopback address": {Dir: file, Listen: "0.0.0.0:4222", Log: log},
		"MaxBytes":               {Dir: file, Listen: "127.0.0.1:0", MaxBytes: -1, Log: log},
		"Log":                    {Dir: file, Listen: "127.0.0.1:0"},
		"not a directory":        {Dir: file, Listen: "127.0.0.1:0", Log: log},
		"address already in use": {Dir: t.TempDir(), Listen: address, Log: log},
	} {
		if s, err := Start(t.Context(), o); err == nil {
			s.Close()
			t.Errorf("%s: started", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

// Room is what the disk has left, less what others have taken of it.
func TestRoom(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir()})
	give, err := s.Room(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Room(1 << 60); err == nil || !strings.Contains(err.Error(), "no space left on its disk") {
		t.Errorf("an exbibyte: %v", err)
	}
	s.files.taken = 1 << 60
	if _, err := s.Room(1); err == nil {
		t.Error("others have taken all")
	}
	s.files.taken = 1
	if give(); s.files.taken != 0 {
		t.Errorf("%d bytes were not given back", s.files.taken)
	}
}
