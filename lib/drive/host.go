package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"quire/lib/diag"
	"quire/lib/executor"
	"quire/lib/file"
	"quire/lib/pipeline"
	"quire/lib/process"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// Host drives run from pending to its end in this process, the executor "host". It writes the
// output of the jobs to output, each line marked with its job, and returns the final status
// of the run. The error is quire's own. If the status is zero, the run did not become active.
func Host(ctx context.Context, store *runstore.Store, run *runstore.Run, output io.Writer) (runstore.Status, error) {
	d := drive{store: store, run: run, executor: "host"}
	var log *runlog.RunLog
	defer func() { log.Close() }()
	live, end := runlog.NewLive(output, nil)
	defer end() // after other processes can see the end of the run
	ignoreStops()
	d.prepare = func(p *Plan) (err error) {
		log.Close() // of an earlier turn
		if log, err = runlog.OpenRunLog(filepath.Join(run.Dir, runstore.LogFile), p.Settings.MaxLog); err != nil {
			return err
		}
		output = io.MultiWriter(log, live)
		for _, w := range p.Warnings {
			fmt.Fprintf(output, "quire: warning: %s\n", w)
		}
		return nil
	}
	d.work = func(ctx context.Context, p *Plan, g *process.Cgroup) (runstore.Change, error) {
		change, problem := p.execute(ctx, store, run, g, output)
		if problem != nil {
			log.Note("%s", problemText(problem))
		}
		return change, errors.Join(problem, log.Close()) // before the run ends, for readers of its log
	}
	return d.do(ctx)
}

// execute makes the workspace and runs the jobs. It returns how the run ended. The error is
// quire's own or the pipeline's; a failed job is no error.
func (p *Plan) execute(ctx context.Context, store *runstore.Store, run *runstore.Run, group *process.Cgroup, output io.Writer) (runstore.Change, error) {
	dir, err := MakeWorkspace(ctx, store, run, p)
	if err != nil {
		return failed(ctx, "materialize"), err
	}
	tree, err := file.OpenTree(dir)
	if err != nil {
		return failed(ctx, "internal"), err
	}
	defer tree.Close()
	jobs, err := pipeline.Load(ctx, tree, pipeline.Options{Limits: p.Settings.Limits()})
	if list := (diag.List)(nil); errors.As(err, &list) {
		return failed(ctx, "invalid-pipeline"), list
	}
	if err != nil {
		return failed(ctx, "internal"), err
	}
	defer jobs.Close()
	if err := p.copyArtifacts(ctx, run.Dir); err != nil {
		return failed(ctx, "internal"), err
	}
	o := p.spec().Options(os.Environ())
	o.Cache = p.Cache
	o.Workspace, o.Out, o.Output, o.Cgroup = dir, run.Dir, output, group
	o.Secrets, o.Parallel, o.Timeout = p.Secrets, p.Settings.Jobs, p.Settings.Timeout
	o.OnTimeout = func() { endEarly(run, runstore.Change{State: runstore.Failed, Reason: "timeout"}) }
	outcome, err := executor.Run(ctx, jobs, o)
	if err == nil {
		err = executor.Report(output, run.Dir, run.ID, outcome, false)
	}
	return runstore.Change{State: runstore.State(outcome.State), Reason: outcome.Reason, Code: outcome.Code}, err
}
