package workspace

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/git"
)

// For the next call with Reuse, the directory .DIR.quire-index, next to a workspace DIR,
// contains:
//
//	index   the index of the workspace
//	state   a state, as JSON
const (
	indexFile = "index"
	stateFile = "state"
)

// A state describes a saved index, so that a later call can decide whether to use it.
type state struct {
	Tree      string // id of the tree in the index
	Rules     string // digest of everything, except the tree, that determines contents
	Directory uint64 // inode of the workspace
	Mode      os.FileMode
	Extra     bool // the workspace may have files that are not in the index
	treeProperties

	complete int64 // ctime of the index
}

// loadState returns the state in the directory dir. ok is false if a file is missing or
// damaged, or belongs to another user.
func loadState(dir string) (s state, ok bool) {
	var dirStat, st unix.Stat_t
	if unix.Lstat(dir, &dirStat) != nil || dirStat.Mode&unix.S_IFMT != unix.S_IFDIR || int(dirStat.Uid) != os.Geteuid() ||
		unix.Lstat(filepath.Join(dir, indexFile), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG ||
		int(st.Uid) != os.Geteuid() || st.Nlink != 1 {
		return s, false
	}
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil || json.Unmarshal(text, &s) != nil {
		return s, false
	}
	s.complete = st.Ctim.Nano()
	return s, true
}

// save writes the state of the workspace at tree into the directory dir.
func (s state) save(tree, dir string) error {
	info, err := os.Stat(tree)
	if err != nil {
		return err
	}
	s.Mode, s.Directory = info.Mode().Perm(), statOf(info).Ino
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, stateFile), text, 0o600)
}

// touchIndex gives the file index a ctime that is later than the ctime of every file in the
// workspace and earlier than any later change. File system clocks tick every few
// milliseconds, so it waits for the next tick.
func touchIndex(index string) error {
	touch := func() (now int64, err error) {
		var st unix.Stat_t
		err = errors.Join(unix.UtimesNanoAt(unix.AT_FDCWD, index, nil, 0), unix.Lstat(index, &st))
		return st.Ctim.Nano(), err
	}
	begin, err := touch()
	for now := begin; err == nil && now <= begin; now, err = touch() {
		time.Sleep(time.Millisecond)
	}
	return err
}

// statOf returns the result of stat(2) in info.
func statOf(info os.FileInfo) *syscall.Stat_t { return info.Sys().(*syscall.Stat_t) }

// rules returns a digest of everything, except the tree, that determines the contents and
// modes of files. It returns "" if that is not known.
func (m *materializer) rules() (string, error) {
	config, err := m.repo.AllConfig()
	if err != nil {
		return "", err
	}
	if config["attr.tree"] != nil { // a tree that may change with every push
		return "", nil
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %v %v\n", config, m.options.LFS, m.stage.fresh)
	for _, name := range attributeFiles(m.repo) {
		text, err := os.ReadFile(name)
		fmt.Fprintf(h, "%s %v %q\n", name, err, text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// encodingsOutside reports whether an attribute file outside the tree may set
// working-tree-encoding.
func encodingsOutside(repo *git.Repo) bool {
	for _, name := range attributeFiles(repo) {
		if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), encodingWord) {
			return true
		}
	}
	return false
}

// attributeFiles returns the files outside the tree that may have attributes for Git, see
// gitattributes(5). The path of the system's file depends on how Git was built.
func attributeFiles(repo *git.Repo) []string {
	files := []string{filepath.Join(repo.CommonDir(), "info/attributes"), "/etc/gitattributes"}
	if program, err := exec.LookPath("git"); err == nil {
		files = append(files, filepath.Join(filepath.Dir(program), "../etc/gitattributes"))
	}
	home := os.Getenv("HOME")
	if own, ok, err := repo.Config("core.attributesFile"); err == nil && ok {
		if rest, ok := strings.CutPrefix(own, "~/"); ok {
			own = filepath.Join(home, rest)
		}
		return append(files, own)
	}
	if xdg := os.Getenv("XDG_CONFIG_HOME"); xdg != "" {
		return append(files, filepath.Join(xdg, "git/attributes"))
	}
	return append(files, filepath.Join(home, ".config/git/attributes"))
}
