package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quire/lib/cli"
	"quire/lib/diag"
	"quire/lib/executor"
	"quire/lib/pipeline"
)

// settings are the options of run and shell.
type settings struct {
	workspace, facts, ref, sha string
	jobs, env                  list
	vars                       vars
	spec                       executor.Spec // of a recorded run

	out, secrets     string
	parallel         int
	timeout, grace   time.Duration
	failFast, dryRun bool
}

// register adds the options that run and shell share.
func (s *settings) register(fs *flag.FlagSet) {
	s.vars = vars{}
	fs.StringVar(&s.workspace, "workspace", ".", "")
	fs.StringVar(&s.facts, "facts", "", "")
	fs.StringVar(&s.ref, "ref", "", "")
	fs.StringVar(&s.sha, "sha", "", "")
	fs.Var(&s.jobs, "job", "")
	fs.Var(&s.env, "env", "")
	fs.Var(s.vars, "var", "")
}

func (s *settings) registerRun(fs *flag.FlagSet) {
	fs.StringVar(&s.out, "out", "", "")
	fs.StringVar(&s.secrets, "secrets", "", "")
	fs.IntVar(&s.parallel, "j", 0, "")
	fs.DurationVar(&s.timeout, "timeout", 0, "")
	fs.DurationVar(&s.grace, "grace", 0, "")
	fs.BoolVar(&s.failFast, "fail-fast", false, "")
	fs.BoolVar(&s.dryRun, "n", false, "")
	fs.BoolVar(&s.dryRun, "dry-run", false, "")
}

// options returns what the settings and the facts make of a run.
func (s *settings) options(ctx context.Context) (executor.Options, error) {
	if s.parallel < 0 || s.timeout < 0 || s.grace < 0 {
		return executor.Options{}, cli.Usagef("-j, --timeout and --grace take no negative values")
	}
	workspace, err := filepath.Abs(s.workspace)
	if err != nil {
		return executor.Options{}, err
	}
	spec := s.spec
	switch {
	case s.facts != "":
		spec, err = executor.ReadSpecFile(s.facts)
	case spec.Facts.Run == "":
		spec.Facts, err = executor.LocalFacts(ctx, workspace)
	}
	if err != nil {
		return executor.Options{}, err
	}
	spec.Env = append(spec.Env, s.env...)
	if s.ref != "" {
		spec.Facts.Ref, spec.Facts.Branch, spec.Facts.Tag = s.ref, "", ""
	}
	if s.sha != "" {
		spec.Facts.SHA = s.sha
	}
	o := spec.Options(os.Environ())
	o.Workspace, o.Only, o.Vars = workspace, s.jobs, s.vars
	o.Parallel, o.FailFast = s.parallel, s.failFast
	if s.timeout > 0 {
		o.Timeout = s.timeout
	}
	if s.grace > 0 {
		o.Grace = s.grace
	}
	return o, nil
}

// load returns the pipeline of the workspace, which is to be closed, and how to
// run it.
func (s *settings) load(ctx context.Context, e *cli.Env) (*pipeline.Pipeline, executor.Options, error) {
	o, err := s.options(ctx)
	if err != nil {
		return nil, o, err
	}
	if s.secrets != "" {
		var warnings []string
		if o.Secrets, warnings, err = executor.ReadSecrets(s.secrets); err != nil {
			return nil, o, err
		}
		for _, w := range warnings {
			e.Warn("%s", w)
		}
	}
	if _, err := os.Stat(o.Workspace); err != nil { // or else it would only lack a pipeline
		return nil, o, fmt.Errorf("cannot read workspace '%s': %w", s.workspace, errors.Unwrap(err))
	}
	p, err := pipeline.Load(ctx, os.DirFS(o.Workspace), pipeline.Options{
		Log: func(line string) { fmt.Fprintln(e.Stderr, line) },
	})
	if errors.Is(err, pipeline.ErrNone) || errors.As(err, new(diag.List)) {
		err = cli.Status(cli.No, err)
	}
	return p, o, err
}

// makeOut gives o its directory for events and logs. done is to be called at the
// end of the run, and removes the directory where it is of no more use.
func (s *settings) makeOut(o *executor.Options) (done func(complete bool), err error) {
	if s.out != "" {
		o.Out, err = filepath.Abs(s.out)
		return func(bool) {}, err
	}
	o.Scratch = true
	o.Out, err = os.MkdirTemp("", "quire-ci-")
	return func(complete bool) {
		if complete {
			os.RemoveAll(o.Out)
		} else {
			os.Remove(o.Out) // where the run did not begin, it is empty
		}
	}, err
}

// asked returns err as misuse where it is about what was asked for.
func asked(err error) error {
	var unknown *executor.UnknownJobError
	if errors.As(err, &unknown) {
		return cli.Usagef("%s", unknown)
	}
	return err
}

// A list is an option that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// vars are options of the form NAME=VALUE.
type vars map[string]string

func (v vars) String() string { return fmt.Sprint(map[string]string(v)) }

func (v vars) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("not of the form NAME=VALUE")
	}
	v[name] = value
	return nil
}
