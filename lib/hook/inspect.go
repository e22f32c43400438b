package hook

import (
	_ "embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A kind of hook.
type kind int

const (
	absent   kind = iota
	script        // the script of Install
	ours          // quire's hook itself, or a link to it
	modified      // a copy of quire's hook that differs from it
	theirs        // any other hook
)

// A state describes a hook.
type state struct {
	kind       kind
	text       string // the beginning of the file
	target     string // for a script: the path of quire's hook
	executable bool
}

// maxHook is how much of a hook is read to recognise it, in bytes.
const maxHook = 64 << 10

// ownHeader is the beginning of quire's hook, and ownSuffix the end of its path.
const (
	ownHeader = "#!/bin/sh\n# post-receive: hand a push to quire.\n"
	ownSuffix = "share/quire/hooks/post-receive"
)

//go:embed post-receive.sh
var template string

// The line of the template that names quire's hook, before its value.
const variable = "\nhook="

// scriptFor returns the script that runs quire's hook at path. The path is in quotes even
// if the shell needs none, unlike from text.Quote: installed hooks are compared with it.
func scriptFor(path string) string {
	before, rest, _ := strings.Cut(template, variable)
	_, after, _ := strings.Cut(rest, "\n")
	return before + variable + "'" + strings.ReplaceAll(path, "'", `'\''`) + "'\n" + after
}

// targetOf returns the path that scriptFor put into a script.
func targetOf(text string) string {
	_, rest, _ := strings.Cut(text, variable)
	path, _, _ := strings.Cut(rest, "\nchained=")
	path = strings.TrimSuffix(strings.TrimPrefix(path, "'"), "'")
	return strings.ReplaceAll(path, `'\''`, "'")
}

// inspect describes the hook at path. It refuses anything but a file or a link.
func (h *Hook) inspect(path string) (state, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return state{kind: absent}, nil
	}
	if err != nil {
		return state{}, err
	}
	link := info.Mode()&fs.ModeSymlink != 0
	if !link && !info.Mode().IsRegular() {
		return state{}, refusef("'%s' is neither a file nor a link", path)
	}
	s := state{kind: theirs}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		s.text = beginning(path)
		s.executable = info.Mode()&0o111 != 0
	}
	header, _, _ := strings.Cut(template, "#\n")
	switch target, _ := os.Readlink(path); {
	case link && s.text == "" && strings.HasSuffix(target, "/"+ownSuffix):
		s.kind = ours // which is gone
	case strings.HasPrefix(s.text, header):
		s.kind, s.target = script, targetOf(s.text)
	case !strings.HasPrefix(s.text, ownHeader):
	case link || s.text == beginning(h.own):
		s.kind = ours
	default:
		s.kind = modified
	}
	return s, nil
}

// beginning returns the first maxHook bytes of a file, or "" if it cannot be read.
func beginning(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, maxHook))
	return string(text)
}
