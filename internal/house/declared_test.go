package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// declared returns every name that a Go file, or the files of a folder, declare,
// in each form in which a document may give it: Tracker, Tracker.Extend,
// reorg.Tracker, reorg.Tracker.Extend, and the package's name. Fields and the
// methods of interfaces are among them.
func declared(path string) (map[string]bool, error) {
	paths := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		paths, _ = filepath.Glob(filepath.Join(path, "*.go"))
	}
	names := map[string]bool{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		pkg := strings.TrimSuffix(file.Name.Name, "_test")
		names[pkg] = true
		for _, name := range namesOf(file) {
			names[name], names[pkg+"."+name] = true, true
		}
	}
	return names, nil
}

func namesOf(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, funcNames(decl)...)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				names = append(names, specNames(spec)...)
			}
		}
	}
	return names
}

// funcNames gives a method with its receiver and without.
func funcNames(decl *ast.FuncDecl) []string {
	if decl.Recv == nil {
		return []string{decl.Name.Name}
	}
	return []string{decl.Name.Name, receiver(decl.Recv.List[0].Type) + "." + decl.Name.Name}
}

func receiver(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return receiver(expr.X)
	case *ast.IndexExpr:
		return receiver(expr.X)
	case *ast.IndexListExpr:
		return receiver(expr.X)
	case *ast.Ident:
		return expr.Name
	}
	return ""
}

func specNames(spec ast.Spec) (names []string) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names = append(names, name.Name)
		}
	case *ast.TypeSpec:
		names = append(names, spec.Name.Name)
		for _, member := range members(spec.Type) {
			names = append(names, spec.Name.Name+"."+member)
		}
	}
	return names
}

// members are the fields of a struct, or the methods of an interface.
func members(expr ast.Expr) (names []string) {
	var fields *ast.FieldList
	switch expr := expr.(type) {
	case *ast.StructType:
		fields = expr.Fields
	case *ast.InterfaceType:
		fields = expr.Methods
	default:
		return nil
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

func TestDeclared(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.go", "package a\nvar X, Y int\ntype T[K any] struct{ F K }\nfunc (t *T[K]) M() {}\nfunc F() {}\n")
	names, err := declared(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "X", "a.Y", "T", "T.F", "T.M", "M", "a.T.M", "F", "a.F"} {
		if !names[want] {
			t.Errorf("%s is missing", want)
		}
	}
	if names["T.X"] || names["K"] {
		t.Errorf("too much is declared: %v", names)
	}
}
