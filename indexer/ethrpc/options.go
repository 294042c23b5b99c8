package ethrpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options say which endpoint to ask, and how.
type Options struct {
	Network  string        // for metrics
	Name     string        // of the endpoint: the only thing of it that is ever shown
	URL      string        // http, https, ws or wss; may hold secrets, is never shown
	ChainID  uint64        // that the endpoint must serve
	HTTP     *http.Client  // nil: a client of its own; redirects should not be followed
	MaxBytes int64         // of one answer, unpacked; 0: 128 MiB
	Timeout  time.Duration // of one request with its answer; 0: 30 s
	Metrics  *Metrics      // nil: none
	Gate     Gate          // nil: every request is let through
}

// Gate lets requests through, and is told what came of them. It is safe for
// concurrent use.
type Gate interface {
	// Enter waits until a request of so many calls may be made.
	Enter(ctx context.Context, calls int) error
	// Leave takes what came of it: err is of the request and of
	// each of its calls.
	Leave(calls int, took time.Duration, err error)
}

// open is the gate of an endpoint without one.
type open struct{}

func (open) Enter(context.Context, int) error { return nil }
func (open) Leave(int, time.Duration, error)  {}

// Check names the first field that is wrong. It never shows the URL.
func (o Options) Check() error {
	u, err := url.Parse(o.URL)
	switch {
	case o.Name == "":
		return errors.New("rpc: Name is empty")
	case err != nil:
		return fmt.Errorf("rpc %s: URL cannot be parsed", o.Name)
	case !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme):
		return fmt.Errorf("rpc %s: URL must begin with https://, http://, wss:// or ws://", o.Name)
	case u.Host == "":
		return fmt.Errorf("rpc %s: URL names no host", o.Name)
	case o.ChainID == 0:
		return fmt.Errorf("rpc %s: ChainID is 0", o.Name)
	case o.MaxBytes < 0:
		return fmt.Errorf("rpc %s: MaxBytes is negative", o.Name)
	case o.Timeout < 0:
		return fmt.Errorf("rpc %s: Timeout is negative", o.Name)
	}
	return nil
}

func (o Options) withDefaults() Options {
	o.MaxBytes = cmp.Or(o.MaxBytes, 128<<20)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	if o.HTTP == nil {
		o.HTTP = newHTTP(strings.HasPrefix(o.URL, "ws"))
	}
	if o.Gate == nil {
		o.Gate = open{}
	}
	return o
}

// newHTTP keeps as many connections as a fetch-ahead uses, where net/http would
// keep two. A redirect would turn the POST into a GET: it is shown instead.
func newHTTP(socket bool) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.DialContext = promptly(t.DialContext)
	c := &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if socket {
		c.Transport = newSockets(t.DialContext)
	}
	return c
}

// dialer makes connections.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// promptly makes the connections prompt ones.
func promptly(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return prompted(conn), nil
	}
}

// redactor replaces whatever of the URL could be a secret by the endpoint's name:
// all of it, host, user, password, the path's and the query's parts.
func redactor(o Options) *strings.Replacer {
	u, err := url.Parse(o.URL)
	if err != nil {
		return strings.NewReplacer()
	}
	secrets := []string{o.URL, u.Host, u.Hostname(), u.RequestURI()}
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password)
	}
	secrets = append(secrets, u.User.Username())
	secrets = append(secrets, strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		secrets = append(secrets, values...)
	}
	var pairs []string
	for _, s := range secrets {
		if len(s) >= 6 { // shorter ones are words like "v2", not secrets
			pairs = append(pairs, s, "<"+o.Name+">")
		}
	}
	return strings.NewReplacer(pairs...)
}
