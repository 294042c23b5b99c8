package github

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"superindex/chain"
	"superindex/poller"
	"superindex/registry"
)

// The budgets that GitHub gives, an hour: without a token, and to each token.
const (
	freely   = 60
	perToken = 5000
)

// mostTokens is more than anybody has.
const mostTokens = 1000

// Source makes the feed for every repository and every owner that oss-directory lists.
func Source() poller.Source {
	return poller.Source{Name: Name, Every: 15 * time.Minute, PerHour: freely, PerToken: perToken, Tokens: mostTokens, Make: start, Artifact: artifact}
}

func start(s poller.Settings) (poller.Feed, string, error) {
	o := Options{URL: s.URL, Tokens: len(s.Tokens), From: s.From, Every: s.Every, Emails: s.Emails}
	if o.Owners, o.Named = listedIn(s.Registry); len(o.Owners)+len(o.Named) == 0 {
		return nil, "", &poller.OffError{Why: "oss-directory lists nothing on GitHub"}
	}
	base := o.URL
	if base == "" {
		base = Endpoint
	}
	host := ""
	if u, err := url.Parse(base); err == nil {
		host = u.Host
	}
	o.Client = s.Client(Name, newWallet(s.Tokens, host, nil))
	feed, err := New(o)
	return feed, note(o, s.PerHour), err
}

// note says what users should know of how the feed runs here.
func note(o Options, perHour int) string {
	assumed := len(o.Named) + ownerHas*len(o.Owners)
	text := fmt.Sprintf("an owner is assumed to have %d repositories, and 1 of %d to change a day", ownerHas, changedOf)
	if o.Tokens > 0 || perHour == 0 {
		return text
	}
	round := time.Duration(float64(assumed) / float64(perHour) * float64(time.Hour)).Round(time.Hour)
	return fmt.Sprintf("without a token GitHub gives 60 requests an hour, and no reviews: one look at each of about %d repositories takes %v; set poller.github.tokens; %s",
		assumed, round, text)
}

// artifact is the repository that a row is about, of a listing what is listed. Coverage
// is about none: it has a number where a name may change.
func artifact(row *chain.Row) (registry.Artifact, bool) {
	var about struct{ Repository, Owner, Name string }
	err := json.Unmarshal(row.Body, &about)
	if row.Kind == listings {
		return registry.Artifact{Source: "GITHUB", Namespace: about.Owner, Name: about.Name}, err == nil
	}
	return registry.Repository(about.Repository), err == nil && about.Repository != ""
}
