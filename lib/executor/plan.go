package executor

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"quire/lib/pipeline"
)

// Plan writes what Run would do with the same options, without running anything. Each job
// has a line, in the order of the graph, with fields separated by tabs: the id, "run" or
// "skip", the inputs separated by spaces, and the reason for skipping or "-".
func Plan(w io.Writer, p *pipeline.Pipeline, o Options) error {
	r := &run{Options: o, pipeline: p, byID: map[string]*job{}}
	if err := r.addJobs(); err != nil {
		return err
	}
	skipped := map[string]bool{}
	for _, j := range r.jobs {
		what, why := "run", "-"
		if _, ok := r.earlier(j); ok {
			what, why = "skip", "succeeded in an earlier run"
		} else if skip := r.foresee(j, skipped); skip != "" {
			skipped[j.spec.ID] = true
			what, why = "skip", skip
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", j.spec.ID, what, strings.Join(j.spec.Inputs, " "), why); err != nil {
			return err
		}
	}
	return nil
}

// foresee returns why j would be skipped if every other job succeeded, or "".
func (r *run) foresee(j *job, skipped map[string]bool) string {
	if afterGate(j.spec, r.Facts) {
		return gateText
	}
	if j.spec.Options.Always {
		return ""
	}
	isSkipped := func(in string) bool { return skipped[in] }
	if i := slices.IndexFunc(j.spec.Inputs, isSkipped); i >= 0 {
		in := j.spec.Inputs[i]
		ran := slices.ContainsFunc(j.spec.Inputs, func(in string) bool { return !skipped[in] })
		if !j.spec.Options.AllowSkipped || !ran {
			return fmt.Sprintf("input '%s' was skipped", in)
		}
	}
	if !matches(j.spec.Options.When, r.Facts) {
		return whenText
	}
	return ""
}
