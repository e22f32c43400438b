package main

import (
	"fmt"
	"slices"
	"strings"

	"quire/lib/cli"
	"quire/lib/runstore"
)

// parseStates reads a list of states, separated by commas; none for "".
func parseStates(list string) ([]runstore.State, error) {
	if list == "" {
		return nil, nil
	}
	var states []runstore.State
	for name := range strings.SplitSeq(list, ",") {
		s := runstore.State(name)
		if !slices.Contains(runstore.States, s) {
			return nil, cli.Usagef("unknown state '%s'", name)
		}
		states = append(states, s)
	}
	return states, nil
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
