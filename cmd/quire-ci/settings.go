package main

import (
	"cmp"
	"context"
	"flag"
	"os"
	"path/filepath"
	"time"

	"quire/lib/cli"
	"quire/lib/executor"
	"quire/lib/push"
)

// settings are the options of run and shell.
type settings struct {
	workspace, facts, ref, sha string
	trigger                    string
	jobs, env                  []string
	vars                       map[string]string

	out, secrets, cache string
	parallel            int
	timeout, grace      time.Duration
	failFast, dryRun    bool
}

// register adds the options that run and shell share.
func (s *settings) register(fs *flag.FlagSet) {
	s.vars = map[string]string{}
	fs.StringVar(&s.workspace, "workspace", ".", "")
	fs.StringVar(&s.facts, "facts", "", "")
	fs.StringVar(&s.ref, "ref", "", "")
	fs.StringVar(&s.sha, "sha", "", "")
	fs.Func("trigger", "", func(word string) error { s.trigger = word; return push.CheckTrigger(word) })
	fs.Func("job", "", appendTo(&s.jobs))
	fs.Func("env", "", appendTo(&s.env))
	fs.Func("var", "", s.setVar)
}

func (s *settings) registerRun(fs *flag.FlagSet) {
	fs.StringVar(&s.out, "out", "", "")
	fs.StringVar(&s.cache, "cache", "", "")
	fs.StringVar(&s.secrets, "secrets", "", "")
	cli.CountVar(fs, &s.parallel, "j", 0)
	cli.DurationVar(fs, &s.timeout, "timeout", 0)
	cli.DurationVar(fs, &s.grace, "grace", 0)
	fs.BoolVar(&s.failFast, "fail-fast", false, "")
	fs.BoolVar(&s.dryRun, "n", false, "")
	fs.BoolVar(&s.dryRun, "dry-run", false, "")
}

// open returns the facts of the run from the file of --facts or from the working copy.
func (s *settings) open(ctx context.Context) (executor.Spec, error) {
	workspace, err := filepath.Abs(s.workspace)
	if err != nil {
		return executor.Spec{}, err
	}
	return executor.OpenSpec(ctx, s.facts, workspace)
}

// options combines spec and the settings into the options of a run.
func (s *settings) options(spec executor.Spec) (o executor.Options, err error) {
	spec.PassEnv = append(spec.PassEnv, s.env...)
	spec.Facts = spec.Facts.At(s.ref, s.sha)
	spec.Facts.Trigger = cmp.Or(s.trigger, spec.Facts.Trigger)
	o = spec.Options(os.Environ())
	o.Only, o.Vars, o.Parallel, o.FailFast = s.jobs, s.vars, s.parallel, s.failFast
	o.Timeout, o.Grace = cmp.Or(s.timeout, o.Timeout), cmp.Or(s.grace, o.Grace)
	if s.facts == "" {
		o.SecretsHint = "--secrets FILE gives them"
	}
	o.Workspace, err = filepath.Abs(s.workspace)
	if err == nil && s.cache != "" {
		o.Cache, err = filepath.Abs(s.cache)
	}
	return o, err
}
