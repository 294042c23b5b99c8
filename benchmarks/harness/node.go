package harness

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"superindex/benchmarks/loadnode"
)

// served is a load node that answers.
type served struct {
	*loadnode.Node
	o    loadnode.Options
	url  string
	name string       // of the network; "" is one of its own
	gate sync.RWMutex // locked while it does not answer
}

// ServeHTTP implements http.Handler.
func (n *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.gate.RLock()
	defer n.gate.RUnlock()
	n.Node.ServeHTTP(w, r)
}

// network is what the node's chain is called.
func (n *served) network() string {
	if n.name != "" {
		return n.name
	}
	return fmt.Sprintf("load%d", n.o.ChainID)
}

// hold lets the node answer nothing, if so, until answer is called.
func (n *served) hold(so bool) (answer func()) {
	if !so {
		return func() {}
	}
	n.gate.Lock()
	return sync.OnceFunc(n.gate.Unlock)
}

// serve lets a function work beside a node that answers, and ends the node with it.
func serve(ctx context.Context, o loadnode.Options, use func(context.Context, *served) error) error {
	return serveAll(ctx, []loadnode.Options{o}, func(ctx context.Context, all []*served) error { return use(ctx, all[0]) })
}

// serveAll is serve for several nodes.
func serveAll(ctx context.Context, options []loadnode.Options, use func(context.Context, []*served) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	var all []*served
	err := func() error {
		for _, o := range options {
			n, err := loadnode.New(o)
			if err != nil {
				return err
			}
			l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return fmt.Errorf("listen for the load node: %w", err)
			}
			one := &served{Node: n, o: o, url: "http://" + l.Addr().String()}
			g.Go(func() error { return loadnode.Serve(ctx, l, one) })
			all = append(all, one)
		}
		return use(ctx, all)
	}()
	stop()
	if ended := g.Wait(); err == nil {
		err = ended
	}
	return err
}

// directory writes the oss-directory that lists the nodes' contracts.
func (n *served) directory(dir string) (string, error) {
	path := filepath.Join(dir, "oss-directory.tar.gz")
	f, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("write the directory: %w", err)
	}
	if err := n.WriteDirectory(f); err != nil {
		_ = f.Close()
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", fmt.Errorf("write the directory: %w", err)
	}
	return path, nil
}
