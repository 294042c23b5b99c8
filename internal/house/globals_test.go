package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"testing"
)

// A package variable may be a table, a compiled pattern or an error to compare
// with. It holds no state: nothing writes to it once the program runs.
func TestPackageVariablesNeverChange(t *testing.T) {
	packages := map[string][]source{}
	for _, s := range sources(t) {
		if !s.test {
			packages[s.dir()] = append(packages[s.dir()], s)
		}
	}
	for _, files := range packages {
		for _, fault := range changes(files) {
			t.Error(fault)
		}
	}
}

// changes lists where the files of one package write to its variables, or
// declare one that is there to be written to.
func changes(files []source) (faults []string) {
	vars := variables(files)
	for _, s := range files {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			for _, target := range written(n) {
				if id := base(target); id != nil && vars[id.Name] && atPackageLevel(s.ast, id) {
					faults = append(faults, fmt.Sprintf("%s: writes to the package variable %s", s.fset.Position(n.Pos()), id.Name))
				}
			}
			return true
		})
		for _, spec := range valueSpecs(s.ast) {
			if of := base(spec.Type); of != nil && (of.Name == "sync" || of.Name == "atomic") {
				faults = append(faults, fmt.Sprintf("%s: state at package level: %s", s.fset.Position(spec.Pos()), spec.Names[0]))
			}
		}
	}
	return faults
}

func variables(files []source) map[string]bool {
	names := map[string]bool{}
	for _, s := range files {
		for _, spec := range valueSpecs(s.ast) {
			for _, name := range spec.Names {
				names[name.Name] = name.Name != "_"
			}
		}
	}
	return names
}

func valueSpecs(file *ast.File) (specs []*ast.ValueSpec) {
	for _, decl := range file.Decls {
		if decl, ok := decl.(*ast.GenDecl); ok && decl.Tok == token.VAR {
			for _, spec := range decl.Specs {
				specs = append(specs, spec.(*ast.ValueSpec))
			}
		}
	}
	return specs
}

// written are the expressions that a node writes to.
func written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") {
			return n.Args[:1]
		}
	}
	return nil
}

// base is the variable of which an expression is a part: a of a.b[c].
func base(expr ast.Expr) *ast.Ident {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr
	case *ast.SelectorExpr:
		return base(expr.X)
	case *ast.IndexExpr:
		return base(expr.X)
	case *ast.ParenExpr:
		return base(expr.X)
	}
	return nil
}

// atPackageLevel reports whether the name means what the package declares, and
// not something local. The parser resolves names within a file; what it left
// open is declared in another file of the package.
func atPackageLevel(file *ast.File, id *ast.Ident) bool {
	return id.Obj == nil || file.Scope.Objects[id.Name] == id.Obj
}

func TestChanges(t *testing.T) {
	const declared = "package p\nvar table = map[int]int{1: 2}\nvar n, m int\n"
	for text, want := range map[string]int{
		"package p\nfunc f() int { return table[n] }":                                   0,
		"package p\nfunc f() { n = 1 }":                                                 1,
		"package p\nfunc f() { n++; m += 2 }":                                           2,
		"package p\nfunc f() { table[1] = 3 }":                                          1,
		"package p\nfunc f() { delete(table, 1) }":                                      1,
		"package p\nfunc f() { n := 1; n = 2; _ = n }":                                  0,
		"package p\nfunc f(table []int) { table[0] = 1 }":                               0,
		"package p\nimport \"sync\"\nvar mu sync.Mutex; var _ int; func f() { _ = mu }": 1,
		"package p\nimport \"sync/atomic\"\nvar p atomic.Pointer[int]":                  1,
		"package p\nvar own int\nfunc f() { own, _ = 1, 2 }":                            1,
		"package p\ntype s struct{ n int }\nfunc (x s) f() { x.n = 1 }":                 0,
	} {
		if got := changes(parsed(t, "p", []string{declared, text})); len(got) != want {
			t.Errorf("%s: got %q, want %d", text, got, want)
		}
	}
}
