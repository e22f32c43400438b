package hook

import (
	_ "embed"
	"errors"
	"fmt"
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

// ownDir is the end of the directory with quire's hooks, and ownHeader, with the name of the
// hook, is the beginning of each.
const (
	ownDir    = "share/quire/hooks/"
	ownHeader = "#!/bin/sh\n# %s: hand a push to quire.\n"
)

//go:embed post-receive.sh
var postReceiveScript string

// template returns the script of the hook, with an example of the path of quire's hook.
func (h *Hook) template() string {
	if h.name == postReceive {
		return postReceiveScript
	}
	return strings.NewReplacer(postReceive, h.name, " --install-hook", " --install-hook --gate").Replace(postReceiveScript)
}

// The line of the template that names quire's hook, before its value.
const variable = "\nhook="

// script returns the script that runs quire's hook. The path is in quotes even
// if the shell needs none, unlike from text.Quote: installed hooks are compared with it.
func (h *Hook) script() string {
	before, rest, _ := strings.Cut(h.template(), variable)
	_, after, _ := strings.Cut(rest, "\n")
	return before + variable + "'" + strings.ReplaceAll(h.own, "'", `'\''`) + "'\n" + after
}

// targetOf returns the path that Hook.script put into a script.
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
	header, _, _ := strings.Cut(h.template(), "#\n")
	switch target, _ := os.Readlink(path); {
	case link && s.text == "" && strings.HasSuffix(target, "/"+ownDir+h.name):
		s.kind = ours // which is gone
	case strings.HasPrefix(s.text, header):
		s.kind, s.target = script, targetOf(s.text)
	case !strings.HasPrefix(s.text, fmt.Sprintf(ownHeader, h.name)):
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
