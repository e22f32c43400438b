package main

import (
	"context"
	"math"
	"time"

	"quire/lib/config"
	"quire/lib/runstore"
)

// settings is what the configuration says, or its defaults where it cannot be read:
// a run that is under way is to be ended in good order all the same.
type settings struct{ config *config.Config }

func loadSettings(ctx context.Context, s *runstore.Store) (settings, error) {
	c, err := config.Load(ctx, s.Root())
	if err != nil {
		c = new(config.Config)
	}
	return settings{c}, err
}

func (s settings) grace(repo string) time.Duration   { return s.config.For(repo).Grace }
func (s settings) timeout(repo string) time.Duration { return s.config.For(repo).Timeout }
func (s settings) executor(repo string) string       { return s.config.For(repo).Executor }

// limits returns how many runs may be active at once. A repository's own setting
// is a limit beside that of the root.
func (s settings) limits() runstore.Limits {
	return runstore.Limits{
		Root: s.config.For("").MaxRuns,
		Repo: func(name string) int { return s.config.For(name).MaxRuns },
	}
}

// keep returns which ends of a run keep the workspace.
func (s settings) keep(repo string) func(runstore.State) bool {
	set := s.config.For(repo)
	return func(state runstore.State) bool { return set.Keeps(state == runstore.Failed) }
}

// keepRuns returns how many ended runs of a repository prune leaves.
func (s settings) keepRuns(repo string) int {
	if n := s.config.For(repo).Keep.Runs; n > 0 {
		return n
	}
	return math.MaxInt
}
