package github

import (
	"context"
	"fmt"

	"superindex/poller"
)

// thread is what happens to an issue or a pull request, the oldest first: an answer has
// the end of it.
type thread struct {
	Node     string             `json:"id"`
	Reviews  listOf[reviewNode] `json:"reviews"`
	Timeline listOf[happened]   `json:"timelineItems"`
}

// threads are those in the answer.
func (d *readData) threads() (all []*thread) {
	for i := range d.Node.Issues.Nodes {
		all = append(all, &d.Node.Issues.Nodes[i].thread)
	}
	for i := range d.Node.Pulls.Nodes {
		all = append(all, &d.Node.Pulls.Nodes[i].thread)
	}
	return all
}

// beginnings reads the beginning of each thread, where the answer does not have it.
func (f *Feed) beginnings(ctx context.Context, what string, all []*thread) (kept []poller.Payload, err error) {
	for _, t := range all {
		for t.Reviews.Info.Before || t.Timeline.Info.Before {
			body, err := f.older(ctx, what, t)
			if err != nil {
				return nil, err
			}
			kept = append(kept, poller.Payload{What: "older/" + t.Node, Body: body})
		}
	}
	return kept, nil
}

// older reads what comes before what is there of a thread.
func (f *Feed) older(ctx context.Context, what string, t *thread) ([]byte, error) {
	answer, body, err := post[struct {
		Node *thread `json:"node"`
	}](ctx, f, what, olderQuery, map[string]any{
		"id": t.Node, "reviews": t.Reviews.Info.Before, "reviewsBefore": t.Reviews.Info.Start,
		"events": t.Timeline.Info.Before, "eventsBefore": t.Timeline.Info.Start,
	})
	switch {
	case err != nil:
		return nil, err
	case answer.Data.Node == nil || len(answer.Errors) > 0:
		return nil, fmt.Errorf("%s: GitHub does not say what happened to %s", what, t.Node)
	case !t.Reviews.before(&answer.Data.Node.Reviews) || !t.Timeline.before(&answer.Data.Node.Timeline):
		return nil, fmt.Errorf("%s: what happened to %s has no beginning", what, t.Node)
	}
	return body, nil
}

// before takes in the page before what is there; false where that leads nowhere.
func (l *listOf[T]) before(page *listOf[T]) bool {
	if !l.Info.Before {
		return true // it is whole already
	}
	if page.Info.Before && (len(page.Nodes) == 0 || page.Info.Start == l.Info.Start) {
		return false
	}
	l.Nodes, l.pageInfo = append(page.Nodes, l.Nodes...), page.pageInfo
	return true
}
