package executor

import (
	"os"
	"path/filepath"
	"slices"

	"quire/lib/file"
	"quire/lib/runlog"
)

// UseOut makes dir the directory for what the run leaves behind; with "" it is a
// temporary one. The caller must call done at the end of the run. It removes the
// temporary directory unless the run failed or left artifacts.
func (o *Options) UseOut(dir string) (done func(Outcome), err error) {
	if dir != "" {
		o.Out, err = filepath.Abs(dir)
		return func(Outcome) {}, err
	}
	o.Scratch = true
	o.Out, err = os.MkdirTemp("", "quire-ci-")
	return func(outcome Outcome) {
		artifacts := slices.ContainsFunc(outcome.Jobs, func(j JobOutcome) bool { return j.Artifacts > 0 })
		if outcome.State == runlog.Complete && !artifacts {
			_ = file.RemoveTree(o.Out)
		} else {
			os.Remove(o.Out) // fails unless it is empty
		}
	}, err
}
