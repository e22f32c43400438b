package main

import (
	"context"
	"fmt"
	"time"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const pruneUsage = `usage: quire-runstate prune [-n] [OPTION...]
Removes ended runs, and prints the ids of those removed. The newest complete and
the newest failed run of each ref stay.
  -n                only print what would be removed
  --keep N          the newest N of each repository stay; default from the configuration
  --older-than D    only those that ended longer ago, such as 720h
  --state A,B       only those in one of these states
`

func (r *rootOption) prune(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	dry := fs.Bool("n", false, "")
	keep := fs.Int("keep", -1, "")
	age := fs.Duration("older-than", 0, "")
	states := fs.String("state", "", "")
	if err := e.Parse(fs, pruneUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	var p runstore.Prune
	var err error
	if p.States, err = parseStates(*states); err != nil {
		return err
	}
	if *age < 0 {
		return cli.Usagef("bad value '%s' of option '--older-than': negative", *age)
	}
	if *age > 0 {
		p.Before = time.Now().Add(-*age)
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	p.Keep = func(string) int { return *keep }
	if *keep < 0 {
		set, err := loadAndWarn(ctx, e, s)
		if err != nil {
			return err
		}
		p.Keep = set.keepRuns
	}
	records, err := s.Prunable(p)
	if err != nil {
		return err
	}
	if !*dry {
		if err := s.Remove(records); err != nil {
			return err
		}
	}
	for _, rec := range records {
		if _, err := fmt.Fprintln(e.Stdout, rec.ID); err != nil {
			return err
		}
	}
	return nil
}
