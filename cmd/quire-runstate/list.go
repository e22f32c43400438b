package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const listUsage = `usage: quire-runstate list [OPTION...]
Lists runs, newest first: id, state, repo, ref, sha, executor, reason, code,
created, started and finished, separated by tabs, - for none.
  --repo REPO    only those of a repository
  --ref REF      only those of a ref
  --state A,B    only those in one of these states
  --limit N      at most N
  --json         one JSON object a line
  --count        how many there are in each state instead
`

func (r *rootOption) list(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	var f runstore.Filter
	var states string
	fs.StringVar(&f.Repo, "repo", "", "")
	fs.StringVar(&f.Ref, "ref", "", "")
	fs.StringVar(&states, "state", "", "")
	fs.IntVar(&f.Limit, "limit", 0, "")
	asJSON := fs.Bool("json", false, "")
	count := fs.Bool("count", false, "")
	if err := e.Parse(fs, listUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	if f.Limit < 0 {
		return cli.Usagef("bad value '%d' of option '--limit': negative", f.Limit)
	}
	var err error
	if f.States, err = parseStates(states); err != nil {
		return err
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	if *count {
		return printCounts(e, s)
	}
	out := bufio.NewWriter(e.Stdout)
	p := printer{lines, out, nil}
	switch {
	case *asJSON:
		p.print = objects
	case e.Terminal():
		p = newTable(out)
	}
	code := cli.OK
	for rec, err := range s.List(f) {
		if err != nil {
			e.Report(err)
			code = cli.Failure
			continue
		}
		if err := p.print(p.w, rec); err != nil {
			return err
		}
	}
	if p.table != nil {
		p.table.Flush()
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return status(code)
}

func printCounts(e *cli.Env, s *runstore.Store) error {
	counts, err := s.Count()
	if err != nil {
		return err
	}
	for _, state := range runstore.States {
		if _, err := fmt.Fprintf(e.Stdout, "%s\t%d\n", state, counts[state]); err != nil {
			return err
		}
	}
	return nil
}

// A printer writes records in one of three forms.
type printer struct {
	print func(io.Writer, runstore.Record) error
	w     io.Writer
	table *tabwriter.Writer // where lines are aligned, to be flushed
}

func lines(w io.Writer, rec runstore.Record) error {
	_, err := io.WriteString(w, rec.Line()+"\n")
	return err
}

func objects(w io.Writer, rec runstore.Record) error {
	text, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// newTable prints what people want to see, aligned. The last part of an id is what
// differs between the runs of one push, and enough to name one.
func newTable(w io.Writer) printer {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTATE\tREPO\tREF\tSHA\tCREATED\tTOOK")
	return printer{func(w io.Writer, rec runstore.Record) error {
		state := string(rec.State)
		if rec.Reason != "" {
			state += " " + rec.Reason
		}
		if rec.Code != nil {
			state += fmt.Sprintf(" %d", *rec.Code)
		}
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.10s\t%s\t%s\n", rec.ID[24:], state,
			runstore.Escape(rec.Repo), runstore.Escape(shortRef(rec.Ref)), rec.SHA,
			rec.Created.Local().Format("2006-01-02 15:04:05"), took(rec))
		return err
	}, t, t}
}

func shortRef(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok {
			return short
		}
	}
	return ref
}

func took(rec runstore.Record) string {
	if rec.Started.IsZero() || rec.Finished.IsZero() {
		return "-"
	}
	return rec.Finished.Sub(rec.Started).String()
}
