package hook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/git"
)

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "GIT_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	os.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	os.Setenv("LC_ALL", "C")
	os.Exit(m.Run())
}

// A scene is a bare repository next to an installed quire.
type scene struct {
	*testing.T
	top, dir, own string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	p := &scene{T: t, top: t.TempDir()}
	p.dir, p.own = filepath.Join(p.top, "a.git"), filepath.Join(p.top, "prefix", ownDir+postReceive)
	p.sh("git init -q --bare a.git; rm a.git/hooks/*")
	p.sh("mkdir -p prefix/share/quire/hooks")
	text, err := os.ReadFile("../../hooks/post-receive")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.own, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *scene) sh(script string) {
	p.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = p.top
	if out, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func (p *scene) hook() *Hook {
	p.Helper()
	repo, err := git.Open(p.dir)
	if err != nil {
		p.Fatal(err)
	}
	h, err := Find(p.Context(), repo, p.own)
	if err != nil {
		p.Fatal(err)
	}
	return h
}

// snapshot describes all files of the repository, one a line.
func (p *scene) snapshot() string {
	p.Helper()
	var all strings.Builder
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(p.dir, path)
		text := ""
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			text, err = os.Readlink(path)
		case d.Type().IsRegular():
			var b []byte
			b, err = os.ReadFile(path)
			text = string(b)
		}
		fmt.Fprintf(&all, "%s %s %q\n", rel, info.Mode(), text)
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return all.String()
}

// Uninstall undoes Install exactly, and each has the same effect once or twice.
func TestInstallUninstall(t *testing.T) {
	for name, before := range map[string]string{
		"nothing":           "",
		"a hook":            "printf '#!/bin/sh\n' >a.git/hooks/post-receive; chmod 751 a.git/hooks/post-receive",
		"no directory":      "rmdir a.git/hooks; mkdir a.git/hooks",
		"one that is off":   "printf '#!/bin/sh\n' >a.git/hooks/post-receive; chmod 640 a.git/hooks/post-receive",
		"a link":            "echo >a.git/hooks/mine; chmod +x a.git/hooks/mine; ln -s mine a.git/hooks/post-receive",
		"a link to nowhere": "ln -s /nowhere/hook a.git/hooks/post-receive",
		"options off":       "git -C a.git config receive.advertisePushOptions off",
		"options on":        "git -C a.git config receive.advertisePushOptions yes",
		"said twice": "git -C a.git config receive.advertisePushOptions 1;" +
			"git -C a.git config --add receive.advertisePushOptions 0",
		"hooks elsewhere inside": "mkdir a.git/mine; git -C a.git config core.hooksPath mine; echo >a.git/mine/post-receive",
	} {
		t.Run(name, func(t *testing.T) {
			p := newScene(t)
			p.sh(before)
			first := p.snapshot()
			if p.hook().Installed() == nil {
				t.Error("the hook is there before it is installed")
			}
			var installed string
			for range 2 {
				if err := p.hook().Install(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := p.hook().Installed(); err != nil {
					t.Error(err)
				}
				if installed == "" {
					installed = p.snapshot()
				}
				if diff := cmp.Diff(installed, p.snapshot()); diff != "" {
					t.Error(diff)
				}
				if on, err := p.hook().TakesOptions(t.Context()); !on || err != nil {
					t.Errorf("push options are %v, %v", on, err)
				}
			}
			for range 2 {
				if err := p.hook().Uninstall(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(first, p.snapshot()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// The gate makes git notice soon that the pusher is gone, unless the owner has set how soon.
func TestInstallGate(t *testing.T) {
	for _, test := range []struct{ name, before, want string }{
		{"not set", ":", "2"},
		{"set", "git -C a.git config receive.keepAlive 7", "7"},
		{"set for all repositories", "git config --file home receive.keepAlive 30", "30"},
		{"off", "git -C a.git config receive.keepAlive 0", "0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newScene(t)
			t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(p.top, "home"))
			p.sh("cp prefix/share/quire/hooks/post-receive prefix/share/quire/hooks/pre-receive")
			p.sh("git -C a.git config receive.advertisePushOptions true")
			p.sh(test.before)
			first := p.snapshot()
			for range 2 {
				if err := p.hook().Gate().Install(t.Context()); err != nil {
					t.Fatal(err)
				}
				p.sh("test $(git -C a.git config receive.keepAlive) = " + test.want)
			}
			for range 2 {
				if err := p.hook().Gate().Uninstall(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(first, p.snapshot()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// Quire's own hook, however it was installed, is replaced and not chained.
func TestInstallReplacesOwnHook(t *testing.T) {
	for name, before := range map[string]string{
		"a link":                 "ln -s $PWD/prefix/share/quire/hooks/post-receive a.git/hooks/",
		"a link to another":      "cp -r prefix old; ln -s $PWD/old/share/quire/hooks/post-receive a.git/hooks/",
		"a link to what is gone": "ln -s /opt/gone/share/quire/hooks/post-receive a.git/hooks/",
		"a copy":                 "cp prefix/share/quire/hooks/post-receive a.git/hooks/",
	} {
		t.Run(name, func(t *testing.T) {
			p := newScene(t)
			p.sh(before)
			if err := p.hook().Install(t.Context()); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(p.dir + "/hooks/post-receive")
			if diff := cmp.Diff((&Hook{name: postReceive, own: p.own}).script(), string(text)); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if _, err := os.Lstat(p.dir + "/hooks/post-receive.chained"); err == nil {
				t.Error("it was chained")
			}
			if err := p.hook().Uninstall(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := p.hook().Installed(); err == nil {
				t.Error("it is still there")
			}
		})
	}
}

// A refusal changes nothing and names the reason.
func TestRefusals(t *testing.T) {
	for _, test := range []struct{ name, before, install, uninstall string }{
		{"directory", "mkdir a.git/hooks/post-receive", "neither a file nor a link", "neither a file nor a link"},
		{"pipe", "mkfifo a.git/hooks/post-receive", "neither a file nor a link", "neither a file nor a link"},
		{"edited copy", "(cat prefix/share/quire/hooks/post-receive; echo more) >a.git/hooks/post-receive",
			"differs from", "differs from"},
		{"two to chain", "touch a.git/hooks/post-receive a.git/hooks/post-receive.chained", "already exists", "remove one of them"},
		{"link in the way", "touch a.git/hooks/post-receive; mkdir -p a.git/hooks/chained/post-receive", "is not quire's link", ""},
		{"hooks of many", "mkdir all; git -C a.git config core.hooksPath $PWD/all", "its hooks are in", ""},
		{"hooks behind a link", "mkdir all; rm -r a.git/hooks; ln -s ../all a.git/hooks", "its hooks are in", ""},
		{"no hooks at all", "git -C a.git config core.hooksPath /dev/null", "its hooks are in", ""},
		{"no quire", "rm prefix/share/quire/hooks/post-receive", "does not exist", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newScene(t)
			p.sh(test.before)
			first := p.snapshot()
			for _, try := range []struct {
				err  error
				want string
			}{{p.hook().Install(t.Context()), test.install}, {p.hook().Uninstall(t.Context()), test.uninstall}} {
				switch {
				case try.want == "" && try.err != nil:
					t.Error(try.err)
				case try.want != "" && (try.err == nil || !strings.Contains(try.err.Error(), try.want)):
					t.Errorf("got %v, want %q", try.err, try.want)
				case try.want != "" && try.want != "does not exist" && !errors.As(try.err, new(*Refusal)):
					t.Errorf("%v is no refusal", try.err)
				}
			}
			if diff := cmp.Diff(first, p.snapshot()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A directory of hooks that many repositories share may have quire's.
func TestSharedHooks(t *testing.T) {
	p := newScene(t)
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(p.top, "gitconfig"))
	p.sh("git config --global core.hooksPath $PWD/prefix/share/quire/hooks")
	first := p.snapshot()
	if err := p.hook().Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	if on, err := p.hook().TakesOptions(t.Context()); !on || err != nil {
		t.Errorf("push options are %v, %v", on, err)
	}
	err := p.hook().Uninstall(t.Context())
	if !errors.As(err, new(*Refusal)) || !strings.Contains(err.Error(), "core.hooksPath of the global configuration") {
		t.Error(err)
	}
	if diff := cmp.Diff(first, p.snapshot()); diff != "" {
		t.Error(diff)
	}
}

// Quire's hook is found by a path that upgrades do not change, if possible.
func TestOwnHookPath(t *testing.T) {
	p := newScene(t)
	p.sh(`mkdir -p prefix/bin linked/bin all/bin all/share; touch prefix/bin/quire-trigger
		ln -s ../../prefix/bin/quire-trigger linked/bin; ln -s ../../prefix/bin/quire-trigger all/bin
		ln -s ../../prefix/share/quire all/share`)
	for program, want := range map[string]string{
		"prefix": "prefix", "linked": "prefix", "all": "all", "nowhere": "nowhere",
	} {
		got := Own(filepath.Join(p.top, program, "bin/quire-trigger"))
		if want := filepath.Join(p.top, want, ownDir+postReceive); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// The path of quire's hook can be read back from the script, whatever its characters.
func TestScript(t *testing.T) {
	if !strings.Contains(postReceiveScript, variable+"/usr/local/"+ownDir+postReceive+"\nchained=") {
		t.Fatal("the template has no line for the path")
	}
	for _, path := range []string{"/usr/local/x", "/a b/it's", "/line\nbreak/$(touch x)/`y`", "/'", "/it''s\\"} {
		if got := targetOf((&Hook{name: postReceive, own: path}).script()); got != path {
			t.Errorf("got %q, want %q", got, path)
		}
		out, err := exec.Command("sh", "-c", strings.Split((&Hook{name: postReceive, own: path}).script(), "\nchained=")[0]+"\nprintf %s \"$hook\"").Output()
		if err != nil || string(out) != path {
			t.Errorf("the shell reads %q, %v, want %q", out, err, path)
		}
	}
}

func FuzzScript(f *testing.F) {
	f.Add("/a b/it's")
	f.Fuzz(func(t *testing.T, path string) {
		if strings.Contains(path, "\nchained=") {
			return // not a possible path
		}
		if got := targetOf((&Hook{name: postReceive, own: path}).script()); got != path {
			t.Errorf("got %q, want %q", got, path)
		}
	})
}
