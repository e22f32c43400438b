package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/runlog"
	"quire/lib/text"
)

const artifactsUsage = `usage: quire-runstate artifacts ID [JOB]
Prints the files that the jobs of a run, or one of them, left as artifacts: job,
size in bytes, path.
` + rootUsage

func (r *rootOption) artifacts(_ context.Context, e *cli.Env) error {
	_, run, err := r.beginRun(e, r.flags(), artifactsUsage, 2, "ID")
	if err != nil {
		return err
	}
	if len(e.Args) == 2 {
		if err := hasJob(run, e.Args[1], false); err != nil {
			return err
		}
	}
	jobs, err := runlog.Summarize(run.Dir)
	failures := []error{err}
	for _, j := range jobs {
		if len(e.Args) == 2 && j.ID != e.Args[1] {
			continue
		}
		var unwritten error
		err := runlog.Artifacts(run.Dir, j.ID, func(a runlog.Artifact) error {
			_, unwritten = fmt.Fprintf(e.Stdout, "%s\t%d\t%s\n", text.Field(a.Job), a.Size, text.Field(filepath.Join(run.Dir, a.Path)))
			return unwritten
		})
		if unwritten != nil {
			return unwritten
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("cannot list artifacts of job '%s': %w", text.Line(j.ID), text.Cause(err)))
		}
	}
	return errors.Join(failures...)
}
