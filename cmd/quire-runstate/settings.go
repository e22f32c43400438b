package main

import (
	"context"
	"errors"
	"math"
	"syscall"
	"time"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/runstore"
)

// settings is the configuration, or its defaults if it cannot be read: an active run must
// still be ended in order.
type settings struct{ config *config.Config }

func loadSettings(ctx context.Context, s *runstore.Store) (settings, error) {
	c, err := config.Load(ctx, s.Root())
	if err != nil {
		c = new(config.Config)
	}
	return settings{c}, err
}

// loadAndWarn is loadSettings for the subcommands that people call: it also shows the
// warnings about the configuration.
func loadAndWarn(ctx context.Context, e *cli.Env, s *runstore.Store) (settings, error) {
	set, err := loadSettings(ctx, s)
	if len(set.config.Warnings) > 0 {
		e.Report(set.config.Warnings)
	}
	return set, err
}

func (s settings) grace(repo string) time.Duration { return s.config.For(repo).Grace }
func (s settings) executor(repo string) string     { return s.config.For(repo).Executor }

// url returns the address of the page of a run, "" for none.
func (s settings) url(run *runstore.Run) string {
	return s.config.For(run.Repo).RunURL(run.Repo, run.ID)
}

// keepRuns returns how many ended runs of a repository prune leaves.
func (s settings) keepRuns(repo string) int {
	if n := s.config.For(repo).Keep.Runs; n > 0 {
		return n
	}
	return math.MaxInt
}

// signalOf returns the signal that ended the context, otherwise SIGTERM.
func signalOf(ctx context.Context) syscall.Signal {
	var s cli.SignalError
	if errors.As(context.Cause(ctx), &s) {
		return s.Signal
	}
	return syscall.SIGTERM
}
