package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"quire/lib/config"
)

func TestSpaceProblem(t *testing.T) {
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
		{"noexec", "is mounted noexec: jobs cannot run programs in their workspace", unix.Statfs_t{Flags: unix.ST_NOEXEC}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wrong, mend := spaceProblem(test.stat)
			if wrong != test.want || (mend == "") != (wrong == "") {
				t.Errorf("got %q, %q", wrong, mend)
			}
		})
	}
}

// Quire's own launchers, but not others, require their programs.
func TestLauncher(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"share/quire/launchers/podman", "share/quire/launchers/limits", "own/podman", "bin/quire-ci", "broken/podman"} {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text := "#!/bin/sh\nexec /bin/echo quire-ci 0\n"
		if name == "broken/podman" {
			text = "#!/bin/sh\necho no subordinate ids >&2\nexit 125\n"
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for launcher, want := range map[string]string{
		"share/quire/launchers/podman --image x": "the launcher does not work: podman info: exit status 125: no subordinate ids",
		"share/quire/launchers/podman":           "the launcher needs 'podman': no such file or directory",
		"share/quire/launchers/limits":           "the launcher needs 'prlimit': no such file or directory",
		"share/quire/launchers/none":             "the launcher cannot be started: no such file or directory",
		"share/quire/launchers":                  "the launcher cannot be started: not a file",
		"own/podman":                             "",
	} {
		words := strings.Fields(launcher)
		path := filepath.Join(top, "empty")
		if len(words) > 1 {
			path = filepath.Join(top, "broken")
		}
		words[0] = filepath.Join(top, words[0])
		x := &exam{Installation: Installation{Root: top, Program: filepath.Join(top, "bin/quire-runstate"), Path: path}}
		x.launcher(t.Context(), config.Settings{Executor: "quire-ci", Launcher: words})
		if len(x.findings) != 1 || x.findings[0].Wrong != want {
			t.Errorf("%s: got %+v, want %q", launcher, x.findings, want)
		}
	}
}
