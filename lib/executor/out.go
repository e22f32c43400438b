package executor

import (
	"os"
	"path/filepath"

	"quire/lib/file"
	"quire/lib/runlog"
)

// UseOut makes dir the directory for what the run leaves behind; with "" it is a
// temporary one. done is to be called at the end of the run, and removes the
// temporary one where it is of no more use: the run is complete, or did not begin.
func (o *Options) UseOut(dir string) (done func(Outcome), err error) {
	if dir != "" {
		o.Out, err = filepath.Abs(dir)
		return func(Outcome) {}, err
	}
	o.Scratch = true
	o.Out, err = os.MkdirTemp("", "quire-ci-")
	return func(outcome Outcome) {
		if outcome.State == runlog.Complete {
			_ = file.RemoveTree(o.Out)
		} else {
			os.Remove(o.Out) // fails unless it is empty
		}
	}, err
}
