package main

import (
	"errors"
	"io"

	"quire/lib/cli"
	"quire/lib/executor"
	"quire/lib/push"
)

// factsUsage explains the options of run and shell about facts.
const factsUsage = `  --facts FILE           the facts of the push; default: the working copy
  --ref REF              the ref, instead of the fact
  --sha SHA              the commit, instead of the fact
  --trigger WORD         the trigger, instead of the fact
`

const runUsage = `usage: quire-ci run [OPTION...]
Runs the pipeline of a workspace.
` + workspaceUsage + `  --out DIR              where events.jsonl and jobs/ go; default in $TMPDIR
  --cache DIR            the directory that QUIRE_CACHE names; default none
  --secrets FILE         a JSON object of names and values
` + factsUsage + `  -j N                   run at most N jobs at once; default the processors
  --job JOB              run this job and what it needs; may be repeated
  --var NAME=VALUE       a variable for all jobs; may be repeated
  --env NAME             pass this variable on to jobs; may be repeated
  --timeout DURATION     end the run after this time, such as 1h30m
  --grace DURATION       time between SIGTERM and SIGKILL; default 10s
  --fail-fast            end the run at the first job that fails
  -n, --dry-run          print the plan and run nothing
`

// appendTo returns a function for an option that may be repeated.
func appendTo(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(*list, s)
		return nil
	}
}

// setVar sets a variable of the run by an option of the form NAME=VALUE.
func (s *settings) setVar(option string) error {
	name, value, err := push.ParseVar(option)
	s.vars[name] = value
	return err
}

// unknownJobIsMisuse returns err as misuse if it names an unknown job.
func unknownJobIsMisuse(err error) error {
	if unknown := (*executor.UnknownJobError)(nil); errors.As(err, &unknown) {
		return cli.Usagef("%s", unknown)
	}
	return err
}

// colors reports whether w is a terminal that should get colours; see
// https://no-color.org.
func colors(e *cli.Env, w io.Writer) bool {
	return columns(e, w) != nil && e.Getenv("NO_COLOR") == ""
}

// columns is executor.Columns for a terminal that understands escape sequences. For a
// terminal of the type "dumb" it returns nil.
func columns(e *cli.Env, w io.Writer) func() int {
	if e.Getenv("TERM") == "dumb" {
		return nil
	}
	return executor.Columns(w)
}
