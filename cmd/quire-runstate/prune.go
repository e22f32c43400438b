package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const pruneUsage = `usage: quire-runstate prune [OPTION...]
Removes ended runs, and prints the id of each as it is removed. The newest
complete and the newest failed run of each ref stay.
  -n                     only print what would be removed
  --keep N               the newest N of a repository stay; default: config
  --older-than DURATION  only runs that ended longer ago, such as 30d
  --state STATE,...      only runs in one of these states
` + rootUsage

func (r *rootOption) prune(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	var p runstore.Prune
	dry := fs.Bool("n", false, "")
	keep := cli.Count(fs, "keep", -1)
	age := cli.Duration(fs, "older-than", 0)
	fs.Var((*stateList)(&p.States), "state", "")
	s, err := r.begin(e, fs, pruneUsage, 0, 0, "")
	if err != nil {
		return err
	}
	if *age > 0 {
		p.Before = time.Now().Add(-*age)
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
	var unwritten error
	show := func(rec runstore.Record) {
		if _, err := fmt.Fprintln(e.Stdout, rec.ID); err != nil {
			unwritten = err
		}
	}
	if !*dry {
		err := s.Remove(records, show)
		return errors.Join(err, unwritten)
	}
	for _, rec := range records {
		show(rec)
	}
	return unwritten
}
