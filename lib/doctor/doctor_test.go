package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"quire/lib/config"
)

func TestJudge(t *testing.T) {
	const plenty = 1 << 20
	for _, test := range []struct {
		name, want string
		stat       unix.Statfs_t
	}{
		{"good", "", unix.Statfs_t{Bsize: 4096, Bavail: plenty, Files: plenty, Ffree: plenty}},
		{"without a bound of files", "", unix.Statfs_t{Bsize: 4096, Bavail: plenty}},
		{"full", "has only 3 MiB free", unix.Statfs_t{Bsize: 4096, Bavail: 1023}},
		{"full of files", "has room for only 7 more files", unix.Statfs_t{Bsize: 4096, Bavail: plenty, Files: plenty, Ffree: 7}},
		{"read-only", "is on a file system that is read-only", unix.Statfs_t{Flags: unix.ST_RDONLY}},
		{"noexec", "is mounted noexec: jobs cannot run what is in their workspace", unix.Statfs_t{Flags: unix.ST_NOEXEC}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wrong, mend := judge(test.stat)
			if wrong != test.want || (mend == "") != (wrong == "") {
				t.Errorf("got %q, %q", wrong, mend)
			}
		})
	}
}

// A launcher of quire's is told from others, and needs its program.
func TestLauncher(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"share/quire/launchers/podman", "share/quire/launchers/limits", "own/podman", "bin/quire-ci"} {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\nexec /bin/echo quire-ci 0\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for launcher, want := range map[string]string{
		"share/quire/launchers/podman": "the launcher needs 'podman': no such file or directory",
		"share/quire/launchers/limits": "the launcher needs 'prlimit': no such file or directory",
		"share/quire/launchers/none":   "the launcher cannot be started: no such file or directory",
		"share/quire/launchers":        "the launcher cannot be started: not a file",
		"own/podman":                   "",
	} {
		x := &exam{Patient: Patient{Root: top, Program: filepath.Join(top, "bin/quire-runstate"), Path: filepath.Join(top, "empty")}}
		x.launcher(t.Context(), config.Settings{Executor: "quire-ci", Launcher: []string{filepath.Join(top, launcher)}})
		if len(x.findings) != 1 || x.findings[0].Wrong != want {
			t.Errorf("%s: got %+v, want %q", launcher, x.findings, want)
		}
	}
}
