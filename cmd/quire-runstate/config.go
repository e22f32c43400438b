package main

import (
	"context"
	"errors"
	"syscall"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/runstore"
)

// loadConfig returns the configuration. If it cannot be read, it returns the defaults and the
// error: an active run must still be ended in order.
func loadConfig(ctx context.Context, s *runstore.Store) (*config.Config, error) {
	c, err := config.Load(ctx, s.Root())
	if err != nil {
		c = new(config.Config)
	}
	return c, err
}

// loadAndWarn is loadConfig for the subcommands that people call: it also shows the warnings
// about the configuration.
func loadAndWarn(ctx context.Context, e *cli.Env, s *runstore.Store) (*config.Config, error) {
	c, err := loadConfig(ctx, s)
	if len(c.Warnings) > 0 {
		e.Report(c.Warnings)
	}
	return c, err
}

// signalOf returns the signal that ended the context, otherwise SIGTERM.
func signalOf(ctx context.Context) syscall.Signal {
	var s cli.SignalError
	if errors.As(context.Cause(ctx), &s) {
		return s.Signal
	}
	return syscall.SIGTERM
}
