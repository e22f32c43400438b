package main

import (
	"context"
	"flag"

	"quire/lib/cli"
	"quire/lib/executor"
	"quire/lib/runlog"
)

// run runs the pipeline of a workspace. Its exit codes are in quire-ci(1).
func run(ctx context.Context, e *cli.Env) error {
	var s settings
	fs := new(flag.FlagSet)
	s.register(fs)
	s.registerRun(fs)
	if err := e.Parse(fs, runUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	if s.facts != "" { // a program started this process, not a person who presses ^C twice
		ignoreTermSignals()
	}
	ctx = e.CatchSignals(ctx)
	spec, err := s.open(ctx)
	if err != nil {
		return err
	}
	o, err := s.options(spec)
	if err != nil {
		return err
	}
	if s.secrets != "" {
		var warnings []string
		if o.Secrets, warnings, err = executor.ReadSecrets(s.secrets); err != nil {
			return err
		}
		for _, w := range warnings {
			e.Warn("%s", w)
		}
	}
	p, err := load(ctx, e, s.workspace, spec.Limits())
	if err != nil {
		return err
	}
	defer p.Close()
	if s.dryRun {
		return unknownJobIsMisuse(executor.Plan(e.Stdout, p.Pipeline, o))
	}
	done, err := o.UseOut(s.out)
	if err != nil {
		return err
	}
	o.Columns, o.Color = columns(e, e.Stdout), colors(e, e.Stdout)
	ctx, output, errors, end := s.outputs(ctx, e)
	defer end()
	o.Output = output
	outcome, err := executor.Run(ctx, p.Pipeline, o)
	defer func() { done(outcome) }()
	if err != nil {
		return unknownJobIsMisuse(err)
	}
	err = executor.Report(errors, o.Out, o.Facts.ID, outcome, colors(e, e.Stderr))
	if err == nil && s.facts == "" { // the out directory of a recorded run may be on another machine
		err = executor.ReportArtifacts(errors, o.Out, outcome)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		return err
	case outcome.State == runlog.Complete:
		return nil
	case ctx.Err() != nil:
		return ended(ctx)
	}
	return cli.Status(cli.No, nil)
}
