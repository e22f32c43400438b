package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"quire/lib/diag"
	"quire/lib/fennel"
)

// check checks the rules about the whole graph, which single calls cannot break.
func (r *registry) check(main *file) {
	if len(r.jobs) == 0 && len(r.problems) == 0 {
		d := main.diagnostic(1, 1, "pipeline defines no job")
		d.Hint = "define one with ci.job"
		r.report(d)
	}
	byID := map[string]*registered{}
	for _, j := range r.jobs {
		if first := byID[j.ID]; first != nil {
			r.report(j.call.problemAt(j.call.arg(1), "job %s is defined twice, first on line %d", quoted(j.ID), first.Line))
			continue
		}
		byID[j.ID] = j
	}
	bad := r.unknownInputs(byID)
	for id := range r.cycles(byID) {
		bad[id] = true
	}
	r.unreached(byID, bad)
}

// unknownInputs reports undefined inputs, and returns the jobs that have one or no input
// at all.
func (r *registry) unknownInputs(byID map[string]*registered) map[string]bool {
	bad := map[string]bool{}
	for _, j := range r.jobs {
		bad[j.ID] = bad[j.ID] || len(j.Inputs) == 0
		for _, input := range j.Inputs {
			if input == Push || byID[input] != nil {
				continue
			}
			bad[j.ID] = true
			what := "input"
			if strings.Contains(input, "/") {
				what = "source"
			}
			d := j.call.problemAt(j.inputAt(input), "unknown %s %s of job %s", what, quoted(input), quoted(j.ID))
			d.Hint = r.suggest(input)
			r.report(d)
		}
	}
	return bad
}

// inputAt returns an input as written in the source.
func (j *registered) inputAt(input string) fennel.Node {
	written := j.after
	if j.Mirror == nil {
		written = j.call.arg(2)
	}
	if s, ok := written.(*fennel.Sequence); ok {
		for _, item := range s.Items {
			if s, ok := item.(*fennel.String); ok && s.Value == input {
				return s
			}
		}
	}
	return written
}

// cycles reports each cycle once, from its first-defined job, and returns the jobs in
// cycles. It follows the inputs; an input already on the path closes a cycle.
func (r *registry) cycles(byID map[string]*registered) map[string]bool {
	const onPath, done = 1, 2
	state := map[string]int{}
	inCycle := map[string]bool{}
	var path []string
	var visit func(j *registered)
	visit = func(j *registered) {
		state[j.ID] = onPath
		path = append(path, j.ID)
		for _, input := range j.Inputs {
			switch next := byID[input]; {
			case next == nil:
			case state[input] == 0:
				visit(next)
			case state[input] == onPath:
				cycle := slices.Clone(path[slices.Index(path, input):])
				for _, id := range cycle {
					inCycle[id] = true
				}
				r.reportCycle(byID, cycle)
			}
		}
		path = path[:len(path)-1]
		state[j.ID] = done
	}
	for _, j := range r.jobs {
		if state[j.ID] == 0 {
			visit(j)
		}
	}
	return inCycle
}

func (r *registry) reportCycle(byID map[string]*registered, cycle []string) {
	at := 0
	for i, id := range cycle {
		if r.rank(byID[id]) < r.rank(byID[cycle[at]]) {
			at = i
		}
	}
	cycle = append(cycle[at:len(cycle):len(cycle)], cycle[:at+1]...)
	j := byID[cycle[0]]
	d := j.call.problemAt(j.inputAt(cycle[1]), "dependency cycle: %s", strings.Join(cycle, " -> "))
	r.report(d)
}

// rank returns the definition order of a job.
func (r *registry) rank(j *registered) int { return slices.Index(r.jobs, j) }

// unreached reports the jobs that no push can start, because none of their inputs, direct or
// not, is the source. It skips bad jobs, which have been reported already.
func (r *registry) unreached(byID map[string]*registered, bad map[string]bool) {
	reached := map[string]bool{}
	for again := true; again; {
		again = false
		for _, j := range r.jobs {
			if !reached[j.ID] && slices.ContainsFunc(j.Inputs, func(in string) bool { return in == Push || reached[in] }) {
				reached[j.ID], again = true, true
			}
		}
	}
	for _, j := range r.jobs {
		if !reached[j.ID] && !bad[j.ID] && byID[j.ID] == j {
			r.report(j.call.problemAt(j.call.arg(1), "job %s does not reach the source '%s'", quoted(j.ID), Push))
		}
	}
}

// order returns the jobs so that each comes after its inputs, otherwise in the order of
// definition. There are no cycles.
func (r *registry) order() []*Job {
	var order []*Job
	done := map[string]bool{Push: true}
	for len(order) < len(r.jobs) {
		for _, j := range r.jobs {
			if !done[j.ID] && !slices.ContainsFunc(j.Inputs, func(in string) bool { return !done[in] }) {
				order = append(order, j.Job)
				done[j.ID] = true
				break
			}
		}
	}
	return order
}

// suggest returns a hint for an unknown input: the known name that is most similar.
func (r *registry) suggest(input string) string {
	if len(input) > maxID {
		return ""
	}
	if "quire/"+input == Push {
		return "did you mean " + Push + "?"
	}
	best, least := "", len(input)/2+1
	known := []string{Push}
	for _, j := range r.jobs {
		known = append(known, j.ID)
	}
	for _, id := range known {
		if d := diag.Distance(input, id); d < least {
			best, least = id, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean '%s'?", best)
}
