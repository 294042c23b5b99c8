package github

import (
	"regexp"
	"strconv"
	"strings"

	"superindex/poller"
)

// person is who did something. Login is "ghost" where the account was deleted, and
// empty where only an e-mail address is known.
type person struct {
	Login string
	ID    int64
	Bot   bool
}

// ghost is what GitHub shows of a deleted account.
const ghost = "ghost"

// personOf makes a person of a login and the kind of its account. GraphQL leaves out
// the [bot] that REST has behind an app's login: with it both say the same.
func personOf(login string, id int64, kind string) person {
	if login == "" {
		return person{Login: ghost}
	}
	if kind == "Bot" && !strings.HasSuffix(login, "[bot]") {
		login += "[bot]"
	}
	return person{login, id, kind == "Bot" || isBot(login)}
}

// bots are accounts of machines that GitHub takes for users.
const bots = " allcontributors codecov-commenter codecov-io coveralls dependabot-preview fossabot github-actions greenkeeperio-bot " +
	"gitguardian imgbot k8s-ci-robot mergify-bot netlify-bot pyup-bot renovate-bot semantic-release-bot snyk-bot web-flow whitesource-bolt "

// isBot reports whether a login is a machine's, as far as its name says.
func isBot(login string) bool {
	login = strings.ToLower(login)
	return strings.HasSuffix(login, "[bot]") || strings.HasSuffix(login, "-bot") || strings.Contains(bots, " "+login+" ")
}

// author is who a commit names, by what git knows.
type author struct {
	Login     string `json:"login"` // empty if GitHub knows no account of the address
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	EmailHash string `json:"email_hash"`
	Email     string `json:"email,omitempty"` // only where the user wants it
	Bot       bool   `json:"is_bot"`
}

// own is an address that GitHub gives an account: 123+login@users.noreply.github.com.
var own = regexp.MustCompile(`^(?:(\d+)\+)?([a-zA-Z0-9-]+(?:\[bot\])?)@users\.noreply\.github\.com$`)

// authorOf makes an author. raw keeps the address.
func authorOf(name, email, login string, id int64, raw bool) author {
	a := author{Login: login, ID: id, Name: name, EmailHash: poller.AddressHash(email)}
	if m := own.FindStringSubmatch(strings.TrimSpace(email)); m != nil && login == "" {
		a.Login = m[2]
		a.ID, _ = strconv.ParseInt(m[1], 10, 64) // the older form has no number
	}
	if raw {
		a.Email = email
	}
	a.Bot = isBot(a.Login) || strings.HasSuffix(name, "[bot]")
	return a
}

var trailer = regexp.MustCompile(`(?im)^co-authored-by:[ \t]*(.*?)[ \t]*<([^<>\s]+)>[ \t\r]*$`)

// coAuthors are those that a commit's message names in trailers, each once.
func coAuthors(message string, raw bool) (all []author) {
	known := map[string]bool{}
	for _, m := range trailer.FindAllStringSubmatch(message, -1) {
		a := authorOf(m[1], m[2], "", 0, raw)
		if !known[a.EmailHash] {
			known[a.EmailHash] = true
			all = append(all, a)
		}
	}
	return all
}
