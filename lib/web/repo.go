package web

import (
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"quire/lib/push"
	"quire/lib/runstore"
	"quire/lib/text"
)

const (
	pageRuns    = 40   // runs on a page of a repository
	chartRuns   = 40   // runs in its chart
	maxBranches = 20   // refs above its chart
	recentRuns  = 1000 // runs to read for the chart and the refs
)

// list returns the runs that f accepts, newest first. A root without records has none.
func (v *visit) list(f runstore.Filter) iter.Seq2[runstore.Record, error] {
	if v.store == nil {
		return func(func(runstore.Record, error) bool) {}
	}
	return v.store.List(f)
}

// A runRow is a run in the table of a repository.
type runRow struct {
	runstore.Record
	Subject, Pusher string
}

// A repoData is the page of a repository.
type repoData struct {
	Name          string
	Refs          []runstore.Record // the newest run of each
	MoreRefs      bool
	Default       string
	Bars          []bar
	Rows          []runRow
	Ref, State    string // the filter of the list; "" for all runs
	Older, Newest string // addresses; "" if there is no such page
	States        []runstore.State
}

// repo writes the page of a repository.
func (v *visit) repo(name string) error {
	query := v.r.URL.Query()
	d := repoData{Name: name, Ref: query.Get("ref"), State: query.Get("state"), States: append(slices.Clone(runstore.States), runstore.Skipped)}
	n, empty := 0, true
	var chart []runstore.Record
	for rec, err := range v.list(runstore.Filter{Repo: name}) {
		if err != nil {
			v.Log(err)
			continue
		}
		empty = false
		if n++; n > recentRuns {
			break
		}
		if len(chart) < chartRuns && !rec.Started.IsZero() && !rec.Finished.IsZero() {
			chart = append(chart, rec)
		}
		if !slices.ContainsFunc(d.Refs, func(r runstore.Record) bool { return r.Ref == rec.Ref }) {
			d.Refs = append(d.Refs, rec)
		}
	}
	if exists, err := v.exists(name); empty && (err != nil || !exists) {
		return errors.Join(err, errNotFound)
	}
	if i := defaultRef(d.Refs); i >= 0 {
		d.Default = d.Refs[i].Ref
	}
	d.MoreRefs = len(d.Refs) > maxBranches
	d.Refs = d.Refs[:min(len(d.Refs), maxBranches)]
	d.Bars, v.refs = bars(chart, v), d.Refs
	if err := v.rows(&d, query.Get("before")); err != nil {
		return err
	}
	return v.page("repo", name, &d)
}

// rows adds a page of runs that are older than the run with the id before, or the newest runs
// if before is "".
func (v *visit) rows(d *repoData, before string) error {
	f := runstore.Filter{Repo: d.Name, Ref: d.Ref}
	if d.State != "" {
		f.States = []runstore.State{runstore.State(d.State)}
	}
	for rec, err := range v.list(f) {
		if err != nil {
			v.Log(err)
			continue
		}
		if before != "" && rec.ID >= before {
			continue
		}
		if len(d.Rows) == pageRuns {
			v.older = d.Rows[pageRuns-1].ID
			d.Older = v.olderURL(d, v.older)
			break
		}
		row := runRow{Record: rec, Subject: rec.SHA[:min(12, len(rec.SHA))]}
		if run, err := v.store.Run(rec.Repo, rec.ID); err == nil {
			row.Pusher = run.Pusher
			if run.Subject != "" {
				row.Subject = run.Subject
			}
		}
		d.Rows = append(d.Rows, row)
	}
	if before != "" {
		d.Newest = v.RepoURL(d.Name)
	}
	return nil
}

// olderURL returns the address of the page of runs that are older than a run.
func (v *visit) olderURL(d *repoData, id string) string {
	if v.static {
		return "before-" + id + ".html"
	}
	q := url.Values{"before": {id}}
	for key, value := range map[string]string{"ref": d.Ref, "state": d.State} {
		if value != "" {
			q.Set(key, value)
		}
	}
	return "?" + q.Encode()
}

// A bar is a run in the chart of durations.
type bar struct {
	URL, State, Label string
	X, Y, Height      int
}

const (
	chartHeight = 44
	barStep     = 11
)

// bars returns the chart of runs. The first run is the newest; its bar is on the right.
func bars(runs []runstore.Record, v *visit) []bar {
	longest := time.Millisecond
	for _, r := range runs {
		longest = max(longest, r.Finished.Sub(r.Started))
	}
	var list []bar
	for i, r := range slices.Backward(runs) {
		height := max(2, int(chartHeight*r.Finished.Sub(r.Started)/longest))
		list = append(list, bar{
			URL: v.runURL(r.Repo, r.ID), State: knownState(string(r.Shown())),
			Label: fmt.Sprintf("%s, %s, %s", r.Shown(), tookText(r.Started, r.Finished), text.Line(push.ShortRef(r.Ref))),
			X:     (len(runs) - 1 - i) * barStep, Y: chartHeight - height, Height: height,
		})
	}
	return list
}

// ChartWidth returns the width of the chart.
func (d *repoData) ChartWidth() int { return len(d.Bars) * barStep }

// Filtered describes the listed runs, "" for all runs.
func (d *repoData) Filtered() string {
	return text.Line(strings.TrimSpace(push.ShortRef(d.Ref) + " " + d.State))
}
