package process

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestFindCgroup(t *testing.T) {
	const hybrid = "9:name=systemd:/\n4:memory:/x\n0::/\n"
	const v1 = "26 20 0:23 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	for name, test := range map[string]struct{ groups, mounts, want string }{
		"root":             {hybrid, v1 + "40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/unified"},
		"below":            {"0::/a.slice/b c.scope\n", "40 30 0:37 / /sys/fs/cgroup rw shared:4 - cgroup2 none rw\n", "/sys/fs/cgroup/a.slice/b c.scope"},
		"part of the tree": {"0::/docker/1/x\n", "40 30 0:37 /docker/1 /sys/fs/cgroup rw - cgroup2 none rw\n", "/sys/fs/cgroup/x"},
		"second mount":     {"0::/b/c\n", "1 2 0:3 /a /one rw - cgroup2 none rw\n1 2 0:3 /b /two\\040words rw - cgroup2 none rw\n", "/two words/c"},
		"another tree":     {"0::/b\n", "1 2 0:3 /a /one rw - cgroup2 none rw\n", ""},
		"half a name":      {"0::/ab\n", "1 2 0:3 /a /one rw - cgroup2 none rw\n", ""},
		"above namespace":  {"0::/../x\n", "1 2 0:3 / /sys/fs/cgroup rw - cgroup2 none rw\n", ""},
		"not mounted":      {"0::/\n", v1, ""},
		"version 1 only":   {"4:memory:/x\n", v1, ""},
		"empty":            {"", "", ""},
	} {
		got, err := findCgroup(test.groups, test.mounts)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: got '%s', %v; want '%s'", name, got, err, test.want)
		}
	}
}

// newCgroup returns a new group below the test's own.
func newCgroup(t *testing.T) *Cgroup {
	t.Helper()
	own, err := OwnCgroup()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(own, "quire-test-"+strconv.Itoa(os.Getpid())+"-"+filepath.Base(t.Name()))
	c, err := NewCgroup(dir, func() { t.Error("the group takes no processes") })
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		if err := EndCgroup(dir); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestEndCgroup checks that processes end that no other way finds, and that the groups that
// they made are removed.
func TestEndCgroup(t *testing.T) {
	for _, test := range []struct{ name, script string }{
		{"nothing left", "true"},
		{"own session, no environment", "setsid env -i sleep 1000 & sleep 1000 &"},
		{"ignores TERM", "trap '' TERM; setsid sh -c 'sleep 1000; sleep 1000' &"},
		{"group below", `mkdir -p "$CGROUP/a/b" && { sh -c 'echo $$ >"$CGROUP/a/b/cgroup.procs" && exec sleep 1000' & }`},
		{"empty group below", `mkdir -p "$CGROUP/a/b"`},
		{"frozen", `sleep 1000 & echo 1 >"$CGROUP/cgroup.freeze" &`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCgroup(t)
			dir := c.dir.Name()
			cmd := exec.Command("/bin/sh", "-c", test.script)
			cmd.Env = []string{"CGROUP=" + dir, "PATH=" + os.Getenv("PATH")}
			g, err := c.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			if test.name != "frozen" {
				if status, err := g.Wait(); err != nil || status.Code != 0 {
					t.Fatal(status, err)
				}
			}
			before := time.Now()
			if err := EndCgroup(dir); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(before); took > unkillable/2 {
				t.Errorf("it took %s", took)
			}
			if _, err := os.Lstat(dir); err == nil {
				t.Error("the group is left")
			}
			if err := EndCgroup(dir); err != nil {
				t.Errorf("the second time: %v", err)
			}
			if test.name == "frozen" {
				_, _ = g.Wait()
			}
		})
	}
}

// TestCgroupRefuses checks that commands start outside a group that accepts no processes
// because its parent has threads in other groups.
func TestCgroupRefuses(t *testing.T) {
	c, calls := newCgroup(t), 0
	// A domain with a threaded child accepts no processes in its other children.
	below := filepath.Join(c.dir.Name(), "threads")
	if err := os.Mkdir(below, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(below, "cgroup.type"), []byte("threaded"), 0); err != nil {
		t.Skip(err)
	}
	bad, err := NewCgroup(filepath.Join(c.dir.Name(), "invalid"), func() { calls++ })
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	for range 2 {
		g, err := bad.Start(exec.Command("true"))
		if err != nil {
			t.Fatal(err)
		}
		if status, err := g.Wait(); err != nil || status.Code != 0 {
			t.Error(status, err)
		}
	}
	if calls != 1 {
		t.Errorf("unusable was called %d times", calls)
	}
	if _, err := bad.Start(exec.Command("/nonexistent/quire")); StartCode(err) != 127 {
		t.Errorf("a missing command: %v", err)
	}
}

func TestEndCgroupOfAnotherDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := EndCgroup(dir); err == nil || !strings.Contains(err.Error(), "not a control group") {
		t.Error(err)
	}
}
