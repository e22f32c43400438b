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

// What is at the place of a hook.
type kind int

const (
	absent  kind = iota
	script       // what Install puts there
	quires       // quire's hook itself, or a link to it
	edited       // a copy of quire's hook that is not the same any more
	foreign      // anything else
)

// A sight is what look saw.
type sight struct {
	kind       kind
	text       string // the beginning of the file
	target     string // of a script: quire's hook
	executable bool
}

// maxHook bounds what is read of a hook to know it, in bytes.
const maxHook = 64 << 10

// ownHeader is how quire's hook begins, and ownSuffix how its path ends.
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

// look says what is at path, and refuses what is neither a file nor a link.
func (h *Hook) look(path string) (sight, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return sight{kind: absent}, nil
	}
	if err != nil {
		return sight{}, err
	}
	link := info.Mode()&fs.ModeSymlink != 0
	if !link && !info.Mode().IsRegular() {
		return sight{}, refusef("'%s' is neither a file nor a link", path)
	}
	s := sight{kind: foreign}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		s.text = beginning(path)
		s.executable = info.Mode()&0o111 != 0
	}
	header, _, _ := strings.Cut(template, "#\n")
	switch target, _ := os.Readlink(path); {
	case link && s.text == "" && strings.HasSuffix(target, "/"+ownSuffix):
		s.kind = quires // that has gone
	case strings.HasPrefix(s.text, header):
		s.kind, s.target = script, targetOf(s.text)
	case !strings.HasPrefix(s.text, ownHeader):
	case link || s.text == beginning(h.own):
		s.kind = quires
	default:
		s.kind = edited
	}
	return s, nil
}

// beginning returns the first maxHook bytes of a file, "" where it cannot be read.
func beginning(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, maxHook))
	return string(text)
}
