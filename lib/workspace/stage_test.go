package workspace

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDirectory(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a": "a", "100644 .hidden": "h", "100644 dir/b": "b"})
	want := f.checkout(commit)
	tests := []struct {
		name    string
		prepare func(parent string) error
		dir     string // below parent
		err     string // "" for none
	}{
		{"absent", nil, "ws", ""},
		{"empty", func(p string) error { return os.Mkdir(p+"/ws", 0o755) }, "ws", ""},
		{"slash at the end", func(p string) error { return os.Mkdir(p+"/ws", 0o755) }, "ws/", ""},
		{"link to an empty directory", func(p string) error {
			return errors.Join(os.Mkdir(p+"/real", 0o755), os.Symlink("real", p+"/ws"))
		}, "ws", ""},
		{"longest name", nil, long(255, "w"), ""},
		{"odd name", nil, " a\n*'\xff", ""},
		{"not empty", func(p string) error { return os.MkdirAll(p+"/ws/x", 0o755) }, "ws", "directory not empty"},
		{"file", func(p string) error { return os.WriteFile(p+"/ws", nil, 0o644) }, "ws", "not a directory"},
		{"link to nothing", func(p string) error { return os.Symlink("none", p+"/ws") }, "ws", "dangling symbolic link"},
		{"no parent", nil, "none/ws", "no such file or directory"},
		{"below a file", func(p string) error { return os.WriteFile(p+"/f", nil, 0o644) }, "f/ws", "not a directory"},
		{"name too long", nil, long(256, "w"), "file name too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parent := t.TempDir()
			if tt.prepare != nil {
				if err := tt.prepare(parent); err != nil {
					t.Fatal(err)
				}
			}
			before := snapshot(t, parent)
			dir := parent + "/" + tt.dir
			err := Materialize(context.Background(), f.open(), commit, dir, Options{})
			checkNoLeftovers(t, parent)
			if tt.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				if real, err := filepath.EvalSymlinks(dir); err == nil {
					dir = real
				}
				checkSame(t, want, dir)
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Materialize: %v, want %s", err, tt.err)
			}
			if after := snapshot(t, parent); len(before) != len(after) {
				t.Errorf("before %q, after %q", before, after)
			}
		})
	}
}

func TestModeOfEmptyDirectoryStays(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a": "a"})
	dir := filepath.Join(t.TempDir(), "ws")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Materialize(context.Background(), f.open(), commit, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
}

func TestNothingIsLeftOfAFailure(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{"100644 .gitattributes": "*.f filter=fail\n"}
	for _, name := range []string{"a", "b/c", "b/d/e"} {
		files["100644 "+name] = "text of " + name
	}
	good := f.commitOf(files)
	files["100644 z.f"] = "filtered"
	filtered := f.commitOf(files)
	missing := f.blob("text of b/d/e")
	f.git("", "config", "filter.fail.smudge", "false")
	f.git("", "config", "filter.fail.required", "true")

	parent := t.TempDir()
	dir := filepath.Join(parent, "ws")
	err := Materialize(context.Background(), f.open(), filtered, dir, Options{})
	if err == nil || !strings.Contains(err.Error(), "smudge filter fail failed") {
		t.Errorf("a filter that fails: %v", err)
	}
	checkNothing(t, dir)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Materialize(ctx, f.open(), good, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	checkNothing(t, dir)

	if err := os.Remove(filepath.Join(f.dir, "objects", missing[:2], missing[2:])); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{}, {Reuse: true}} {
		err = Materialize(context.Background(), f.open(), good, dir, o)
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("an object that is gone: %v", err)
		}
		checkNothing(t, dir)
	}
}

// slowFilter gives the repository a filter that opens the pipe started when it runs, and
// then waits for a line from the pipe gate. It gives up after a while, because a test may
// have killed the processes that would end it.
func slowFilter(t *testing.T, f *fixture) (started, gate string) {
	t.Helper()
	dir := t.TempDir()
	started, gate = filepath.Join(dir, "started"), filepath.Join(dir, "gate")
	for _, pipe := range []string{started, gate} {
		if err := unix.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.git("", "config", "filter.slow.smudge", "echo >'"+started+"'; exec timeout 120 head -n1 '"+gate+"'")
	return started, gate
}

// A killed process leaves no directory, and the next one removes its leftovers.
func TestKill(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{
		"100644 .gitattributes": "*.slow filter=slow\n", "100644 a": "a", "100644 b.slow": "b", "100644 c/d": "d",
	})
	started, gate := slowFilter(t, f)
	parent := t.TempDir()
	dir := filepath.Join(parent, "ws")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{f.dir, commit, dir}, "\n"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(started); err != nil { // until the filter runs
		t.Fatal(err)
	}
	names, err := readNames(parent)
	if err != nil || len(names) != 1 {
		t.Errorf("while it works: %q %v %s", names, err, &stderr)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	open, err := os.OpenFile(gate, os.O_RDWR, 0) // lets the filter end
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if _, err := open.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the kill: %v", err)
	}
	f.git("", "config", "--unset", "filter.slow.smudge")
	if err := Materialize(context.Background(), f.open(), commit, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	checkSame(t, f.checkout(commit), dir)
	checkNoLeftovers(t, parent)
}

// The holder of a living process is not a leftover. Of two processes for one directory, the
// second to end fails.
func TestTwoAtOnce(t *testing.T) {
	f := newFixture(t)
	slow := f.commitOf(map[string]string{"100644 .gitattributes": "*.slow filter=slow\n", "100644 a.slow": "slow"})
	quick := f.commitOf(map[string]string{"100644 a": "quick"})
	started, gate := slowFilter(t, f)
	parent := t.TempDir()
	dir := filepath.Join(parent, "ws")
	result := make(chan error)
	go func() { result <- Materialize(context.Background(), f.open(), slow, dir, Options{}) }()
	pipe, err := os.OpenFile(started, os.O_RDWR, 0) // both ends, so that the filter never waits for a reader
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := pipe.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := Materialize(context.Background(), f.open(), quick, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	open, err := os.OpenFile(gate, os.O_WRONLY, 0) // when the filter reads it
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	open.Close()
	if err := <-result; !errors.Is(err, errNotEmpty) {
		t.Errorf("the slower: %v", err)
	}
	checkSame(t, f.checkout(quick), dir)
	checkNoLeftovers(t, parent)
}

// mountTmpfs mounts a file system of size bytes, or skips the test.
func mountTmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("cannot mount a file system to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDisk(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		files["100644 dir/"+name] = long(100_000, name)
	}
	commit := f.commitOf(files)
	mount := mountTmpfs(t, "256k")
	for _, dir := range []string{filepath.Join(mount, "ws"), mount} {
		err := Materialize(context.Background(), f.open(), commit, dir, Options{})
		if !errors.Is(err, unix.ENOSPC) {
			t.Errorf("Materialize: %v", err)
		}
		if names, err := readNames(mount); err != nil || len(names) > 0 {
			t.Errorf("left: %q %v", names, err)
		}
	}
}

func TestMountPoint(t *testing.T) {
	mount := mountTmpfs(t, "16m")
	inner := mountTmpfs(t, "16m")
	checkInPlace(t, inner)
	bound := filepath.Join(mount, "bound")
	for _, dir := range []string{filepath.Join(mount, "real"), bound} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount(filepath.Join(mount, "real"), bound, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(bound, unix.MNT_DETACH)
	checkInPlace(t, bound)
}

// The working directory is not replaced.
func TestWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	before, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	checkInPlace(t, ".")
	if after, err := os.Stat(dir); err != nil || !os.SameFile(before, after) {
		t.Errorf("another directory is there: %v", err)
	}
}

// checkInPlace makes workspaces in a directory that cannot be replaced.
func checkInPlace(t *testing.T, mount string) {
	t.Helper()
	f := newFixture(t)
	first := f.commitOf(odd())
	second := f.commitOf(map[string]string{"100644 plain": "p", "100644 new/file": "n"})
	if err := Materialize(context.Background(), f.open(), first, mount, Options{}); err != nil {
		t.Fatal(err)
	}
	checkSame(t, f.checkout(first), mount)
	if err := Materialize(context.Background(), f.open(), second, mount, Options{}); !errors.Is(err, errNotEmpty) {
		t.Errorf("not empty: %v", err)
	}
	if err := Materialize(context.Background(), f.open(), second, mount, Options{Reuse: true}); err != nil {
		t.Fatal(err)
	}
	checkSame(t, f.checkout(second), mount)
}
