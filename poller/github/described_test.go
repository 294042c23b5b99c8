package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	gh "github.com/google/go-github/v92/github"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"superindex/internal/sources"
)

// described are the parts of GitHub's description that the feed's requests are in.
type described struct {
	router routers.Router
	doc    *openapi3.T
}

// reference is a pointer into the description.
var reference = regexp.MustCompile(`"#/components/([a-z-]+)/([A-Za-z0-9_.-]+)"`)

// description reads GitHub's own, once, and of its 13 MB only what the paths below
// /users and /repos that the feed asks for refer to.
var description = sync.OnceValues(func() (*described, error) {
	text, err := os.ReadFile("../../tools/npm/node_modules/@octokit/openapi/generated/api.github.com.json")
	if err != nil {
		return nil, err
	}
	var whole struct {
		OpenAPI    string                                `json:"openapi"`
		Info       json.RawMessage                       `json:"info"`
		Paths      map[string]json.RawMessage            `json:"paths"`
		Components map[string]map[string]json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	paths, components := map[string]json.RawMessage{}, map[string]map[string]json.RawMessage{}
	var take func(json.RawMessage)
	take = func(text json.RawMessage) {
		for _, m := range reference.FindAllSubmatch(text, -1) {
			kind, name := string(m[1]), string(m[2])
			if components[kind] == nil {
				components[kind] = map[string]json.RawMessage{}
			}
			if _, known := components[kind][name]; !known {
				components[kind][name] = whole.Components[kind][name]
				take(whole.Components[kind][name])
			}
		}
	}
	for _, path := range append(listPaths(), "/users/{username}/repos", "/repos/{owner}/{repo}") {
		var methods map[string]json.RawMessage
		if err := json.Unmarshal(whole.Paths[path], &methods); err != nil {
			return nil, fmt.Errorf("%s is not described: %w", path, err)
		}
		paths[path] = append(append([]byte(`{"get":`), methods["get"]...), '}')
		take(methods["get"])
	}
	small, err := json.Marshal(map[string]any{"openapi": whole.OpenAPI, "info": whole.Info, "paths": paths, "components": components})
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(small)
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	return &described{router, doc}, err
})

// listPaths are those of the kinds.
func listPaths() (paths []string) {
	for _, kind := range withoutToken() {
		paths = append(paths, "/repos/{owner}/{repo}/"+listOfKind(kind).path)
	}
	return paths
}

// byItsNumber is how GitHub itself redirects to a repository: it is not described.
var byItsNumber = regexp.MustCompile(`^/repositories/\d+(/|$)`)

// check refuses what is not in the description.
func (d *described) check(r *http.Request) error {
	if r.URL.Path == "/graphql" || byItsNumber.MatchString(r.URL.Path) {
		return nil
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "", "", ""
	route, params, err := d.router.FindRoute(r)
	if err != nil {
		return fmt.Errorf("%s: %w", r.URL.Path, err)
	}
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil {
			return fmt.Errorf("%s: no parameter %s is described", r.URL.Path, name)
		}
	}
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route})
}

func theDescription(t *testing.T) *described {
	t.Helper()
	octokit(t, "openapi")
	d, err := description()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryRequestIsAsGitHubDescribes(t *testing.T) {
	d := theDescription(t)
	for path, ok := range map[string]bool{
		"/repos/a/b/commits?per_page=100&page=2&since=2026-01-01T00:00:00Z": true,
		"/repos/a/b/commits?per_page=many":                                  false,
		"/repos/a/b/commits?until_when=1":                                   false,
		"/repos/a/b/changes":                                                false,
		"/repos/a/b/pulls?sort=sideways":                                    false,
	} {
		if err := d.check(httptest.NewRequest(http.MethodGet, path, nil)); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, tokens := range [][]string{nil, {"a"}, {"a", "b"}} {
		synctest.Test(t, func(t *testing.T) {
			one, other := sources.Sample(1, "Org/Repo", now, 130), sources.Sample(2, "org/other", now, 5)
			w := newWorld(t, one, other)
			one.Name, one.Before = "org/Renamed", []string{one.Name}
			w.tokens, w.opts.Owners = tokens, []string{"org", "nobody"}
			w.service.Check, w.service.Requests, w.opts.Every = d.check, 5000, 4*time.Hour
			w.follow(26 * time.Hour)
			if w.state.Failing > 0 || !strings.Contains(w.count(), "commits 135") {
				t.Errorf("%d tokens: %s; %+v", len(tokens), w.count(), w.state)
			}
		})
	}
}

func TestEveryQueryFitsGitHubsSchema(t *testing.T) {
	octokit(t, "graphql-schema")
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	for name, query := range map[string]string{"look": lookQuery, "a name": namesQuery(1), "a hundred names": namesQuery(100), "read": readQuery, "older": olderQuery} {
		if _, err := gqlparser.LoadQueryWithRules(s, query, rules.NewDefaultRules()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := gqlparser.LoadQueryWithRules(s, strings.Replace(query, "createdAt", "createdWhen", 1), rules.NewDefaultRules()); err == nil {
			t.Errorf("%s: a field that is not there fits", name)
		}
	}
}

// TestTheDescribedAnswersDecode: GitHub's description has an answer of each list as an
// example.
func TestTheDescribedAnswersDecode(t *testing.T) {
	d := theDescription(t)
	for _, kind := range withoutToken() {
		l := listOfKind(kind)
		content := d.doc.Paths.Value("/repos/{owner}/{repo}/" + l.path).Get.Responses.Status(http.StatusOK).Value.Content
		for name, example := range content["application/json"].Examples {
			if kind == stars && name == "default-response" {
				continue // without times: it is not what is asked for
			}
			text, err := json.Marshal(example.Value.Value)
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.read(&Feed{}, of{1, "octocat/hello-world"}, &answer{body: text}, kind)
			if err != nil || len(got) == 0 && kind != issueEvents && kind != issues {
				t.Errorf("%s: %q has %d items, %v", kind, name, len(got), err)
			}
			for _, it := range got {
				if it.id == "" || it.id == "0" || it.at.IsZero() || it.time.IsZero() || it.kind != kind {
					t.Errorf("%s: %+v", kind, it)
				}
			}
		}
	}
}

// recorded is one request of GitHub's fixtures, and its answer.
type recorded struct {
	Method   string          `json:"method"`
	Path     string          `json:"path"`
	Status   int             `json:"status"`
	Response json.RawMessage `json:"response"`
	Headers  struct {
		Link     string `json:"link"`
		Location string `json:"location"`
	} `json:"headers"`
}

// replay is a feed to which a scenario's GETs are answered, by path and page.
func replay(t *testing.T, scenario string) *Feed {
	t.Helper()
	text, err := os.ReadFile(octokit(t, "fixtures", "scenarios", "api.github.com", scenario, "normalized-fixture.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, one := range all {
			at, err := url.Parse(one.Path)
			byNumber := strings.HasPrefix(at.Path, "/repositories/") && at.Query().Get("page") != ""
			if err != nil || !strings.EqualFold(one.Method, http.MethodGet) || at.Path != r.URL.Path && !byNumber || at.Query().Get("page") != r.URL.Query().Get("page") {
				continue
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Link", one.Headers.Link)
			if to, err := url.Parse(one.Headers.Location); err == nil && one.Headers.Location != "" {
				w.Header().Set("Location", to.RequestURI())
			}
			w.WriteHeader(one.Status)
			_, _ = w.Write(one.Response) // the test sees what is missing
			return
		}
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	f, err := New(Options{URL: server.URL, Every: time.Second, Client: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRecordedAnswersDecode(t *testing.T) {
	f := replay(t, "paginate-issues")
	path, query, n := "repos/octokit-fixture-org/paginate-issues/issues", url.Values{}, 0
	for more := true; more; {
		a, err := f.get(t.Context(), "issues", path, query, tag{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := items(issueItem)(f, of{1000, "octokit-fixture-org/paginate-issues"}, &a, "issues")
		if err != nil {
			t.Fatal(err)
		}
		n += len(got)
		query.Set("page", a.next)
		more = a.next != ""
	}
	if n != 13 {
		t.Errorf("%d issues, recorded are 13", n)
	}
	for scenario, path := range map[string]string{"get-repository": "repos/octokit-fixture-org/hello-world", "rename-repository": "repos/octokit-fixture-org/rename-repository"} {
		a, err := replay(t, scenario).get(t.Context(), "repository", path, nil, tag{})
		if err != nil || a.code != http.StatusOK {
			t.Fatalf("%s: %d, %v", scenario, a.code, err)
		}
		var n gh.Repository
		if err := json.Unmarshal(a.body, &n); err != nil {
			t.Fatal(err)
		}
		if one := fromREST(&n, 1); one.Number != 1000 || one.CreatedAt.IsZero() || !strings.HasPrefix(one.Name, "octokit-fixture-org/") {
			t.Errorf("%s: %+v", scenario, one)
		}
	}
	a, err := replay(t, "release-assets").get(t.Context(), "release", "repos/octokit-fixture-org/release-assets/releases/tags/v1.0.0", nil, tag{})
	if err != nil {
		t.Fatal(err)
	}
	a.body = bytes.Join([][]byte{[]byte("["), a.body, []byte("]")}, nil)
	if got, err := items(releaseItem)(f, of{1000, "o/r"}, &a, "releases"); err != nil || len(got) != 1 || got[0].body.(*releaseRow).Tag != "v1.0.0" {
		t.Errorf("%+v, %v", got, err)
	}
	if a, err := replay(t, "errors").get(t.Context(), "labels", "repos/octokit-fixture-org/errors/labels", nil, tag{}); err != nil || a.code != http.StatusNotFound {
		t.Errorf("%d, %v", a.code, err)
	}
}
