package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// download reads a tarball over HTTP as it comes in; nil where the server says
// that it is still what last holds.
func download(ctx context.Context, source string, last *Snapshot) (*contents, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, bare(err)
	}
	if last != nil && last.etag != "" {
		req.Header.Set("If-None-Match", last.etag)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, bare(err)
	}
	defer res.Body.Close()
	if last != nil && res.StatusCode == http.StatusNotModified {
		return nil, nil
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", res.Status)
	}
	c, err := readTarball(res.Body)
	if err != nil {
		return nil, err
	}
	c.etag = res.Header.Get("ETag")
	return c, nil
}

// bare drops the URL from an HTTP error: it may hold a key.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
