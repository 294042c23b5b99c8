package report

import (
	"fmt"
	"html/template"
	"strings"
)

// HTML is the run as a page with plots, that needs nothing but itself.
func HTML(r *Run) (string, error) {
	var b strings.Builder
	err := page.Execute(&b, struct {
		*Run
		Plots  []plot
		Tables []table
	}{r, plots(r), tables(r)})
	if err != nil {
		return "", fmt.Errorf("write the page: %w", err)
	}
	return b.String(), nil
}

// Title, Head and Rows are for the page.
func (t table) Title() string    { return t.title }
func (t table) Head() []string   { return t.head }
func (t table) Rows() [][]string { return t.rows }

// Short is when the run began.
func (r *Run) Short() string { return r.Began.Format("2 January 2006, 15:04 MST") }

// Text is the result's details.
func (r Result) Text() string {
	var b strings.Builder
	details(&b, &r)
	return strings.ReplaceAll(b.String(), "**", "")
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>superindex bench, {{.Short}}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-size: 13px; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums; }
svg text { font: 12px system-ui, sans-serif; fill: #222; } svg { max-width: 100%; height: auto; }
p.small { font-size: 13px; color: #555; }
</style></head><body>
<h1>superindex bench, {{.Short}}</h1>
<p><code>{{.Command}}</code>. {{.Machine}}</p>
<p class="small">{{range $i, $v := .Versions}}{{if $i}}, {{end}}{{.Name}} {{.Text}}{{end}}.
The load node runs in the harness's own process and shares the cores with the daemon and its ClickHouse.</p>
{{range .Plots}}{{if .Bars}}<h2>{{.Title}}</h2>
<svg viewBox="0 0 900 {{.Height}}" width="900" height="{{.Height}}" role="img" aria-label="{{.Title}}">
{{range .Bars}}<text x="250" y="{{.Y}}" dy="14" text-anchor="end">{{.Name}}</text>
{{range .Pieces}}<rect x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="18" fill="{{.Color}}"><title>{{.What}}</title></rect>
{{end}}<text x="{{.End}}" y="{{.Y}}" dy="14">{{.Value}}</text>
{{end}}</svg>
{{if .Legend}}<p class="small">{{range .Legend}}<span style="color: {{.Color}}">&#9632;</span> {{.What}} {{end}}</p>{{end}}{{end}}{{end}}
{{range .Tables}}{{if .Rows}}<h2>{{.Title}}</h2>
<table><tr>{{range .Head}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>{{end}}{{end}}
<h2>One by one</h2>
{{range .Results}}<p class="small">{{.Text}}</p>
{{end}}</body></html>
`))
