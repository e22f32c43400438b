package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"quire/lib/runstore"
)

// A node is a file, a directory, or a symbolic link of a file system that forgets
// unsynced data.
type node struct {
	now, kept     string // of a file: content, and its part on disk
	names, stored map[string]*node
	link          string
}

func newDir() *node { return &node{names: map[string]*node{}, stored: map[string]*node{}} }

// sync is fsync(2) of the node.
func (n *node) sync() { n.kept, n.stored = n.now, maps.Clone(n.names) }

// syncAll is syncfs(2) of everything below.
func (n *node) syncAll() {
	n.sync()
	for _, c := range n.names {
		c.syncAll()
	}
}

// readTree returns the content of dir, all of it on disk.
func readTree(t *testing.T, dir string) *node {
	t.Helper()
	n := newDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			n.names[e.Name()] = readTree(t, path)
		case e.Type()&os.ModeSymlink != 0:
			link, _ := os.Readlink(path)
			n.names[e.Name()] = &node{link: link}
		default:
			text, _ := os.ReadFile(path)
			n.names[e.Name()] = &node{now: string(text)}
		}
	}
	n.syncAll()
	return n
}

// write writes to dir the state after a power loss: unsynced content is gone; so are
// unsynced names, unless the file system keeps them in order.
func (n *node) write(t *testing.T, dir string, keepNames bool) {
	t.Helper()
	names := n.stored
	if keepNames {
		names = n.names
	}
	for name, c := range names {
		path := filepath.Join(dir, name)
		var err error
		switch {
		case c.names != nil:
			if err = os.Mkdir(path, 0o700); err == nil {
				c.write(t, path, keepNames)
			}
		case c.link != "":
			err = os.Symlink(c.link, path)
		default:
			err = os.WriteFile(path, []byte(c.kept), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A disk is the file system below root, as the system calls of a trace change it.
type disk struct {
	root string
	top  *node
}

// find returns the directory and name of a path, and the node there, nil for none.
func (d *disk) find(path string) (parent *node, name string, n *node) {
	rel, ok := strings.CutPrefix(path, d.root)
	if !ok {
		return nil, "", nil
	}
	n = d.top
	for part := range strings.SplitSeq(strings.Trim(rel, "/"), "/") {
		if part == "" {
			continue
		}
		if n == nil || n.names == nil {
			return nil, "", nil
		}
		parent, name, n = n, part, n.names[part]
	}
	return parent, name, n
}

// A call is a successful system call of a trace.
type call struct {
	name   string
	args   []string // strings, and paths of descriptors, decoded
	result int
}

// at returns the path of a name in the directory of a descriptor.
func at(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// apply changes the disk, and reports whether the call did.
func (d *disk) apply(c call) bool {
	path := c.args[0]
	switch c.name {
	case "symlinkat":
		path = at(c.args[1], c.args[2])
	case "openat", "mkdirat", "unlinkat", "renameat":
		path = at(c.args[0], c.args[1])
	}
	if c.name == "renameat" {
		from, old, n := d.find(path)
		to, name, _ := d.find(at(c.args[2], c.args[3]))
		if n == nil || to == nil {
			return false
		}
		delete(from.names, old)
		to.names[name] = n
		return true
	}
	parent, name, n := d.find(path)
	if parent == nil && n == nil {
		return false
	}
	switch c.name {
	case "openat":
		if strings.Contains(c.args[2], "O_TRUNC") && n != nil {
			n.now = ""
		}
		if !strings.Contains(c.args[2], "O_CREAT") || n != nil {
			return false
		}
		parent.names[name] = &node{}
	case "mkdirat":
		parent.names[name] = newDir()
	case "symlinkat":
		parent.names[name] = &node{link: c.args[0]}
	case "unlinkat":
		delete(parent.names, name)
	case "write":
		n.now += c.args[1][:c.result]
	case "ftruncate":
		size, _ := strconv.Atoi(c.args[1])
		n.now = n.now[:size]
	case "fsync", "fdatasync":
		n.sync()
	case "syncfs":
		d.top.syncAll()
	}
	return true
}

var (
	traceLine  = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumed    = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	callLine   = regexp.MustCompile(`^(\w+)\((.*)\) += (\d+)`)
	descriptor = regexp.MustCompile(`^(?:AT_FDCWD|\d+)<(.*)>$`)
)

// parseTrace reads the output of strace -f -y -xx.
func parseTrace(t *testing.T, text string) []call {
	t.Helper()
	var calls []call
	begun := map[string]string{}
	for line := range strings.Lines(text) {
		m := traceLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		pid, rest := m[1], m[2]
		if before, ok := strings.CutSuffix(rest, "<unfinished ...>"); ok {
			begun[pid] = before
			continue
		}
		if m := resumed.FindStringSubmatch(rest); m != nil {
			rest = begun[pid] + m[1]
		}
		if m := callLine.FindStringSubmatch(rest); m != nil {
			c := call{name: m[1]}
			c.result, _ = strconv.Atoi(m[3])
			for arg := range strings.SplitSeq(m[2], ", ") {
				c.args = append(c.args, decode(strings.TrimSpace(arg)))
			}
			calls = append(calls, c)
		}
	}
	return calls
}

// decode returns the text of an argument that is a string or a descriptor.
func decode(arg string) string {
	if m := descriptor.FindStringSubmatch(arg); m != nil {
		arg = `"` + m[1] + `"`
	}
	if s, err := strconv.Unquote(arg); err == nil {
		return s
	}
	return arg
}

// The power is lost after each system call of a command: unsynced data is gone. All
// acknowledged runs must exist, and reconcile and fsck must repair the rest. Without
// SLOW=1, the calls alternate between a file system that keeps names and one that loses
// them.
func TestPowerLoss(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("power loss is not tested: there is no strace")
	}
	binaries := build(t)
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := scene(t)
			before := &disk{sc.store.Root(), readTree(t, sc.store.Root())}
			trace := filepath.Join(t.TempDir(), "trace")
			cmd := exec.Command("strace", append([]string{"-f", "-y", "-xx", "-s", "100000", "-o", trace, "-e",
				"trace=openat,mkdirat,symlinkat,renameat,unlinkat,write,ftruncate,fsync,fdatasync,syncfs",
				filepath.Join(binaries, sc.name)}, sc.args...)...)
			cmd.Stdin = strings.NewReader(sc.stdin)
			cmd.Env = append(os.Environ(), append(sc.env, "QUIRE_ROOT="+sc.store.Root(), "GOMAXPROCS=1")...)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(trace)
			if err != nil {
				t.Fatal(err)
			}
			calls := parseTrace(t, string(text))
			points, acked := 0, ""
			for i, c := range calls {
				if c.name == "write" && c.args[1] == string(out) && len(out) > 0 {
					acked = string(out) // on stdout: from here on the run is acknowledged
				} else if !before.apply(c) {
					continue
				}
				points++
				for _, keepNames := range []bool{false, true} {
					if os.Getenv("SLOW") == "" && keepNames == (points%2 == 0) {
						continue
					}
					after := sc.at(t, before, keepNames)
					after.check(t, fmt.Sprintf("call %d, %s %.80q, names kept %v", i, c.name, c.args, keepNames), i == len(calls)-1, acked)
				}
			}
			after := sc.at(t, before, false)
			after.check(t, "at the end", true, string(out))
			if points < 2 {
				t.Errorf("%d points: the trace was not understood", points)
			}
			t.Logf("%d points", points)
		})
	}
}

// at returns the scene in the store that a power loss leaves on the disk.
func (sc *scene) at(t *testing.T, d *disk, keepNames bool) *scene {
	t.Helper()
	root := t.TempDir()
	d.top.write(t, root, keepNames)
	s, err := runstore.Open(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	after := *sc
	after.store, after.acked = s, maps.Clone(sc.acked)
	after.told = nil // its program's output may be lost as well
	return &after
}
