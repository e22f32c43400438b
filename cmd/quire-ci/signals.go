package main

import (
	"os"
	"os/signal"

	"quire/lib/cli"
)

// ignoreTermSignals keeps the signals cli.EndSignals from ending this process, and
// returns them on a channel. The driver of a run sends them to each process of the run,
// maybe several times. The children of this process die with it and need time to end in
// order, so it must not end before them. After the grace period, the driver sends
// SIGKILL.
func ignoreTermSignals() <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, cli.EndSignals...)
	return signals
}
