package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// RunsIn reports whether a process has the working directory dir and arguments that match.
// A process whose working directory this user cannot read counts if its arguments match.
// Without /proc the answer is no.
func RunsIn(dir string, match func(args []string) bool) bool {
	want, err := os.Stat(dir)
	if err != nil {
		return false
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		pid, err := strconv.Atoi(filepath.Base(d))
		if err != nil || !match(arguments(pid)) {
			continue
		}
		cwd, err := os.Stat(d + "/cwd")
		if os.IsPermission(err) || err == nil && os.SameFile(cwd, want) {
			return true
		}
	}
	return false
}

// AncestorStart returns the start of the nearest ancestor of this process whose arguments
// match. It returns false if no ancestor matches.
func AncestorStart(match func(args []string) bool) (time.Time, bool) {
	p, ok := ancestor(match)
	if !ok {
		return time.Time{}, false
	}
	return p.started()
}

// AncestorThreads returns the directory in /proc with the threads of the nearest ancestor
// of this process whose arguments match, "" if no ancestor matches.
func AncestorThreads(match func(args []string) bool) string {
	p, ok := ancestor(match)
	if !ok {
		return ""
	}
	return fmt.Sprintf("/proc/%d/task", p.pid)
}

func ancestor(match func(args []string) bool) (proc, bool) {
	for pid := os.Getppid(); pid > 1; {
		p, err := readProc(pid)
		if err != nil {
			break
		}
		if match(arguments(pid)) {
			return p, true
		}
		pid = p.parent
	}
	return proc{}, false
}

// ticks is the number of clock ticks of /proc in a second: USER_HZ, 100 on every Linux.
const ticks = 100

// started returns the start of the process by the wall clock, as it is set now.
func (p proc) started() (time.Time, bool) {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return time.Time{}, false
	}
	age := time.Duration(now.Nano()) - time.Duration(p.start)*(time.Second/ticks)
	return time.Now().Add(-age), true
}

// arguments returns the command line of a process. It is empty if the process has ended or
// has none.
func arguments(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(string(bytes.TrimSuffix(text, []byte{0})), "\x00")
}
