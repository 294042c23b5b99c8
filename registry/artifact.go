package registry

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
)

// OSOID is Open Source Observer's id of what its parts name: base64 of the
// SHA-256 of the parts in one, without a separator. ("ab", "c") and ("a", "bc")
// are the same id there, and so here.
func OSOID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "")))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// EntityID is the id of a project or a collection of oss-directory.
func EntityID(name string) string { return OSOID("OSS_DIRECTORY", "oso", name) }

// Artifact is what events can be about, as Open Source Observer names it: an
// address on one chain, a repository, a package, a site.
type Artifact struct {
	Source    string // "OPTIMISM", "GITHUB", "NPM": the chain or the host, in capitals
	Namespace string // a repository's owner; empty for an address
	Name      string // lower case
	Type      string // "CONTRACT", "REPOSITORY", "PACKAGE", ...
}

// ID is Open Source Observer's id of the artifact.
func (a Artifact) ID() string { return OSOID(a.Source, a.Namespace, a.Name) }

// artifact is the account as it stands on one network.
func (a *Account) artifact(network string) Artifact {
	return Artifact{strings.ToUpper(network), "", a.Address.String(), a.kind()}
}

// kind is one word for the account's tags.
func (a *Account) kind() string {
	if a.Emits() {
		return "CONTRACT"
	}
	for _, tag := range [...]string{"eoa", "deployer", "creator", "wallet"} {
		for _, own := range a.Tags {
			if own == tag {
				return strings.ToUpper(tag)
			}
		}
	}
	return "ADDRESS"
}

// artifact reads the link as Open Source Observer does; false where the URL is
// not one of its kind.
func (l Link) artifact() (Artifact, bool) {
	u, err := url.Parse(strings.ToLower(strings.TrimRight(l.URL, "/")))
	if err != nil || u.Host == "" {
		return Artifact{}, false
	}
	host, parts := strings.TrimPrefix(u.Host, "www."), strings.Split(strings.Trim(u.Path, "/"), "/")
	switch l.Kind {
	case "github":
		return githubArtifact(host, parts)
	case "npm":
		return npmArtifact(host, u.Path)
	case "websites":
		return Artifact{"WWW", "", u.String(), "WEBSITE"}, true
	case "go":
		return Artifact{"GO", "", u.Host + u.Path, "PACKAGE"}, u.Path != ""
	}
	return plainArtifact(l.Kind, host, parts)
}

// Repository is GitHub's of that name, "owner/name" in any case.
func Repository(name string) Artifact {
	owner, repo, _ := strings.Cut(strings.ToLower(name), "/")
	return Artifact{"GITHUB", owner, repo, "REPOSITORY"}
}

// Package is npm's of that name. Open Source Observer's namespace of it is the scope
// without its @, and the package's own name where it has no scope.
func Package(name string) Artifact {
	scope, _, _ := strings.Cut(strings.TrimPrefix(name, "@"), "/")
	return Artifact{"NPM", scope, name, "PACKAGE"}
}

// Collective is Open Collective's account of that slug.
func Collective(slug string) Artifact {
	return Artifact{"OPEN_COLLECTIVE", "", slug, "OPEN_COLLECTIVE"}
}

// githubArtifact is a repository, or all that one owner has.
func githubArtifact(host string, parts []string) (Artifact, bool) {
	if len(parts) > 1 && parts[0] == "orgs" {
		parts = parts[1:2]
	}
	if host != "github.com" || parts[0] == "" {
		return Artifact{}, false
	}
	if len(parts) == 1 {
		return Artifact{"GITHUB", parts[0], "", "ORGANIZATION"}, true
	}
	return Artifact{"GITHUB", parts[0], strings.TrimSuffix(parts[1], ".git"), "REPOSITORY"}, true
}

func npmArtifact(host, path string) (Artifact, bool) {
	name, ok := strings.CutPrefix(path, "/package/")
	if host != "npmjs.com" || !ok || name == "" {
		return Artifact{}, false
	}
	return Package(name), true
}

// plainArtifact is one whose name is the part of the URL's path behind a fixed
// word, where the host has one; for a host that is not listed here, all of it.
func plainArtifact(kind, host string, parts []string) (Artifact, bool) {
	source := strings.ToUpper(kind)
	behind := func(wanted, word, kind string) (Artifact, bool) {
		path := strings.Join(parts, "/")
		rest, ok := strings.CutPrefix(path, word)
		name, _, _ := strings.Cut(rest, "/")
		return Artifact{source, "", name, kind}, ok && host == wanted && name != ""
	}
	switch kind {
	case "crates":
		return behind("crates.io", "crates/", "PACKAGE")
	case "pypi":
		return behind("pypi.org", "project/", "PACKAGE")
	case "defillama":
		return behind("defillama.com", "protocol/", "DEFILLAMA_PROTOCOL")
	case "open_collective":
		return behind("opencollective.com", "", "OPEN_COLLECTIVE")
	}
	return Artifact{source, "", strings.Join(parts, "/"), "SOCIAL_HANDLE"}, parts[0] != ""
}
