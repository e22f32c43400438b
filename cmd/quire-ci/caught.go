package main

import (
	"os"
	"os/signal"

	"quire/lib/cli"
)

// caught returns the signals that ask to end. From now on none of them ends this
// process, however often it comes, as it does from quire-runstate, which tells every
// process of a run by itself: what this one started dies with it, and is to have the
// time to end in order. Whoever drives the run has SIGKILL for when that is over.
func caught() <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, cli.Heeded...)
	return signals
}
