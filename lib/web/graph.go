package web

import (
	"fmt"
	"strings"

	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A graph is a picture of the jobs of a run: a column for each depth, and an edge from each
// job to the jobs that need it.
type graph struct {
	Width, Height int
	Label         string
	Edges         []string // paths of SVG
	Nodes         []node
	More          int // jobs that are not in it
}

type node struct {
	X, Y, N            int // N is the number of the job on the page
	State, Name, Under string
	Mark               string
}

const (
	boxWidth, boxHeight   = 150, 40
	columnStep, rowStep   = 200, 54
	graphMargin, boxChars = 8, 15
)

// graph returns the picture of the jobs, nil for fewer than two. The inputs are in the
// first event, which a job may have written.
func (v *visit) graph(run *runstore.Run, jobs []runlog.JobRecord) *graph {
	first, _, err := runlog.FirstAndLast(run.Dir)
	if err != nil || len(jobs) < 2 {
		return nil
	}
	inputs := map[string][]string{}
	for _, j := range first.Jobs {
		inputs[j.ID] = j.Inputs
	}
	g := &graph{More: max(0, len(jobs)-maxJobs)}
	number := map[string]int{}
	for i, j := range byFailure(jobs) {
		number[j.ID] = i
	}
	at := map[string]int{} // jobs to their index in g.Nodes
	depths := map[string]int{}
	var rows []int // how many jobs each column has
	var words []string
	for _, j := range jobs[:min(len(jobs), maxJobs)] {
		depth := 0
		var needs []string
		for _, input := range inputs[j.ID] {
			if _, before := at[input]; before { // jobs come after their inputs
				depth = max(depth, depths[input]+1)
				needs = append(needs, input)
			}
		}
		if depth == len(rows) {
			rows = append(rows, 0)
		}
		n := node{
			X: graphMargin + depth*columnStep, Y: graphMargin + rows[depth]*rowStep, N: number[j.ID],
			State: knownState(j.State), Name: short(text.Line(j.ID)), Under: v.between(j.Started, j.Finished, j.State == "active"),
			Mark: symbol(knownState(j.State)),
		}
		if j.State == runlog.Skipped {
			n.Under = runlog.Skipped
		}
		rows[depth]++
		for _, input := range needs {
			from := g.Nodes[at[input]]
			g.Edges = append(g.Edges, edge(from.X+boxWidth, from.Y+boxHeight/2, n.X, n.Y+boxHeight/2))
		}
		at[j.ID], depths[j.ID] = len(g.Nodes), depth
		g.Nodes = append(g.Nodes, n)
		g.Width = max(g.Width, n.X+boxWidth+graphMargin)
		g.Height = max(g.Height, n.Y+boxHeight+graphMargin)
		sentence := text.Line(j.ID) + " " + n.State
		if len(needs) > 0 {
			sentence += ", needs " + text.Line(strings.Join(needs, " and "))
		}
		words = append(words, sentence)
	}
	g.Label = text.Cut(strings.Join(words, "; "), 1000)
	return g
}

// edge returns a curve between two points.
func edge(x1, y1, x2, y2 int) string {
	middle := (x1 + x2) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2, y2)
}

// short returns a name that fits into a box.
func short(name string) string {
	if text.Width(name) <= boxChars {
		return name
	}
	return text.CutWidth(name, boxChars-1) + "…"
}
