package executor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/runlog"
)

// artifacts returns the artifacts of the jobs of r, each as "job path".
func artifacts(t *testing.T, r result) []string {
	t.Helper()
	var found []string
	for _, j := range r.Jobs {
		err := runlog.Artifacts(r.dir, j.ID, func(a runlog.Artifact) error {
			found = append(found, j.ID+" "+strings.TrimPrefix(a.Path, runlog.ArtifactsPath(j.ID)+"/"))
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	return found
}

func TestArtifacts(t *testing.T) {
	p := load(t, `
		job("make", {"quire/push"}, function(q) q.sh("mkdir $QUIRE_ARTIFACTS/a && echo one >$QUIRE_ARTIFACTS/a/one") end)
		job("none", {"quire/push"}, function(q) q.sh("rmdir $QUIRE_ARTIFACTS; ls $QUIRE_INPUTS") end)
		job("pass", {"make", "none"}, function(q) q.sh("ls $QUIRE_INPUTS") end)
		job("use", {"pass"}, function(q)
			q.sh("ls $QUIRE_INPUTS; cp $QUIRE_INPUTS/make/a/one $QUIRE_ARTIFACTS/two")
		end)
		job("other", {"quire/push"}, function(q) q.sh("test -z \"$(ls -A $QUIRE_INPUTS $QUIRE_ARTIFACTS | grep -v :)\"") end)`)
	r := start(t, t.Context(), p, Options{})
	if r.State != runlog.Complete {
		t.Fatal(r.output)
	}
	if diff := cmp.Diff([]string{"make a/one", "use two"}, artifacts(t, r)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Lstat(filepath.Join(r.dir, runlog.ScratchDir)); !os.IsNotExist(err) {
		t.Errorf("the scratch directory: %v", err)
	}
}

// TestRetryStartsWithoutArtifacts checks that an attempt does not see the artifacts of the
// one before.
func TestRetryStartsWithoutArtifacts(t *testing.T) {
	p := load(t, `
		local n = 0
		job("shaky", {"quire/push"}, function(q)
			n = n + 1
			q.sh("chmod 700 . && test -z \"$(ls $QUIRE_ARTIFACTS)\" && mkdir -m 0 $QUIRE_ARTIFACTS/d" .. n .. " && echo >$QUIRE_ARTIFACTS/f" .. n)
			q.sh("test " .. n .. " = 3")
		end)`)
	p.Jobs[0].Options.Retry = 2
	r := start(t, t.Context(), p, Options{MaxArtifacts: 1})
	if r.State != runlog.Complete {
		t.Fatal(r.output)
	}
	if diff := cmp.Diff([]string{"shaky f3"}, artifacts(t, r)); diff != "" {
		t.Error(diff)
	}
}

// TestHostileArtifacts leaves entries that cannot be artifacts.
func TestHostileArtifacts(t *testing.T) {
	for _, test := range []struct {
		name, command, fails, says string
		want                       []string
	}{
		{"others", "cd $QUIRE_ARTIFACTS; ln -s /etc/passwd link; mkfifo pipe; mkdir d; ln -s / d/root; echo >d/file", "",
			"removed 'd/root' and 2 more", []string{"job d/file"}},
		{"read-only", "cd $QUIRE_ARTIFACTS; mkdir d; ln -s / d/root; echo >d/file; chmod 555 d .", "", "removed 'd/root'", []string{"job d/file"}},
		{"unreadable", "cd $QUIRE_ARTIFACTS; mkdir d; echo >d/file; chmod 0 d/file d", "", "", []string{"job d/file"}},
		{"large", "truncate -s 10G $QUIRE_ARTIFACTS/sparse", "its artifacts have 10GiB, and those of the run exceed artifacts-max, which is 1KiB, by 10GiB", "", nil},
		{"together", "truncate -s 600 $QUIRE_ARTIFACTS/a; truncate -s 600 $QUIRE_ARTIFACTS/b", "its artifacts have 1.2KiB, and those of the run exceed artifacts-max, which is 1KiB, by 176 bytes", "", nil},
		{"overflow", "cd $QUIRE_ARTIFACTS; truncate -s 9223372036854775807 a b && truncate -s 2 c || truncate -s 10G d", "exceed artifacts-max", "", nil},
		{"link", "rmdir $QUIRE_ARTIFACTS; ln -s /etc $QUIRE_ARTIFACTS", "cannot keep its artifacts: not a directory", "", nil},
		{"file", "rmdir $QUIRE_ARTIFACTS; echo >$QUIRE_ARTIFACTS", "cannot keep its artifacts: not a directory", "", nil},
		{"deep", "cd $QUIRE_ARTIFACTS; mkdir -p $(printf '%0600d' 0 | sed 's,0,d/,g')", "cannot keep its artifacts: directories are nested deeper than 500", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := load(t, `job("job", {"quire/push"}, function(q) q.sh([[`+test.command+`]]) end)`)
			r := start(t, t.Context(), p, Options{MaxArtifacts: 1 << 10})
			if got := r.job("job").Error; (got == "") != (test.fails == "") || !strings.Contains(got, test.fails) {
				t.Errorf("the job says %q, want %q", got, test.fails)
			}
			if !strings.Contains(r.output, test.says) {
				t.Errorf("the output lacks %q:\n%s", test.says, r.output)
			}
			if got := artifacts(t, r); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if entries, err := os.ReadDir(filepath.Join(r.dir, "jobs/job/artifacts")); test.fails != "" && (err == nil || len(entries) > 0) {
				t.Errorf("left: %v", entries)
			}
		})
	}
}

// TestArtifactsBehindLink puts a link in place of the directory of the job. The target must
// stay as it is.
func TestArtifactsBehindLink(t *testing.T) {
	for retry, says := range []string{"cannot keep its artifacts: not a directory", "cannot make directory"} {
		p := load(t, `job("job", {"quire/push"}, function(q)
			q.sh([[mkdir -p away/artifacts; echo >away/artifacts/file; d=$(dirname $QUIRE_ARTIFACTS); rm -r $d; ln -s $PWD/away $d]])
		end)`)
		p.Jobs[0].Options.Retry = retry
		workspace := t.TempDir()
		r := start(t, t.Context(), p, Options{Workspace: workspace})
		if got := r.job("job").Error; !strings.Contains(got, says) {
			t.Errorf("the job says %q, want %q", got, says)
		}
		if _, err := os.Stat(filepath.Join(workspace, "away/artifacts/file")); err != nil {
			t.Error(err)
		}
	}
}

// TestArtifactsMax checks that artifacts-max limits the sum of all jobs, without failed
// attempts.
func TestArtifactsMax(t *testing.T) {
	p := load(t, `
		job("a", {"quire/push"}, function(q) q.sh("truncate -s 600 $QUIRE_ARTIFACTS/a") end)
		job("b", {"a"}, function(q) q.sh("truncate -s 600 $QUIRE_ARTIFACTS/b") end)
		job("c", {"a"}, function(q) q.sh("truncate -s 424 $QUIRE_ARTIFACTS/c") end)`)
	r := start(t, t.Context(), p, Options{MaxArtifacts: 1 << 10, Parallel: 1})
	if diff := cmp.Diff([]string{"a complete", "b failed error", "c complete"}, states(r)); diff != "" {
		t.Error(diff)
	}
}
