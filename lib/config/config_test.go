package config

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quire/lib/diag"
)

var update = flag.Bool("update", false, "write the golden files")

var ignoreOpen = cmpopts.IgnoreUnexported(Secret{}, Settings{})

// root makes a root with one file.
func root(t testing.TB, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func load(t testing.TB, dir string) *Config {
	t.Helper()
	c, err := Load(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const everythingTOML = `
executor = "quire-ci"
launcher = ["bwrap", "--unshare-all"]
shell = ["bash", "-ec"]
max-runs = 2
jobs = 3
timeout = "1h30m"
supersede = "pending"
skip-tested = "tree"
keep-workspace = "failed"
grace = "500ms"
pass-env = ["LANG", "GOPROXY"]
with-git = true
lfs = true
submodules = true
workspaces = 4
artifacts-max = "5GiB"
log-max = "7MiB"
keep-ignored = true
cache = "ref"
cache-max = "3GiB"
[env]
PATH = "/usr/bin:/bin"
A = "$B \"c\"\nd"
[keep]
runs = 10
cache = "2d"
[secrets]
token = { file = "/run/secrets/token" }
near = { file = "token" }
inline = "value"
dotted.value = "other"
deploy = { file = "/deploy", refs = ["refs/heads/main", "refs/tags/v*"] }
[repo."work/foo.git"]
timeout = "10m"
launcher = []
shell = ["sh", "-c"]
inherit-secrets = ["inline", "deploy"]
secrets.token = "mine"
keep.runs = 5
pass-env = []
env = { A = "", "É" = "1" }
`

const everythingFennel = `; computed, in part
(local minutes 90)
{:executor :quire-ci
 :launcher [:bwrap :--unshare-all]
 :shell [:bash :-ec]
 :max-runs 2
 :jobs 3
 :timeout (.. minutes "m")
 :supersede :pending :skip-tested :tree
 :keep-workspace :failed
 :grace "500ms"
 :pass-env [:LANG :GOPROXY]
 :env {:PATH "/usr/bin:/bin" :A "$B \"c\"\nd"}
 :with-git true :lfs true :submodules true :workspaces 4 :artifacts-max :5GiB :log-max :7MiB :keep-ignored true :cache :ref :cache-max :3GiB
 :keep {:runs 10 :cache :2d}
 :secrets {:token {:file "/run/secrets/token"} :near {:file :token} :inline "value" :dotted {:value "other"}
           :deploy {:file "/deploy" :refs ["refs/heads/main" "refs/tags/v*"]}}
 :repo {"work/foo.git" {:timeout "10m" :launcher [] :shell [:sh :-c] :inherit-secrets [:inline :deploy] :secrets {:token "mine"} :keep {:runs 5} :pass-env [] :env {:A "" :É "1"}}}}
`

func TestLoad(t *testing.T) {
	for name, text := range map[string]string{tomlName: everythingTOML, fennelName: everythingFennel} {
		t.Run(name, func(t *testing.T) {
			dir := root(t, name, text)
			c := load(t, dir)
			want := Settings{
				Executor: "quire-ci", Launcher: []string{"bwrap", "--unshare-all"}, MaxRuns: 2, Jobs: 3,
				Shell:   []string{"bash", "-ec"},
				Timeout: 90 * time.Minute, Grace: 500 * time.Millisecond,
				Supersede: "pending", SkipTested: "tree", KeepWorkspace: "failed", Keep: Keep{Runs: 10, Cache: 48 * time.Hour}, PassEnv: []string{"LANG", "GOPROXY"},
				Env:     map[string]string{"PATH": "/usr/bin:/bin", "A": "$B \"c\"\nd"},
				WithGit: true, LFS: true, Submodules: true, Workspaces: 4, MaxArtifacts: 5 << 30, MaxLog: 7 << 20,
				KeepIgnored: true, Cache: "ref", MaxCache: 3 << 30,
				Secrets: map[string]Secret{
					"token": {File: "/run/secrets/token"}, "near": {File: filepath.Join(dir, "token")},
					"inline": {Value: "value"}, "dotted": {Value: "other"},
					"deploy": {File: "/deploy", Refs: []string{"refs/heads/main", "refs/tags/v*"}},
				},
			}
			if diff := cmp.Diff(want, c.For("other"), ignoreOpen); diff != "" {
				t.Error(diff)
			}
			want.Timeout, want.Launcher, want.Shell, want.Keep.Runs, want.PassEnv = 10*time.Minute, nil, []string{"sh", "-c"}, 5, nil
			want.Env = map[string]string{"PATH": "/usr/bin:/bin", "A": "", "É": "1"}
			want.Secrets = map[string]Secret{
				"token": {Value: "mine"}, "inline": want.Secrets["inline"], "deploy": want.Secrets["deploy"],
			}
			if diff := cmp.Diff(want, c.For("work/foo.git"), ignoreOpen, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	want := Settings{
		Executor: "host", MaxRuns: runtime.NumCPU(), Timeout: time.Hour, Grace: 10 * time.Second, Supersede: "none", SkipTested: "none", KeepWorkspace: "none",
		Keep: Keep{Runs: 200, Cache: 720 * time.Hour}, MaxArtifacts: 1 << 30, MaxLog: 256 << 20, Cache: "none", MaxCache: 10 << 30, Secrets: map[string]Secret{},
	}
	for name, dir := range map[string]string{
		"no file": t.TempDir(), "no root": filepath.Join(t.TempDir(), "none"),
		"empty file": root(t, tomlName, ""), "empty table": root(t, fennelName, "{}"),
	} {
		if diff := cmp.Diff(want, load(t, dir).For("any"), cmpopts.EquateEmpty(), ignoreOpen); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestDurationsAndSizes reads durations and sizes in all their forms.
func TestDurationsAndSizes(t *testing.T) {
	for _, test := range []struct {
		text     string
		duration time.Duration
		memory   uint64
		warning  string
	}{
		{`timeout = "2d"`, 48 * time.Hour, 0, ""},
		{`timeout = "1d12h"`, 36 * time.Hour, 0, ""},
		{`eval-memory = "64KiB"`, time.Hour, 64 << 10, ""},
		{`eval-memory = "1GiB"`, time.Hour, 1 << 30, ""},
		{`eval-memory = "0"`, time.Hour, 0, ""},
		{"eval-memory = 0\ntimeout = 0", 0, 0, ""},
		{`eval-memory = 64`, time.Hour, 64 << 20, "config.toml:1:15: warning: eval-memory without a unit is deprecated: write \"64MiB\"\n    eval-memory = 64\n                  ^\n"},
		{"[repo.any]\neval-memory = 32\n", time.Hour, 32 << 20, "config.toml:2:15: warning: eval-memory without a unit is deprecated: write \"32MiB\"\n    eval-memory = 32\n                  ^\n"},
	} {
		dir := root(t, tomlName, test.text)
		c := load(t, dir)
		s := c.For("any")
		if s.Timeout != test.duration || s.EvalMemory != test.memory {
			t.Errorf("%s: got %s and %d bytes", test.text, s.Timeout, s.EvalMemory)
		}
		if got := strings.ReplaceAll(c.Warnings.Text(), dir+"/", ""); got != test.warning {
			t.Errorf("%s: warning %q, want %q", test.text, got, test.warning)
		}
	}
}

// TestOldEnv reads env in the form of version 0.1, a list of names.
func TestOldEnv(t *testing.T) {
	for name, text := range map[string]string{
		tomlName:   "env = [\"A\"]\n[repo.one]\nenv = []\n[repo.two.env]\nB = \"b\"\n",
		fennelName: "{:env [:A]\n :repo {:one {:env []}\n        :two {:env {:B :b}}}}",
	} {
		c := load(t, root(t, name, text))
		for repo, want := range map[string]Settings{
			"any": {PassEnv: []string{"A"}}, "one": {}, "two": {PassEnv: []string{"A"}, Env: map[string]string{"B": "b"}},
		} {
			s := c.For(repo)
			if diff := cmp.Diff(want, Settings{PassEnv: s.PassEnv, Env: s.Env}, ignoreOpen, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s: %s", name, repo, diff)
			}
		}
		const want = "warning: env as a list of names is deprecated: write pass-env"
		if got := c.Warnings.Text(); strings.Count(got, want) != 2 {
			t.Errorf("%s: warnings %q", name, got)
		}
	}
}

// TestMostSpecificPatternWins checks the order of patterns for each key.
func TestMostSpecificPatternWins(t *testing.T) {
	c := load(t, root(t, tomlName, `
jobs = 1
max-runs = 1
[repo."work/foo.git"]
jobs = 4
[repo."work/*"]
jobs = 3
max-runs = 3
[repo."work/**"]
jobs = 5
max-runs = 5
[repo."**"]
jobs = 2
grace = "2s"
`))
	for name, want := range map[string][3]int{
		"": {1, 1, 10}, "x": {2, 1, 2}, "work/bar.git": {3, 3, 2}, "work/foo.git": {4, 3, 2}, "work/a/b": {5, 5, 2},
	} {
		s := c.For(name)
		if got := [3]int{s.Jobs, s.MaxRuns, int(s.Grace.Seconds())}; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// TestDiagnostics reads each file of testdata and compares the messages with the golden file
// beside it.
func TestDiagnostics(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.toml")
	more, _ := filepath.Glob("testdata/*.fnl")
	if paths = append(paths, more...); len(paths) == 0 {
		t.Fatal("no testdata")
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := root(t, "config"+filepath.Ext(path), string(text))
			_, err = Load(context.Background(), dir)
			var list diag.List
			if !errors.As(err, &list) {
				t.Fatalf("want diagnostics, got %v", err)
			}
			got := strings.ReplaceAll(list.Text(), dir+"/", "")
			golden := path + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDiagnosticsHideSecrets checks that no diagnostic shows the value of a secret.
func TestDiagnosticsHideSecrets(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{tomlName, "[secrets]\na = \"hunter2"},
		{tomlName, "[secrets]\na = { valu = \"hunter2\" }"},
		{tomlName, "[secrets]\na = [\"hunter2\"]"},
		{tomlName, "secrets = \"hunter2\""},
		{tomlName, "secret = \"hunter2\""},
		{tomlName, "[secret]\na = \"hunter2\""},
		{tomlName, "timeout = \"1m\"\n\"token\" = \"hunter2\""},
		{tomlName, "[secrets]\na = \"hunter2\"\na = \"hunter2\""},
		{fennelName, "{:secrets {:a \"hunter2\" :b}}"},
		{fennelName, "{:secrets {:a \"hunter2\" :b 5}}"},
		{fennelName, "{:secret {:a \"hunter2\"}}"},
		{fennelName, "{:secrets {:a (.. \"hunter2\" nil)}}"},
	} {
		_, err := Load(context.Background(), root(t, test.name, test.text))
		var list diag.List
		if !errors.As(err, &list) {
			t.Errorf("%s: want diagnostics, got %v", test.text, err)
		} else if strings.Contains(list.Text(), "hunter2") {
			t.Errorf("%s", list.Text())
		}
	}
}

func TestLoadRefusesFiles(t *testing.T) {
	both := root(t, tomlName, "")
	if err := os.WriteFile(filepath.Join(both, fennelName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, tomlName), 0o700); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		both:      both + "/config.toml: 'config.toml' and 'config.fnl' both exist",
		directory: directory + "/config.toml: is not a regular file",
	} {
		if _, err := Load(context.Background(), dir); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	large := root(t, tomlName, strings.Repeat("# comment\n", 200_000))
	if _, err := Load(context.Background(), large); err == nil || !strings.HasSuffix(err.Error(), "is larger than 1024 KiB") {
		t.Errorf("got %v", err)
	}
}

func TestKeepsWorkspace(t *testing.T) {
	for _, test := range []struct {
		keep         string
		failed, want bool
	}{
		{"none", true, false}, {"failed", true, true}, {"failed", false, false}, {"all", false, true},
	} {
		if got := (Settings{KeepWorkspace: test.keep}).KeepsWorkspace(test.failed); got != test.want {
			t.Errorf("%v: got %v", test, got)
		}
	}
}

func TestRoot(t *testing.T) {
	set := func(key string) (string, bool, error) { return "/git/" + key, true, nil }
	unset := func(string) (string, bool, error) { return "", false, nil }
	broken := func(string) (string, bool, error) { return "", false, errors.New("broken") }
	for _, test := range []struct {
		flag, env string
		git       func(string) (string, bool, error)
		want      string
	}{
		{"/flag", "/env", set, "/flag"},
		{"", "/env", set, "/env"},
		{"", "", set, "/git/quire.root"},
		{"", "", unset, "/var/quire"},
		{"", "", broken, "/var/quire"},
	} {
		got := Root(test.flag, func(name string) string {
			if name == "QUIRE_ROOT" {
				return test.env
			}
			return ""
		}, test.git)
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// FuzzConfig checks that every text gives settings or diagnostics with positions.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{everythingTOML, everythingFennel, "a = [1, {b = 2}]", "[[repo]]\nx = 1", "{:secrets [1 2]}", "[secrets]\n\"\" = {}", "[secrets]\na = { value = \"x\", refs = [\"main\", 5] }", "{:repo {:a {:inherit-secrets [:b 5]}}}", "\xff"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, isTOML bool) {
		name, other := tomlName, fennelName
		if !isTOML {
			name, other = other, name
		}
		os.Remove(filepath.Join(dir, other))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(context.Background(), dir)
		var list diag.List
		switch {
		case err == nil:
			c.For("work/foo.git")
		case !errors.As(err, &list):
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Line < 1 || d.Column < 0 || strings.Contains(d.Message, "\n") {
				t.Errorf("%#v", d)
			}
		}
	})
}

// TestByteOrderMark reads configurations that begin with a byte order mark.
func TestByteOrderMark(t *testing.T) {
	for name, text := range map[string]string{"config.toml": "max-runs = 3\n", "config.fnl": "{:max-runs 3}\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("\ufeff"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		load(t, dir)
	}
}
