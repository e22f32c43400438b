package executor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/runlog"
	"quire/lib/text"
	"quire/lib/unit"
)

// Directories in runlog.ScratchDir.
const (
	noInputs  = "none"   // empty: for jobs whose inputs left no artifacts
	inputsDir = "inputs" // by job: links to the artifacts of the jobs that it needs
	treeDir   = "tree"   // a copy of the workspace from before any job ran
	ownDir    = "own"    // by job: its own copy of treeDir
)

// scratch returns a path in the scratch directory of the run.
func (r *run) scratch(names ...string) string {
	return filepath.Join(append([]string{r.Out, runlog.ScratchDir}, names...)...)
}

// makeScratch creates the scratch directory and the directory noInputs in it.
func (r *run) makeScratch() error {
	err := os.Mkdir(r.scratch(), 0o700)
	if err == nil {
		err = os.Mkdir(r.scratch(noInputs), 0o500)
	}
	if err != nil {
		return fmt.Errorf("cannot make directory '%s': %w", r.scratch(), text.Cause(err))
	}
	return nil
}

// removeScratch removes the scratch directory. A failure only leaves files in the directory
// of the run, and the driver tries again.
func (r *run) removeScratch() { _ = file.RemoveTree(r.scratch()) }

// artifactsDir returns the directory of the job's artifacts.
func (j *job) artifactsDir() string {
	return filepath.Join(j.run.Out, filepath.FromSlash(runlog.ArtifactsPath(j.spec.ID)))
}

// makeArtifacts creates the directory for the artifacts of an attempt. It removes the
// artifacts of an earlier attempt.
func (j *job) makeArtifacts() error {
	j.countArtifacts(0)
	j.outcome.Artifacts = 0
	dir := j.artifactsDir()
	err := os.Mkdir(filepath.Dir(dir), 0o700)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(filepath.Dir(dir), 0o700)
	case errors.Is(err, fs.ErrExist): // from an earlier attempt, or another job put it there
		err = j.removeArtifacts()
	}
	if err == nil {
		err = os.Mkdir(dir, 0o777)
	}
	if err != nil {
		return fmt.Errorf("cannot make directory '%s': %w", dir, text.Cause(err))
	}
	return nil
}

// removeArtifacts removes the directory of the job's artifacts. If the
// directory above it is a link, which a job made, that is an error.
func (j *job) removeArtifacts() error {
	dir := runlog.ArtifactsPath(j.spec.ID)
	parent, err := file.OpenBelow(j.run.Out, path.Dir(dir))
	if err != nil {
		return err
	}
	defer parent.Close()
	return file.RemoveAt(int(parent.Fd()), path.Base(dir), j.artifactsDir())
}

// countArtifacts sets the size of the job's artifacts in the sum of the run, in bytes. If the
// sum exceeds the limit, it sets 0 instead and returns by how many bytes.
func (j *job) countArtifacts(size uint64) (excess uint64) {
	r := j.run
	r.mu.Lock()
	defer r.mu.Unlock()
	r.artifacts -= j.artifacts
	j.artifacts = 0
	if r.MaxArtifacts > 0 && r.artifacts+size > r.MaxArtifacts {
		return r.artifacts + size - r.MaxArtifacts
	}
	r.artifacts += size
	j.artifacts = size
	return 0
}

// collectArtifacts counts the artifacts of an attempt. It removes everything that is neither
// a regular file nor a directory. If it returns a failure, it has removed all artifacts.
func (j *job) collectArtifacts() *failure {
	dir := j.artifactsDir()
	err := unix.Rmdir(dir) // usually it is empty
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		if j.commands == 0 || j.run.temporary {
			_ = unix.Rmdir(filepath.Dir(dir)) // usually there is no log in it
		}
		return nil
	}
	size, files, err := j.measureArtifacts()
	if err != nil {
		err = fmt.Errorf("cannot keep its artifacts: %w", text.Cause(err))
	} else if excess := j.countArtifacts(size); excess > 0 {
		err = fmt.Errorf("its artifacts have %s, and those of the run exceed artifacts-max, which is %s, by %s",
			unit.FormatSize(size), unit.FormatSize(j.run.MaxArtifacts), unit.FormatSize(excess))
	} else {
		j.outcome.Artifacts = files
		return nil
	}
	if left := j.removeArtifacts(); left != nil {
		err = fmt.Errorf("%w; cannot remove them: %w", err, left)
	}
	return &failure{reason: reasonError, text: j.position().String() + err.Error()}
}

// measureArtifacts returns the total size in bytes and the number of the job's artifacts. It
// removes everything that is neither a regular file nor a directory.
func (j *job) measureArtifacts() (size uint64, files int, err error) {
	top, err := file.OpenBelow(j.run.Out, runlog.ArtifactsPath(j.spec.ID))
	if err != nil {
		return 0, 0, err
	}
	defer top.Close()
	others, first := 0, ""
	err = file.Walk(top, func(e *file.Entry) error {
		switch {
		case e.Mode.IsDir():
			return e.MakeReadable()
		case e.Mode.IsRegular():
			files++
			size = min(size+uint64(e.Size), 1<<62) // sparse files must not make it overflow
			return e.MakeReadable()
		}
		if err := e.Remove(); err != nil {
			return err
		}
		if others++; others == 1 {
			first = e.Path
		}
		return nil
	})
	if others > 0 {
		j.say(fmt.Sprintf("quire: warning: artifacts are regular files and directories: removed '%s'%s", text.Line(first), more(others-1)))
	}
	return size, files, err
}

// more returns the end of a message that names one of several things.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// say writes a message about the job to the log, redacted.
func (j *job) say(words string) {
	words = j.run.redact.String(words)
	j.run.console.say(j.spec.ID, words)
	j.emit(runlog.Event{Event: runlog.JobLog, Text: words})
}

// makeInputs creates the directory with links to the artifacts of the jobs that this job
// needs, and sets QUIRE_INPUTS to it. The links are relative, so that they still work if a
// launcher mounts the out directory at another path.
func (j *job) makeInputs() error {
	dir := j.run.scratch(inputsDir, filepath.FromSlash(runlog.JobPath(j.spec.ID)))
	made := false
	for id := range j.needs {
		input := j.run.byID[id]
		if input == nil || input.outcome.Artifacts == 0 {
			continue
		}
		err := error(nil)
		if !made {
			err = os.MkdirAll(dir, 0o700)
			made = true
		}
		if err == nil {
			link := filepath.Join(dir, runlog.JobPath(id))
			err = os.Symlink(filepath.Join("../../..", filepath.FromSlash(runlog.ArtifactsPath(id))), link)
		}
		if err != nil {
			return fmt.Errorf("cannot make inputs of job '%s': %w", j.spec.ID, text.Cause(err))
		}
	}
	if made {
		j.setEnv("QUIRE_INPUTS=" + dir)
	}
	return nil
}

// setEnv sets variables of the environment of the job, each as NAME=VALUE.
func (j *job) setEnv(assignments ...string) {
	j.env = newEnviron(append(j.env, assignments...)).list()
}

// ReportArtifacts writes the path of each job's artifacts. dir is the directory of the run.
func ReportArtifacts(w io.Writer, dir string, o Outcome) error {
	for _, j := range o.Jobs {
		if j.Artifacts == 0 {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(runlog.ArtifactsPath(j.ID)))
		if _, err := fmt.Fprintf(w, "artifacts of %s: %s\n", text.Line(j.ID), text.Line(path)); err != nil {
			return err
		}
	}
	return nil
}
