package executor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quire/lib/runlog"
)

// TestOldResults checks which temporary directories are removed if there are too many.
func TestOldResults(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	old := time.Now().Add(-time.Hour)
	var others []string
	for _, name := range []string{"quire-ci-notes", "quire-ci-1x", "quire-ci1", "other"} {
		others = append(others, filepath.Join(tmp, name))
		if err := errors.Join(os.Mkdir(others[len(others)-1], 0o755), os.Chtimes(others[len(others)-1], old, old)); err != nil {
			t.Fatal(err)
		}
	}
	target := t.TempDir()
	others = append(others, filepath.Join(tmp, "quire-ci-2"), filepath.Join(target, "file"))
	if err := errors.Join(os.Symlink(target, others[4]), os.WriteFile(others[5], nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	var results []string
	run := func(at time.Time, state string) (done func(Outcome)) {
		var o Options
		done, err := o.UseOut("")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(filepath.Join(o.Out, "events.jsonl"), nil, 0o644), os.Chtimes(o.Out, at, at)); err != nil {
			t.Fatal(err)
		}
		results = append(results, o.Out)
		if state != "" {
			done(Outcome{State: state})
		}
		return done
	}
	active := run(old, "")
	for i := range 8 {
		run(old.Add(time.Duration(i+1)*time.Minute), runlog.Failed)
	}
	run(time.Now(), runlog.Complete)
	for _, path := range others {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
	for i, path := range results {
		// The complete run was the newest when it began. Its directory was removed.
		if _, err := os.Stat(path); (err == nil) != (i == 0 || i >= 5 && i < 9) {
			t.Errorf("result %d: %v", i, err)
		}
	}
	active(Outcome{State: runlog.Failed})
	run(time.Now(), runlog.Failed)
	if _, err := os.Stat(results[0]); err == nil {
		t.Error("the result of the run that was active is still there")
	}
}
