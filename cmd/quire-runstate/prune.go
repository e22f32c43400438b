package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"quire/lib/cli"
	"quire/lib/drive"
	"quire/lib/runstore"
)

const pruneUsage = `usage: quire-runstate prune [OPTION...]
Removes ended runs, and prints the id of each as it is removed. The newest
complete and the newest failed run of each ref stay. Also removes caches that
the configuration does not keep, and prints the path of each.
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
	c, configErr := loadAndWarn(ctx, e, s)
	if *keep < 0 {
		if configErr != nil {
			return configErr
		}
		p.Keep = func(repo string) int {
			if n := c.For(repo).Keep.Runs; n > 0 {
				return n
			}
			return math.MaxInt
		}
	}
	records, err := s.Prunable(p)
	if err != nil {
		return err
	}
	var unwritten error
	show := func(what string) {
		if _, err := fmt.Fprintln(e.Stdout, what); err != nil {
			unwritten = err
		}
	}
	if *dry {
		for _, rec := range records {
			show(rec.ID)
		}
	} else {
		err = s.Remove(records, func(rec runstore.Record) { show(rec.ID) })
	}
	if configErr != nil {
		return errors.Join(err, unwritten, configErr)
	}
	unused := func(repo string) time.Duration { return c.For(repo).Keep.Cache }
	caches := drive.CachePrune{Unused: unused, Most: c.For("").MaxCache, Dry: *dry}
	return errors.Join(err, drive.PruneCaches(s, caches, show), unwritten)
}
