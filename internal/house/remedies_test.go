package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// wordless are the fatal errors that have no words of their own, and where these are.
var wordless = map[string]string{
	"reorg/begin.go":            "the Err... above it, each of which the table has",
	"sinks/clickhouse/fault.go": "its func remedy",
}

// Whoever sees a red line finds it in docs/operate.md: some words of what is wrong, or
// of its remedy where it is another's error that is fatal.
func TestEveryRedLineIsDocumented(t *testing.T) {
	_, text, _ := strings.Cut(read(t, "docs/operate.md"), "\n## Red lines")
	text, _, _ = strings.Cut(text, "\n## ")
	table := " " + strings.Join(words(text), " ") + " "
	said := 0
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, line := range redLines(s) {
			phrases := phrasesOf(line.error)
			if len(phrases) == 0 {
				phrases = phrasesOf(line.remedy)
			}
			said++
			switch {
			case len(phrases) == 0 && wordless[s.path] == "":
				t.Errorf("%s: a chain.Fatal without words: say in wordless where they are", s.fset.Position(line.at))
			case len(phrases) > 0 && !slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(table, " "+p+" ") }):
				t.Errorf("%s: the table of red lines in docs/operate.md has none of %q", s.fset.Position(line.at), phrases)
			}
		}
	}
	if said < 30 {
		t.Errorf("only %d red lines were found", said)
	}
}

// redLine is what an error that no retry mends says: its literals.
type redLine struct {
	at            token.Pos
	error, remedy []string
}

// redLines are the calls of chain.Fatal, and what a func remedy returns.
func redLines(s source) (lines []redLine) {
	consts := constants(s.ast)
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if fun, ok := n.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Fatal" && len(n.Args) == 2 {
				if pkg, ok := fun.X.(*ast.Ident); ok && pkg.Name == "chain" {
					lines = append(lines, redLine{n.Pos(), literals(n.Args[0], consts), literals(n.Args[1], consts)})
				}
			}
		case *ast.FuncDecl:
			if n.Name.Name == "remedy" {
				lines = append(lines, returned(n, consts)...)
			}
		}
		return true
	})
	return lines
}

func returned(f *ast.FuncDecl, consts map[string]string) (lines []redLine) {
	ast.Inspect(f, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok {
			if texts := literals(r, consts); len(phrasesOf(texts)) > 0 {
				lines = append(lines, redLine{at: r.Pos(), error: texts})
			}
		}
		return true
	})
	return lines
}

// constants are the texts of a file's constants, by name.
func constants(file *ast.File) map[string]string {
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if decl, ok := n.(*ast.GenDecl); ok && decl.Tok != token.CONST {
			return false
		}
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				found[spec.Names[0].Name], _ = strconv.Unquote(lit.Value)
			}
		}
		return true
	})
	return found
}

// literals are the texts in n, those of constants too.
func literals(n ast.Node, consts map[string]string) (texts []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				texts = append(texts, text)
			}
		case *ast.Ident:
			if text := consts[n.Name]; text != "" {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

// between is what parts the phrases of a text: what is filled in, and punctuation.
var between = regexp.MustCompile("%(\\[\\d+\\])?[-+# 0]*[a-z]|[:;,`]")

// phrasesOf are runs of two to four words in a row, of eleven letters at least: such as
// a reader would look for.
func phrasesOf(texts []string) (phrases []string) {
	const most, fewest, shortest = 4, 2, 11
	for _, text := range texts {
		for _, part := range between.Split(text, -1) {
			in := words(part)
			size := min(len(in), most)
			for i := 0; size >= fewest && i+size <= len(in); i++ {
				if phrase := strings.Join(in[i:i+size], " "); len(phrase) >= shortest {
					phrases = append(phrases, phrase)
				}
			}
		}
	}
	return phrases
}

func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func TestPhrasesOf(t *testing.T) {
	got := phrasesOf([]string{"stream %s has persist_mode async: its server %[1]d acknowledges", "of it"})
	if want := []string{"has persist_mode async"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := phrasesOf([]string{"mend the key, plan or URL of endpoint "}); !slices.Equal(got, []string{"mend the key", "plan or url of", "or url of endpoint"}) {
		t.Errorf("%q", got)
	}
}
