package process

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"quire/lib/text"
)

// A proc is one process, from /proc/PID/stat (proc_pid_stat(5)).
type proc struct {
	pid, parent, group, session int
	start                       uint64 // in clock ticks since boot; unique together with pid
	zombie                      bool   // ended, not yet reaped
}

// A table holds the processes of the machine at about one time, by number.
type table map[int]proc

// CheckProc returns an error if /proc does not show this process: if it is not mounted, or
// is mounted for another PID namespace. Then no process could be found and ended.
func CheckProc() error {
	switch self, err := os.Readlink("/proc/self"); {
	case err != nil:
		return fmt.Errorf("cannot look for processes: /proc is not mounted: %w", text.Cause(err))
	case self != strconv.Itoa(os.Getpid()):
		return errors.New("cannot look for processes: /proc is mounted for another PID namespace")
	}
	return nil
}

// readTable reads /proc. It skips processes that end while it reads. The table has at least
// this process; see CheckProc.
func readTable() (table, error) {
	if err := CheckProc(); err != nil {
		return nil, err
	}
	d, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("cannot look for processes: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("cannot look for processes: %w", err)
	}
	t := make(table, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, err := readProc(pid); err == nil {
			t[pid] = p
		}
	}
	return t, nil
}

// addChildren adds the current children of process pid to the table. A process that keeps
// forking and exiting is always younger than a table, which takes milliseconds to read;
// this takes microseconds. On a kernel without the files /proc/PID/task/TID/children
// (proc_tid_children(5)) it adds nothing.
func (t table) addChildren(pid int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for name := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(name)
			if err != nil || t[child].zombie {
				continue
			}
			if p, err := readProc(child); err == nil {
				t[child] = p
			}
		}
	}
}

func readProc(pid int) (proc, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return proc{}, err
	}
	return parseStat(string(text))
}

// parseStat parses a line of /proc/PID/stat. The second field is the name of the program in
// parentheses, which may itself contain spaces and parentheses: the rest begins after the
// last one.
func parseStat(line string) (proc, error) {
	bad := fmt.Errorf("not a line of /proc/PID/stat: '%s'", line)
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return proc{}, bad
	}
	f := strings.Fields(line[end+1:])
	const state, parent, group, session, threads, start = 0, 1, 2, 3, 17, 19
	if len(f) <= start {
		return proc{}, bad
	}
	var p proc
	var n int
	for _, v := range []struct {
		text string
		to   *int
	}{
		{strings.TrimSpace(line[:open]), &p.pid},
		{f[parent], &p.parent},
		{f[group], &p.group},
		{f[session], &p.session},
		{f[threads], &n},
	} {
		i, err := strconv.Atoi(v.text)
		if err != nil {
			return proc{}, bad
		}
		*v.to = i
	}
	var err error
	if p.start, err = strconv.ParseUint(f[start], 10, 64); err != nil {
		return proc{}, bad
	}
	// The state describes the first thread, which may have exited while others run.
	p.zombie = (f[state] == "Z" || f[state] == "X") && n <= 1
	return p, nil
}

// forks returns how many processes and threads the machine has started since boot
// (proc_stat(5)), or 0 if it cannot be read.
func forks() int {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "\nprocesses ")
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.Atoi(line)
	return n
}

// filter returns the living processes that accept accepts, in no order.
func (t table) filter(accept func(proc) bool) []proc {
	var out []proc
	for _, p := range t {
		if !p.zombie && accept(p) {
			out = append(out, p)
		}
	}
	return out
}

// below returns the living processes that are roots or descend from one.
func (t table) below(root func(proc) bool) []proc {
	known := make(map[int]bool, len(t)) // pid: whether it is below a root
	var is func(pid int) bool
	is = func(pid int) bool {
		if yes, ok := known[pid]; ok {
			return yes
		}
		known[pid] = false // if numbers are reused while a table is read, it may have a cycle
		p, ok := t[pid]
		known[pid] = ok && (root(p) || is(p.parent))
		return known[pid]
	}
	return t.filter(func(p proc) bool { return is(p.pid) })
}

// parentsFirst sorts processes of the table so that none comes before its parent.
func (t table) parentsFirst(procs []proc) {
	depth := make(map[int]int, len(procs))
	for _, p := range procs {
		depth[p.pid] = len(t.ancestors(p.pid))
	}
	slices.SortFunc(procs, func(a, b proc) int { return cmp.Compare(depth[a.pid], depth[b.pid]) })
}

// ancestors returns pid and the numbers of all its ancestors.
func (t table) ancestors(pid int) map[int]bool {
	found := map[int]bool{}
	for !found[pid] {
		found[pid] = true
		if p, ok := t[pid]; ok {
			pid = p.parent
		}
	}
	return found
}

// hasEnv reports whether one of the assignments NAME=VALUE was in the environment of process
// pid when its program began. While a process begins a program, in the middle of execve(2),
// the answer is not certain.
func hasEnv(pid int, assignments []string) (has, certain bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false, true
	}
	for v := range bytes.SplitSeq(text, []byte{0}) {
		if slices.Contains(assignments, string(v)) {
			return true, true
		}
	}
	return false, len(text) > 0 || !isBeginning(pid)
}

// isBeginning reports whether process pid, which has no environment, is beginning a program:
// it has a program, but no arguments yet. Kernel threads have no program.
func isBeginning(pid int) bool {
	if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && len(text) == 0
}
