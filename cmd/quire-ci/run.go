package main

import (
	"context"
	"errors"
	"flag"
	"io"

	"quire/lib/cli"
	"quire/lib/executor"
	"quire/lib/runlog"
)

const runUsage = `usage: quire-ci run [OPTION...]

  --workspace DIR    where the pipeline is and runs (.)
  --out DIR          where events.jsonl and jobs/ go (a temporary directory)
  --secrets FILE     a JSON object of names and values
  --facts FILE       what is known of the push (made up from the working copy)
  --ref REF          the ref, in place of the fact
  --sha SHA          the commit, in place of the fact
  -j N               jobs at once (the number of processors)
  --job ID           this job and what it needs; may be repeated
  --var NAME=VALUE   a variable for all jobs; may be repeated
  --env NAME         let jobs have this variable; may be repeated
  --timeout TIME     end the run after so long, such as 1h30m
  --grace TIME       between SIGTERM and SIGKILL (10s)
  --fail-fast        end the run at the first job that fails
  -n, --dry-run      print the plan and run nothing
`

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
		return asked(executor.Plan(e.Stdout, p.Pipeline, o))
	}
	done, err := o.UseOut(s.out)
	if err != nil {
		return err
	}
	o.Output, o.Columns, o.Color = e.Stdout, executor.Columns(e.Stdout), colors(e, e.Stdout)
	ctx, stop := untilPipe(ctx)
	defer stop()
	outcome, err := executor.Run(ctx, p.Pipeline, o)
	defer func() { done(outcome) }()
	if err != nil {
		return asked(err)
	}
	err = executor.Report(e.Stderr, o.Out, outcome, colors(e, e.Stderr))
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

// asked returns err as misuse where it is about what was asked for.
func asked(err error) error {
	if unknown := (*executor.UnknownJobError)(nil); errors.As(err, &unknown) {
		return cli.Usagef("%s", unknown)
	}
	return err
}

// colors reports whether w is a terminal on which colours are wanted; see
// https://no-color.org.
func colors(e *cli.Env, w io.Writer) bool {
	return executor.Columns(w) != nil && e.Getenv("NO_COLOR") == ""
}
