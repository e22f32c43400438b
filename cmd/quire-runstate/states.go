package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"quire/lib/cli"
	"quire/lib/runstore"
)

// A stateList is an option whose value is states, separated by commas. "live" means all
// states that are not final, "ended" all that are.
type stateList []runstore.State

func (l *stateList) String() string { return fmt.Sprint(*l) }

func (l *stateList) Set(text string) error {
	*l = nil
	for name := range strings.SplitSeq(text, ",") {
		if name == "live" || name == "ended" {
			for _, s := range runstore.States {
				if s.Final() == (name == "ended") {
					*l = append(*l, s)
				}
			}
			if name == "ended" {
				*l = append(*l, runstore.Skipped)
			}
			continue
		}
		s := runstore.State(name)
		if s != runstore.Skipped && !slices.Contains(runstore.States, s) {
			return fmt.Errorf("unknown state '%s', the states are %s, %s", name, joinStates(), runstore.Skipped)
		}
		*l = append(*l, s)
	}
	return nil
}

func joinStates() string {
	var names []string
	for _, s := range runstore.States {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// optionsFirst parses options after the operands, as version 0.1 accepted them, with a
// warning.
func optionsFirst(e *cli.Env, fs *flag.FlagSet) error {
	if err := e.Parse(fs, transitionUsage); err != nil {
		return err
	}
	if len(e.Args) > 2 && strings.HasPrefix(e.Args[2], "-") {
		e.Warn("options after the operands are deprecated: put them before ID")
		operands := e.Args[:2]
		e.Args = e.Args[2:]
		if err := e.Parse(fs, transitionUsage); err != nil {
			return err
		}
		e.Args = slices.Concat(operands, e.Args)
	}
	return nil
}
