package test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const systemd = "/usr/lib/systemd/systemd"

// TestLauncherSystemdRun runs the scripts of the launcher systemd-run with a real system
// manager, which believes that the machine is its own.
func TestLauncherSystemdRun(t *testing.T) {
	t.Parallel()
	slow(t)
	if _, err := os.Stat(systemd); err != nil {
		t.Skip("systemd is not installed")
	}
	needsRoot(t)
	m := startManager(t)
	inside := fmt.Sprintf(`exec nsenter --target %d --mount --pid --cgroup --uts --ipc sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"`, m)
	setup := func(env *testscript.Env) error {
		bin := filepath.Join(env.WorkDir, "bin")
		env.Setenv("PATH", bin+":"+env.Getenv("PATH"))
		if err := os.MkdirAll(bin, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(bin, "inside"), []byte("#!/bin/sh\n"+inside+"\n"), 0o755)
	}
	launcherScripts(t, "systemd", setup)
	anyLauncher(t, programs{
		launcher: `exec "$LAUNCHERS/systemd-run" --memory 1g --tasks 200 --cpus 2 --time 10m "$@"`,
		inside:   inside,
		leftover: `inside systemctl list-units --all --plain --no-legend "quire-$1*"; echo nothing else left`,
	})
}

// manager is the script that becomes a system manager, given a name for its control
// groups and a directory with units. The manager controls the groups below that name. It
// finds no unit of this machine, an empty /run, and an /etc that it cannot write to.
const manager = `set -e
mount --make-rprivate /
awk '$3 ~ /^cgroup2?$/ { print $2, $3, $4 }' /proc/mounts >"$2/hierarchies"
while read -r dir type options; do
	mkdir "$dir/$1"
	for file in cpuset.cpus cpuset.mems; do
		[ ! -e "$dir/$1/$file" ] || [ "$type" = cgroup2 ] || cat "$dir/$file" >"$dir/$1/$file"
	done
	echo 0 >"$dir/$1/cgroup.procs"
done <"$2/hierarchies"
exec unshare --cgroup --mount --pid --fork --kill-child --mount-proc --uts --ipc sh -ec '
mount -t tmpfs tmpfs /sys/fs/cgroup
while read -r dir type options; do
	mkdir -p "$dir"
	case $type,$options in
	cgroup2,*) mount -t cgroup2 cgroup2 "$dir" ;;
	*,name=* | *,*,name=*) mount -t cgroup -o none,name="${options##*name=}" cgroup "$dir" ;;
	*) mount -t cgroup -o "${dir##*/}" cgroup "$dir" ;;
	esac
done <"$0/hierarchies"
mount -t tmpfs tmpfs /run
mount --bind /etc /etc
mount -o remount,bind,ro /etc
export container=quire SYSTEMD_UNIT_PATH="$0" SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nowhere
exec ` + systemd + ` --system --unit=quire.target --log-target=console --show-status=false' "$2"
`

// startManager starts a manager that ends with the test, and returns its process number.
func startManager(t *testing.T) int {
	t.Helper()
	units := t.TempDir()
	for name, text := range map[string]string{"quire.target": "[Unit]\nDefaultDependencies=no\n", "basic.target": "", "shutdown.target": ""} {
		if err := os.WriteFile(filepath.Join(units, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	name := fmt.Sprintf("quire-test-%d", os.Getpid())
	var log strings.Builder
	cmd := exec.Command("unshare", "--mount", "sh", "-c", manager, "sh", name, units)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	t.Cleanup(func() { removeControlGroups(t, name) })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	pid := cmd.Process.Pid
	t.Cleanup(func() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // and so all its processes
		<-ended
	})
	for {
		select {
		case <-ended:
			t.Skipf("systemd cannot be started here: %s", strings.TrimSpace(log.String()))
		default:
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		if n, err2 := fmt.Sscan(string(text), &pid); err != nil || err2 != nil || n != 1 {
			continue // unshare has not forked yet
		}
		state, _ := exec.Command("nsenter", "-t", fmt.Sprint(pid), "-m", "-p", "systemctl", "is-system-running", "--wait").Output()
		if s := strings.TrimSpace(string(state)); s == "running" || s == "degraded" {
			return pid
		}
	}
}

// removeControlGroups removes the control groups called name, and those below.
func removeControlGroups(t *testing.T, name string) {
	tops, err := filepath.Glob("/sys/fs/cgroup/*/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, top := range append(tops, "/sys/fs/cgroup/"+name) {
		var dirs []string
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for len(dirs) > 0 {
			last := len(dirs) - 1
			if err := syscall.Rmdir(dirs[last]); err != nil {
				t.Errorf("cannot remove control group '%s': %v", dirs[last], err)
			}
			dirs = dirs[:last]
		}
	}
}
