package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// LoadGraphQL reads GitHub's own schema. It defines some fields twice: the first counts.
func LoadGraphQL(path string) (*ast.Schema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("GitHub's schema: %w", err)
	}
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: path, Input: string(text)})
	if err != nil {
		return nil, fmt.Errorf("GitHub's schema: %w", err)
	}
	for _, d := range doc.Definitions {
		known := map[string]bool{}
		d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool {
			twice := known[f.Name]
			known[f.Name] = true
			return twice
		})
	}
	return validator.ValidateSchemaDocument(doc)
}

// object is a node of an answer: values, objects, lists of objects, and connections.
type object map[string]any

// connection is a list that is given in pages.
type connection func(args map[string]any) object

// fit checks a query, once.
func (s *GitHub) fit(query string) (*ast.QueryDocument, error) {
	if doc := s.queries[query]; doc != nil {
		return doc, nil
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		return nil, err
	}
	if s.Schema != nil {
		if list := validator.ValidateWithRules(s.Schema, doc, rules.NewDefaultRules()); len(list) > 0 {
			return nil, list
		}
	}
	s.queries[query] = doc
	return doc, nil
}

func (s *GitHub) graphql(w http.ResponseWriter, r *http.Request, token string) {
	var asked struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if token == "" {
		refuse(w, http.StatusUnauthorized, "This endpoint requires you to be authenticated.")
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	doc, err := s.fit(asked.Query)
	if err == nil && s.Schema != nil {
		var list error
		if _, list = validator.VariableValues(s.Schema, doc.Operations[0], asked.Variables); list != nil {
			err = list
		}
	}
	if err != nil {
		answer(w, object{"errors": []object{{"message": err.Error()}}})
		return
	}
	op := doc.Operations[0]
	e := &execution{doc: doc, vars: asked.Variables}
	if !s.spend(w, token, "graphql", e.points(op.SelectionSet)) {
		answer(w, object{"errors": []object{{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}}})
		return
	}
	data := e.project(op.SelectionSet, s.root(e), nil)
	out := object{"data": data}
	if len(e.errors) > 0 {
		out["errors"] = e.errors
	}
	answer(w, out)
}

// root is the object of all queries.
func (s *GitHub) root(e *execution) object {
	byNode := func(id any) any {
		kind, text, _ := strings.Cut(fmt.Sprint(id), "_")
		number, err := strconv.ParseInt(text, 10, 64)
		if r := s.repos[number]; kind == "R" && err == nil && r != nil && r.Gone == 0 {
			return r.object()
		}
		for _, r := range s.repos {
			if i := slices.IndexFunc(r.Issues, func(n Issue) bool { return n.ID == number }); kind == "I" && i >= 0 && r.Gone == 0 {
				return r.Issues[i].object()
			}
		}
		return nil
	}
	return object{
		"__typename": "Query",
		"node":       func(args map[string]any) any { return byNode(args["id"]) },
		"nodes": func(args map[string]any) any {
			ids, _ := args["ids"].([]any)
			all := make([]any, len(ids))
			for i, id := range ids {
				all[i] = byNode(id)
			}
			return all
		},
		"repository": func(args map[string]any) any {
			if r, _ := s.find(fmt.Sprint(args["owner"], "/", args["name"])); r != nil && r.Gone == 0 {
				return r.object()
			}
			return nil
		},
	}
}

// execution answers one query.
type execution struct {
	doc    *ast.QueryDocument
	vars   map[string]any
	errors []object
}

// fields calls f with the fields that an object is asked for.
func (e *execution) fields(set ast.SelectionSet, kind string, f func(*ast.Field)) {
	for _, one := range set {
		switch x := one.(type) {
		case *ast.Field:
			if e.included(x.Directives) {
				f(x)
			}
		case *ast.InlineFragment:
			if e.included(x.Directives) && is(kind, x.TypeCondition) {
				e.fields(x.SelectionSet, kind, f)
			}
		case *ast.FragmentSpread:
			if d := e.doc.Fragments.ForName(x.Name); is(kind, d.TypeCondition) {
				e.fields(d.SelectionSet, kind, f)
			}
		}
	}
}

// is reports whether an object of a kind is of a type or an interface; of any where kind
// is empty.
func is(kind, condition string) bool {
	return kind == "" || condition == "" || kind == condition || slices.Contains([]string{"Node", "Actor", "RepositoryOwner"}, condition)
}

func (e *execution) included(directives ast.DirectiveList) bool {
	d := directives.ForName("include")
	if d == nil {
		return true
	}
	on, err := d.Arguments.ForName("if").Value.Value(e.vars)
	return err == nil && on == true
}

func (e *execution) args(f *ast.Field) map[string]any {
	args := map[string]any{}
	for _, a := range f.Arguments {
		if v, err := a.Value.Value(e.vars); err == nil {
			args[a.Name] = v
		}
	}
	return args
}

// project is the part of an object that is asked for.
func (e *execution) project(set ast.SelectionSet, from object, path []any) object {
	kind, _ := from["__typename"].(string)
	out := object{}
	e.fields(set, kind, func(f *ast.Field) {
		at := append(slices.Clone(path), f.Alias)
		value := from[f.Name]
		switch v := value.(type) {
		case connection:
			value = v(e.args(f))
		case func(map[string]any) any:
			if value = v(e.args(f)); value == nil {
				e.errors = append(e.errors, object{"type": "NOT_FOUND", "path": at, "message": "Could not resolve to a node"})
			}
		}
		out[f.Alias] = e.value(f.SelectionSet, value, at)
	})
	return out
}

func (e *execution) value(set ast.SelectionSet, value any, path []any) any {
	switch v := value.(type) {
	case object:
		return e.project(set, v, path)
	case []object:
		all := []any{}
		for i, one := range v {
			all = append(all, e.value(set, one, append(slices.Clone(path), i)))
		}
		return all
	case []any:
		for i, one := range v {
			at := append(slices.Clone(path), i)
			if v[i] = e.value(set, one, at); one == nil {
				e.errors = append(e.errors, object{"type": "NOT_FOUND", "path": at, "message": "Could not resolve to a node"})
			}
		}
	}
	return value
}

// points is what a query costs: the requests that its connections come to, by 100.
func (e *execution) points(set ast.SelectionSet) int {
	return max(1, int(math.Round(float64(e.requests(set, 1))/100)))
}

func (e *execution) requests(set ast.SelectionSet, times int) (sum int) {
	e.fields(set, "", func(f *ast.Field) {
		args, each := e.args(f), times
		size := args["first"]
		if size == nil {
			size = args["last"]
		}
		if ids, ok := args["ids"].([]any); ok {
			sum, each = sum+times, times*len(ids)
		} else if n, err := strconv.Atoi(fmt.Sprint(size)); err == nil {
			sum, each = sum+times, times*n
		}
		sum += e.requests(f.SelectionSet, each)
	})
	return sum
}

// sorted is an item of a connection, and by what it is ordered.
type sorted struct {
	at   time.Time
	id   string
	node object
	edge object // beside the node; nil where nobody asks
}

// paged is a connection of what build lists, the newest first.
func paged(build func() []sorted) connection {
	return func(args map[string]any) object { return pageOf(build(), args) }
}

func pageOf(all []sorted, args map[string]any) object {
	slices.SortFunc(all, func(a, b sorted) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return strings.Compare(b.id, a.id)
	})
	rest, total := all, len(all)
	if since, err := time.Parse(time.RFC3339, fmt.Sprint(args["since"])); err == nil {
		rest = slices.DeleteFunc(slices.Clone(rest), func(s sorted) bool { return s.at.Before(since) })
	}
	if after, ok := args["after"].(string); ok {
		if i := slices.IndexFunc(rest, func(s sorted) bool { return s.cursor() == after }); i >= 0 {
			rest = rest[i+1:]
		} else {
			rest = slices.DeleteFunc(slices.Clone(rest), func(s sorted) bool { return s.cursor() >= after })
		}
	}
	if n, err := number(args["last"]); err == nil {
		return lastOf(rest, n, args["before"])
	}
	size := len(rest)
	if n, err := number(args["first"]); err == nil {
		size = min(size, n)
	}
	info := object{"hasNextPage": size < len(rest), "hasPreviousPage": false, "endCursor": nil}
	nodes, edges := []object{}, []object{}
	for _, one := range rest[:size] {
		info["endCursor"] = one.cursor()
		nodes = append(nodes, one.node)
		if one.edge != nil {
			one.edge["node"] = one.node
			edges = append(edges, one.edge)
		}
	}
	return object{"totalCount": total, "pageInfo": info, "nodes": nodes, "edges": edges}
}

// lastOf is a page of what comes the oldest first: the last n before a cursor, of all
// with the newest first.
func lastOf(all []sorted, n int, before any) object {
	if at, ok := before.(string); ok {
		all = slices.DeleteFunc(slices.Clone(all), func(s sorted) bool { return s.cursor() >= at })
	}
	page := slices.Clone(all[:min(n, len(all))])
	slices.Reverse(page)
	info, nodes := object{"hasPreviousPage": len(page) < len(all), "startCursor": nil}, []object{}
	for _, one := range page {
		nodes = append(nodes, one.node)
	}
	if len(page) > 0 {
		info["startCursor"] = page[0].cursor()
	}
	return object{"pageInfo": info, "nodes": nodes}
}

func (s *sorted) cursor() string { return fmt.Sprintf("%012d/%s", s.at.Unix(), s.id) }

var errNumber = errors.New("no number")

func number(v any) (int, error) {
	switch n := v.(type) {
	case int64:
		return int(n), nil
	case float64:
		return int(n), nil
	case json.Number:
		i, err := n.Int64()
		return int(i), err
	}
	return 0, errNumber
}
