package gharchive

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"superindex/internal/sources"
	"superindex/registry"
)

func watched() Watch {
	return watchOf(&registry.Snapshot{Projects: []registry.Project{{Name: "p", Links: []registry.Link{{Kind: "github", URL: "https://github.com/acme"}}}}})
}

// rowOf is the row that a line becomes.
func rowOf(t *testing.T, kind, at string, payload any) (row eventRow) {
	t.Helper()
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	f := scan{watch: watched(), most: stepRows}
	line := sources.Happening{ID: "1", Type: kind, Repo: "acme/X", Actor: "Bob", At: when, Payload: payload}.Line()
	if err := f.read(bytes.NewReader(sources.Pack([]string{line}))); err != nil || len(f.rows) != 1 {
		t.Fatalf("%d rows of %s, %v", len(f.rows), line, err)
	}
	if err := json.Unmarshal(f.rows[0].Body, &row); err != nil {
		t.Fatal(err)
	}
	if row.Repo != "acme/X" || row.Actor != "Bob" || row.RepoID != 99 || row.ActorID != 7 || row.CreatedAt != at || string(f.raw) != line+"\n" {
		t.Errorf("the row is %+v", row)
	}
	return row
}

type object = map[string]any

func TestCommitsAreKnownUntilGitHubLeftThemOut(t *testing.T) {
	push := object{"ref": "refs/heads/main", "size": 3, "commits": []object{{"sha": "a1"}, {"sha": "a2", "distinct": false}, {"sha": "a3", "distinct": true}}}
	row := rowOf(t, "PushEvent", "2025-10-06T23:59:59Z", push)
	if strings.Join(row.Commits, " ") != "a1 a3" || row.Size == nil || *row.Size != 3 || row.Ref != "refs/heads/main" {
		t.Errorf("before: %+v", row)
	}
	for at, payload := range map[string]any{"2025-10-07T00:00:00Z": push, "2025-09-01T00:00:00Z": object{"ref": "refs/heads/main", "push_id": 1}} {
		if row := rowOf(t, "PushEvent", at, payload); row.Commits != nil || row.Size != nil {
			t.Errorf("%s: commits are unknown, not none: %+v", at, row)
		}
	}
}

func TestWhatIsReadOfAnEvent(t *testing.T) {
	const at = "2024-01-15T05:00:00Z"
	row := rowOf(t, "PullRequestEvent", at, object{"action": "closed", "number": 5, "pull_request": object{"number": 5, "merged": true, "author_association": "FIRST_TIME_CONTRIBUTOR"}})
	if row.Action != "closed" || row.Number != 5 || row.Merged == nil || !*row.Merged || row.Association != "FIRST_TIME_CONTRIBUTOR" {
		t.Errorf("%+v", row)
	}
	if row = rowOf(t, "PullRequestEvent", at, object{"action": "closed", "number": 5, "pull_request": object{"id": 1}}); row.Number != 5 || row.Merged != nil {
		t.Errorf("trimmed: %+v", row)
	}
	if row = rowOf(t, "IssueCommentEvent", at, object{"action": "created", "issue": object{"number": 6, "author_association": "NONE"}}); row.Number != 6 || row.Action != "created" {
		t.Errorf("%+v", row)
	}
	if row = rowOf(t, "ReleaseEvent", at, object{"action": "published", "release": object{"tag_name": "v1"}}); row.Ref != "v1" {
		t.Errorf("%+v", row)
	}
}

// TestALongLineIsNotHeld: a file's lines are read in bounded memory, however long
// they are.
func TestALongLineIsNotHeld(t *testing.T) {
	file := sources.Pack([]string{strings.Repeat("x", 4*maxLine), sources.Happening{ID: "1", Type: "WatchEvent", Repo: "acme/x", At: time.Now(), Payload: object{}}.Line()})
	var before, after runtime.MemStats
	f := scan{watch: watched(), most: stepRows}
	runtime.ReadMemStats(&before)
	err := f.read(bytes.NewReader(file))
	runtime.ReadMemStats(&after)
	if err != nil || f.lines != 2 || f.unread != 1 || len(f.rows) != 1 {
		t.Errorf("%d lines, %d unread, %d rows, %v", f.lines, f.unread, len(f.rows), err)
	}
	if held := after.TotalAlloc - before.TotalAlloc; held > 2*maxLine {
		t.Errorf("%d bytes were allocated for a line of %d", held, 4*maxLine)
	}
}

// FuzzScan: whatever a file holds, it is read without a fault of ours; what is kept is
// of a repository that is watched, and can be written.
func FuzzScan(f *testing.F) {
	good := sources.Happening{ID: "1", Type: "PushEvent", Repo: "acme/x", Actor: "a", At: time.Unix(1.7e9, 0), Payload: object{"commits": []object{{"sha": "b"}}}}.Line()
	for _, text := range []string{good, good + "\n" + good[:40], "{}", `{"id":"1","type":"t","repo":{"name":"acme/"},"created_at":"2024-01-01T00:00:00+01:00"}`, "\r\n\n", "\x00"} {
		f.Add([]byte(text), true)
		f.Add(sources.Pack([]string{text}), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, pack bool) {
		if pack {
			data = sources.Pack([]string{string(data)})
		}
		s := scan{watch: watched(), most: stepRows}
		if err := s.read(io.LimitReader(bytes.NewReader(data), 1<<20)); err != nil {
			return
		}
		if s.kept != len(s.rows) || s.unread >= s.lines || s.bytes != int64(len(data)) {
			t.Errorf("%d kept, %d rows, %d of %d lines unread, %d of %d bytes", s.kept, len(s.rows), s.unread, s.lines, s.bytes, len(data))
		}
		for _, r := range s.rows {
			var row eventRow
			if err := json.Unmarshal(r.Body, &row); err != nil || row.ID != r.ID || !strings.HasPrefix(strings.ToLower(row.Repo), "acme/") {
				t.Errorf("%s: %v", r.Body, err)
			}
		}
	})
}

// BenchmarkScan: a file as the source has them: lines of 4 KiB, of which a hundredth
// is kept.
func BenchmarkScan(b *testing.B) {
	var lines []string
	size := int64(0)
	for i := range 5000 {
		e := sources.Happening{ID: strconv.Itoa(i), Type: "IssueCommentEvent", Repo: "some/body", Actor: "a", At: time.Unix(1.7e9, 0)}
		if i%100 == 0 {
			e.Repo = "acme/x"
		}
		e.Payload = object{"action": "created", "issue": object{"number": i}, "comment": object{"body": strings.Repeat("words of \"all\" kinds\n", 150)}}
		lines = append(lines, e.Line())
		size += int64(len(lines[i]))
	}
	file := sources.Pack(lines)
	b.SetBytes(size)
	for b.Loop() {
		f := scan{watch: watched(), most: stepRows}
		if err := f.read(bytes.NewReader(file)); err != nil || len(f.rows) != 50 {
			b.Fatal(len(f.rows), err)
		}
	}
}
