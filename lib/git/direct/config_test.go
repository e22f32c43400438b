package direct

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Texts of configuration files, and whether they are read without git.
var configTexts = []struct {
	text   string
	simple bool
}{
	{"", true},
	{"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n", true},
	{"# a remark\n; another\n\n[Quire]\n\tRoot = /srv/quire\n  name\t=  a b  c  \n", true},
	{"[remote \"origin\"]\n\turl = https://example.com/x?a=b&c\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n", true},
	{"[filter \"LFS Big\"]\n\tSmudge = git-lfs smudge -- %f\n[filter \"\"]\na = b", true},
	{"[a]\nflag\nempty =\nempty=\nx = [y]\nx==\n", true},
	{"[a] \n b = c\n\t[b]\nc=d\n[a]\nb = again\n", true},
	{"[a  \t\"x y\"]\nc-9 = d\n", true},
	{"[a \"b\"\t]\nc = d\n", false},
	{"[a]\nb = c # remark\n", false},
	{"[a]\nb = c;d\n", false},
	{"[a]\nb = \"c\"\n", false},
	{"[a]\nb = c\\\nd\n", false},
	{"[a]\nb = c\td\n", false},
	{"[a]\r\nb = c\r\n", false},
	{"[a]\nb = c\x00d\n", false},
	{"[a \"b\\\"c\"]\nd = e\n", false},
	{"[a.b]\nc = d\n", false},
	{"[a] b = c\n", false},
	{"[a]\n[", false},
	{"[]\na = b\n", false},
	{"[a\n", false},
	{"[a\"b\"]\nc = d\n", false},
	{"[a b]\nc = d\n", false},
	{"[ a]\nb = c\n", false},
	{"b = c\n", false},
	{"[a]\n9b = c\n", false},
	{"[a]\n-b = c\n", false},
	{"[a]\nb.c = d\n", false},
	{"[a]\nb c = d\n", false},
	{"[a]\n = d\n", false},
	{"[include]\n\tpath = more\n", false},
	{"[INCLUDEIF \"gitdir:/srv/\"]\n\tpath = more\n", false},
	{"[extensions]\n\tworktreeConfig = true\n", false},
	{"\ufeff[a]\nb = c\n", false},
	{"[a]\nb = h\xe9\xff\n", true},
}

// listed parses the output of `git config --list -z`.
func listed(out string) map[string][]string {
	config := map[string][]string{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if key, value, ok := strings.Cut(entry, "\n"); ok {
			config[key] = append(config[key], value)
		} else if key != "" {
			config[key] = append(config[key], "true")
		}
	}
	return config
}

// listConfig returns the variables that git itself reads from file; ok is false if git fails.
func listConfig(t testing.TB, file string) (config map[string][]string, ok bool) {
	t.Helper()
	out, err := exec.Command("git", "config", "--file", file, "--list", "-z", "--includes").Output()
	return listed(string(out)), err == nil
}

func TestSimpleConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	for _, tt := range configTexts {
		got := map[string][]string{}
		simple := addSimple(got, tt.text)
		if simple != tt.simple {
			t.Errorf("%q: simple is %v", tt.text, simple)
		}
		if !simple {
			continue
		}
		if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		want, ok := listConfig(t, file)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%q: git has it otherwise: %v %s", tt.text, ok, diff)
		}
	}
}

// FuzzSimpleConfig checks that Config reads the same variables as git.
func FuzzSimpleConfig(f *testing.F) {
	for _, tt := range configTexts {
		f.Add(tt.text)
	}
	file := filepath.Join(f.TempDir(), "config")
	f.Fuzz(func(t *testing.T, text string) {
		got := map[string][]string{}
		if !addSimple(got, text) {
			return
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want, ok := listConfig(t, file)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("git has it otherwise: %v %s", ok, diff)
		}
	})
}

// Config reads the same files as git, and the last one wins. If git might read another
// file, ok is false.
func TestConfigFiles(t *testing.T) {
	home, xdg := t.TempDir(), t.TempDir()
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "none"))
	dir := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", "--bare", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	write := func(name, value string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("[quire]\n\tname = "+value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(home, ".gitconfig"), "home")
	write(filepath.Join(home, ".config/git/config"), "dot")
	write(filepath.Join(xdg, "git/config"), "xdg")
	write(filepath.Join(home, "other"), "other")
	tests := []struct {
		env    map[string]string // the value "-" unsets a variable
		want   []string          // of quire.name
		simple bool
	}{
		{map[string]string{"GIT_CONFIG_GLOBAL": "-"}, []string{"dot", "home"}, true},
		{map[string]string{"GIT_CONFIG_GLOBAL": "-", "XDG_CONFIG_HOME": xdg}, []string{"xdg", "home"}, true},
		{map[string]string{"GIT_CONFIG_GLOBAL": home + "/other"}, []string{"other"}, true},
		{map[string]string{"GIT_CONFIG_GLOBAL": home + "/absent"}, nil, true},
		{map[string]string{"GIT_CONFIG_NOSYSTEM": "-", "GIT_CONFIG_SYSTEM": home + "/other"}, []string{"other"}, true},
		{map[string]string{"GIT_CONFIG_SYSTEM": home + "/other"}, nil, true}, // beside GIT_CONFIG_NOSYSTEM=1
		{map[string]string{"GIT_CONFIG_NOSYSTEM": "true", "GIT_CONFIG_SYSTEM": home + "/other"}, nil, false},
		{map[string]string{"GIT_CONFIG_GLOBAL": home}, nil, false},
	}
	for _, tt := range tests {
		t.Run("", func(t *testing.T) {
			t.Setenv("HOME", home)
			for name, value := range tt.env {
				t.Setenv(name, value)
				if value == "-" {
					os.Unsetenv(name)
				}
			}
			config, ok := Config(dir)
			if ok != tt.simple || !cmp.Equal(config["quire.name"], tt.want) {
				t.Errorf("%v: %v, %q", tt.env, ok, config["quire.name"])
			}
			if !ok {
				return
			}
			out, err := exec.Command("git", "-C", dir, "config", "--list", "-z").Output()
			if diff := cmp.Diff(listed(string(out)), config); diff != "" || err != nil {
				t.Errorf("%v: git has it otherwise: %v %s", tt.env, err, diff)
			}
		})
	}
}

// The system's file is read only if it is certainly git's; otherwise it is left to git.
func TestSystemConfig(t *testing.T) {
	const etc = "/etc/gitconfig"
	if program, err := exec.LookPath("git"); err == nil && program == "/usr/bin/git" {
		if files, ok := systemConfig(); !ok || !cmp.Equal(files, []string{etc}) {
			t.Errorf("with git in /usr/bin: %q, %v", files, ok)
		}
	}
	prefix, elsewhere := t.TempDir(), t.TempDir()
	for _, dir := range []string{prefix + "/bin", prefix + "/etc", elsewhere + "/opt/bin", elsewhere + "/opt/etc"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(elsewhere+"/opt/bin/git", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere+"/opt/bin/git", prefix+"/bin/git"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", prefix+"/bin")
	_, err := os.Lstat(etc)
	if files, ok := systemConfig(); ok != errors.Is(err, fs.ErrNotExist) || files != nil {
		t.Errorf("with a git of its own prefix: %q, %v, and %s: %v", files, ok, etc, err)
	}
	for _, name := range []string{prefix + "/etc/gitconfig", elsewhere + "/opt/etc/gitconfig"} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if files, ok := systemConfig(); ok {
			t.Errorf("sure of %q, and there is %s", files, name)
		}
		os.Remove(name)
	}
	t.Setenv("PATH", "")
	if files, ok := systemConfig(); ok {
		t.Errorf("sure of %q without a git", files)
	}
}
