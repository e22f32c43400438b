package test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// madeBelow is the directory in which testdata/0.1.0/make.sh ran.
const madeBelow = "/tmp/quire-0.1.0"

// TestUpgrade runs the scripts of testdata/0.1.0, each on a root from quire 0.1.0:
// $QUIRE_ROOT. The ids of its runs are in variables with the names from make.sh.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/0.1.0",
		Setup: func(env *testscript.Env) error {
			if err := setup(env, "quire-ci"); err != nil {
				return err
			}
			return unpackOldRoot(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "jobs": jobs, "shown": shown,
		},
		RequireExplicitExec: true,
	})
}

// unpackOldRoot unpacks the root of 0.1.0 into the script's directory. In file contents and
// link targets it replaces the old directory, installation prefix and boot id by the new
// ones, so the root looks like one that was upgraded in place since this machine started.
func unpackOldRoot(env *testscript.Env) error {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err
	}
	moved := []string{madeBelow + "/prefix", prefix, madeBelow, env.WorkDir}
	if err := os.RemoveAll(env.Getenv("QUIRE_ROOT")); err != nil {
		return err
	}
	f, err := os.Open("testdata/0.1.0/root.tar.gz")
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		if h.Name == "./boot" { // the first file
			moved = append(moved, strings.TrimSpace(string(data)), strings.TrimSpace(string(boot)))
		}
		here := strings.NewReplacer(moved...)
		path := filepath.Join(env.WorkDir, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, h.FileInfo().Mode().Perm())
		case tar.TypeSymlink:
			err = os.Symlink(here.Replace(h.Linkname), path)
		default:
			err = os.WriteFile(path, []byte(here.Replace(string(data))), h.FileInfo().Mode().Perm())
		}
		if err != nil {
			return err
		}
	}
	env.Setenv("REGION", "north")
	names, err := os.ReadFile(filepath.Join(env.WorkDir, "names"))
	for line := range strings.Lines(string(names)) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), "=")
		env.Setenv(name, id)
	}
	return err
}

// shown compares the output of show, show --json and log for each run with the output of
// 0.1.0. New lines and keys are allowed, and another text of why.
func shown(ts *testscript.TestScript, neg bool, args []string) {
	// 0.1.0 did not change the job of an orphaned run.
	ended := strings.NewReplacer("job\ttest active", "job\ttest failed reason=orphaned",
		`"id":"test","state":"active"`, `"id":"test","state":"failed","reason":"orphaned"`)
	for line := range strings.Lines(ts.ReadFile("names")) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), "=")
		before := func(what string) string {
			said := ts.ReadFile("said/" + what + "-" + name)
			if name == "orphaned" {
				return ended.Replace(said)
			}
			return said
		}
		ts.Check(ts.Exec("quire-runstate", "show", id))
		rest := "\n" + ts.ReadFile("stdout")
		for line := range strings.Lines(before("show")) {
			_, after, found := strings.Cut(rest, "\n"+line)
			if !found && !strings.HasPrefix(line, "why\t") {
				ts.Fatalf("show %s: there is no line %qor it is out of order:\n%s", name, line, ts.ReadFile("stdout"))
			} else if found {
				rest = "\n" + after
			}
		}

		var old, now map[string]any
		ts.Check(ts.Exec("quire-runstate", "show", "--json", id))
		ts.Check(json.Unmarshal([]byte(before("json")), &old))
		ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &now))
		dropNew(now, old)
		delete(now, "why")
		delete(old, "why")
		if diff := cmp.Diff(old, now); diff != "" {
			ts.Fatalf("show --json %s: %s", name, diff)
		}

		ts.Check(ts.Exec("quire-runstate", "log", id))
		if diff := cmp.Diff(before("log"), ts.ReadFile("stdout")); diff != "" {
			ts.Fatalf("log %s: %s", name, diff)
		}
	}
}

// dropNew removes the keys that old lacks from now, at each depth.
func dropNew(now, old any) {
	switch now := now.(type) {
	case map[string]any:
		old, _ := old.(map[string]any)
		maps.DeleteFunc(now, func(key string, _ any) bool { _, known := old[key]; return !known })
		for key, value := range now {
			dropNew(value, old[key])
		}
	case []any:
		old, _ := old.([]any)
		for i := range min(len(now), len(old)) {
			dropNew(now[i], old[i])
		}
	}
}
