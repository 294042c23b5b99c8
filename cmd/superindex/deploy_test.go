package main

import (
	"path/filepath"
	"testing"
)

// The config that deploy/ gives away is one.
func TestTheDeployedConfig(t *testing.T) {
	t.Setenv("CLICKHOUSE_PASSWORD", "a")
	t.Setenv("NATS_PASSWORD", "b")
	c, err := loadConfig(filepath.Join("..", "..", "deploy", "superindex.yaml"), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Networks) != 2 || c.Sinks.ClickHouse.DSN != "clickhouse://superindex:a@clickhouse:9000/superindex" ||
		c.Sinks.NATS.URL != "nats://superindex:b@nats:4222" || c.DataDir != "/var/lib/superindex" {
		t.Errorf("read as %+v", c)
	}
}
