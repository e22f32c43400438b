package runstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Runs end in any order; the list is still by id, with and without a limit.
func TestListOrder(t *testing.T) {
	s := open(t)
	all := make([]Facts, 200)
	for i := range all {
		all[i] = facts(fmt.Sprintf("r%d", i%3), "refs/heads/main")
	}
	runs := create(t, s, all...)
	state := map[string]State{}
	var want []string
	for i := range runs {
		state[runs[i].ID] = Pending
	}
	for i, n := range rand.New(rand.NewPCG(1, 2)).Perm(len(runs)) {
		if i%10 == 0 {
			continue
		}
		to := []State{Complete, Failed}[i%2]
		change(t, runs[n], changes[to])
		state[runs[n].ID] = to
	}
	for _, r := range slices.Backward(runs) {
		want = append(want, r.ID+" "+string(state[r.ID]))
	}
	if diff := cmp.Diff(want, list(t, s, Filter{})); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	for _, limit := range []int{1, 20, 199, 200, 300} {
		got := list(t, s, Filter{Limit: limit})
		if diff := cmp.Diff(want[:min(limit, 200)], got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	filter := Filter{Repo: "r1", States: []State{Failed, Pending}, Limit: 15}
	var some []string
	for i, r := range slices.Backward(runs) {
		if i%3 == 1 && state[r.ID] != Complete && len(some) < 15 {
			some = append(some, r.ID+" "+string(state[r.ID]))
		}
	}
	if diff := cmp.Diff(some, list(t, s, filter)); diff != "" {
		t.Errorf("filtered (-want +got):\n%s", diff)
	}
	for _, states := range [][]State{nil, {Pending}, {Complete}, {Failed}} {
		var newest []string
		found := map[string]bool{}
		for _, r := range slices.Backward(runs) {
			if !found[r.Repo] && (states == nil || state[r.ID] == states[0]) {
				found[r.Repo] = true
				newest = append(newest, r.ID+" "+string(state[r.ID]))
			}
		}
		if diff := cmp.Diff(newest, list(t, s, Filter{States: states, Newest: true})); diff != "" || len(newest) != 3 {
			t.Errorf("the newest in states %v (-want +got):\n%s", states, diff)
		}
	}
}

// The newest run is listed for each ref of each repository.
func TestListNewest(t *testing.T) {
	s := open(t)
	runs := create(t, s, facts("a", "refs/heads/x"), facts("a", "refs/heads/y"), facts("a\tb", "refs/heads/x"), facts("a", "refs/heads/x"), facts("a", "refs/tags/x"))
	var want []string
	for _, n := range []int{4, 3, 2, 1} {
		want = append(want, runs[n].ID+" complete")
	}
	for _, n := range []int{3, 1, 4, 0, 2} {
		change(t, runs[n], changes[Complete])
	}
	if diff := cmp.Diff(want, list(t, s, Filter{Newest: true})); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestBackwardAndForward(t *testing.T) {
	for _, text := range []string{
		"", "\n", "torn", "a\n", "a\nb\n", "a\nb\ntorn", "\n\n\n",
		strings.Repeat("x", 3*chunk) + "\nb\n" + strings.Repeat("y", chunk) + "\ntorn",
		strings.Repeat("line\n", chunk),
	} {
		var want []string
		for l := range strings.Lines(text) {
			if l, ok := strings.CutSuffix(l, "\n"); ok {
				want = append(want, l)
			}
		}
		var back, forth []string
		r := strings.NewReader(text)
		for l, err := range backward(r, r.Size()) {
			if err != nil {
				t.Fatal(err)
			}
			if got := text[l.start : l.end-1]; got != string(l.text) {
				t.Fatalf("line said to be at %d to %d", l.start, l.end)
			}
			back = append(back, string(l.text))
		}
		for l, err := range forward(r, r.Size()) {
			if err != nil {
				t.Fatal(err)
			}
			if got := text[l.start : l.end-1]; got != string(l.text) {
				t.Fatalf("line said to be at %d to %d", l.start, l.end)
			}
			forth = append(forth, string(l.text))
		}
		slices.Reverse(back)
		if !slices.Equal(want, back) || !slices.Equal(want, forth) {
			t.Errorf("%.20q: backward %d lines, forward %d, want %d", text, len(back), len(forth), len(want))
		}
	}
}
