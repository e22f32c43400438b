package direct

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"quire/lib/file"
)

// Config returns the configuration of the repository whose common directory is dir, as
// `git config --list --includes` prints it. If dir is "", it returns the configuration
// outside of repositories. ok is false if a file is not simple, see addSimple, or if it is
// not certain which files git reads: then only git knows.
func Config(dir string) (config map[string][]string, ok bool) {
	files, ok := configFiles()
	if !ok {
		return nil, false
	}
	if dir != "" {
		files = append(files, filepath.Join(dir, "config"))
	}
	config = map[string][]string{}
	for _, name := range files {
		text, err := file.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || !addSimple(config, string(text)) {
			return nil, false
		}
	}
	return config, true
}

// configFiles returns the files that git reads before the repository's, in git's order, see
// FILES in git-config(1). ok is false if they are not certain.
func configFiles() (files []string, ok bool) {
	switch system, set := os.LookupEnv("GIT_CONFIG_SYSTEM"); {
	case os.Getenv("GIT_CONFIG_NOSYSTEM") == "1":
	case os.Getenv("GIT_CONFIG_NOSYSTEM") != "" || set && system == "":
		return nil, false
	case set:
		files = append(files, system)
	default:
		if files, ok = systemConfig(); !ok {
			return nil, false
		}
	}
	home, user := os.Getenv("HOME"), os.Getenv("XDG_CONFIG_HOME")
	if user == "" {
		user = filepath.Join(home, ".config")
	}
	switch global, set := os.LookupEnv("GIT_CONFIG_GLOBAL"); {
	case set && global == "" || !set && home == "":
		return nil, false
	case set:
		files = append(files, global)
	default:
		files = append(files, filepath.Join(user, "git/config"), filepath.Join(home, ".gitconfig"))
	}
	return files, true
}

// systemConfig returns the configuration file of the system, if it exists. A git in
// /usr/bin has it in /etc (git's Makefile: sysconfdir). For any other git, ok is false if
// a file exists in /etc, or in the etc next to its bin, with or without links resolved.
func systemConfig() (files []string, ok bool) {
	const etc = "/etc/gitconfig"
	link, err := exec.LookPath("git")
	if err != nil {
		return nil, false
	}
	program, err := filepath.EvalSymlinks(link)
	if err != nil {
		return nil, false
	}
	if program == "/usr/bin/git" {
		return []string{etc}, true
	}
	for _, name := range []string{etc, filepath.Join(filepath.Dir(link), "../etc/gitconfig"), filepath.Join(filepath.Dir(program), "../etc/gitconfig")} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return nil, false
		}
	}
	return nil, true
}

// addSimple adds the variables of a file to config, and reports whether the file was simple:
// without quotes, backslashes, comments after values, and includes. See Syntax in
// git-config(1).
func addSimple(config map[string][]string, text string) bool {
	section := ""
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Trim(line, " \t")
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			continue
		case strings.ContainsAny(line, "\r\v\f\x00"):
			return false
		case line[0] == '[':
			if section = simpleSection(line); section == "" {
				return false
			}
			continue
		}
		key, value, has := strings.Cut(line, "=")
		key, value = strings.TrimRight(key, " \t"), strings.TrimLeft(value, " \t")
		if section == "" || !isName(key) || strings.ContainsAny(value, "\"\\#;\t") {
			return false
		}
		if !has {
			value = "true"
		}
		name := section + strings.ToLower(key)
		if name == "extensions.worktreeconfig" {
			return false
		}
		config[name] = append(config[name], value)
	}
	return true
}

// simpleSection returns the prefix that a section header gives to the names of its variables,
// or "" if the line is not a simple section header.
func simpleSection(line string) string {
	name, ok := strings.CutSuffix(line[1:], "]")
	name, rest, has := strings.Cut(name, " ")
	if !ok || !isName(name) || strings.HasPrefix(strings.ToLower(name), "include") {
		return ""
	}
	section := strings.ToLower(name) + "."
	if !has {
		return section
	}
	quoted := strings.TrimLeft(rest, " \t")
	if len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
		return ""
	}
	sub := quoted[1 : len(quoted)-1]
	if strings.ContainsAny(sub, "\"\\") {
		return ""
	}
	return section + sub + "."
}

// isName reports whether s is a valid name of a section or variable: letters, digits and
// hyphens, beginning with a letter.
func isName(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}
