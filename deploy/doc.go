// Package deploy is what runs superindex on a server: a systemd unit, a container, a
// compose file with everything around it, Prometheus' rules, a Grafana dashboard. Its
// only Go is tests, which let each be checked by its own tool where that is
// installed; there is nothing to call, so nothing that could be called concurrently.
package deploy
