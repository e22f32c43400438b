package config

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSecrets(t *testing.T) {
	dir := root(t, tomlName, `[secrets]
a = "long enough"
b = { file = "b" }
c = { file = "c" }
d = "short"
e = { file = "e" }
gone = { file = "gone" }
elsewhere = { file = "gone", refs = ["refs/heads/other"] }
`)
	for name, mode := range map[string]os.FileMode{"b": 0o600, "c": 0o640, "e": 0o644} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("secret of "+name+"\n\r\n"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	want := RunSecrets{
		Values: map[string]string{
			"a": "long enough", "b": "secret of b\n", "c": "secret of c\n", "d": "short", "e": "secret of e\n",
		},
		Withheld: map[string]string{
			"gone":      "cannot be read: no such file or directory",
			"elsewhere": "is not for this ref",
		},
		Warnings: []string{
			"secret 'd' is shorter than 8 bytes and will not be redacted",
			"secret 'e': its file is readable by other users",
			"secret 'gone' cannot be read: no such file or directory",
		},
	}
	if diff := cmp.Diff(want, load(t, dir).For("x").ReadSecrets("refs/heads/main")); diff != "" {
		t.Error(diff)
	}
}

// TestReadableConfig checks the warning about a secret in a file that is readable by other
// users.
func TestReadableConfig(t *testing.T) {
	dir := root(t, fennelName, `{:secrets {:a "long enough"}}`)
	if err := os.Chmod(filepath.Join(dir, fennelName), 0o644); err != nil {
		t.Fatal(err)
	}
	r := load(t, dir).For("x").ReadSecrets("refs/heads/main")
	if diff := cmp.Diff([]string{"secret 'a': the config file is readable by other users"}, r.Warnings); diff != "" {
		t.Error(diff)
	}
}

// TestSecretsByRef checks that only runs of the refs of a secret get it. For refs with similar
// names, its file is not even opened.
func TestSecretsByRef(t *testing.T) {
	const text = `[secrets]
key = { file = "key", refs = ["refs/heads/main", "refs/tags/v*", "refs/heads/release/**"] }
own = { value = "general value" }
[repo."mine.git".secrets]
own = { value = "special value", refs = ["refs/heads/main"] }
`
	const fennel = `{:secrets {:key {:file :key :refs ["refs/heads/main" "refs/tags/v*" "refs/heads/release/**"]}
           :own {:value "general value"}}
 :repo {:mine.git {:secrets {:own {:value "special value" :refs ["refs/heads/main"]}}}}}`
	for _, dir := range []string{root(t, tomlName, text), root(t, fennelName, fennel)} {
		file := filepath.Join(dir, "key")
		if err := os.WriteFile(file, []byte("the key's value"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := load(t, dir)
		for _, ref := range []string{"refs/heads/main", "refs/tags/v1", "refs/heads/release/1/x"} {
			if r := c.For("x.git").ReadSecrets(ref); r.Values["key"] != "the key's value" || r.Values["own"] != "general value" {
				t.Errorf("%s: got %v", ref, r)
			}
		}
		if r := c.For("mine.git").ReadSecrets("refs/heads/main"); r.Values["own"] != "special value" {
			t.Errorf("got %v", r)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{
			"", "main", "heads/main", "HEAD", "refs/tags/main", "refs/heads/main-x", "refs/heads/xmain", "refs/heads/main/x",
			"refs/heads/../main", "refs/heads/release/../main", "refs/heads/release/..", "refs/heads/./main", "refs/heads//main",
			"refs/heads/main ", "refs/heads/main\n", "refs/heads/main\x00", "refs/heads/MAIN", "refs/heads/*", "refs/heads/m[a]in", "refs/heads/mai?",
			"refs/heads/**", "refs/heads/release/*", "refs/heads/refs/heads/main", "refs/remotes/origin/main", "refs/tags/v1/x", "refs/heads/v1", "refs/tags/v*",
		} {
			r := c.For("mine.git").ReadSecrets(ref)
			if diff := cmp.Diff(RunSecrets{
				Values:   map[string]string{},
				Withheld: map[string]string{"key": "is not for this ref", "own": "is not for this ref"},
			}, r); diff != "" {
				t.Errorf("%q: %s", ref, diff)
			}
		}
	}
}

// TestInherit checks that a repository has only its own secrets and the inherited ones.
func TestInherit(t *testing.T) {
	c := load(t, root(t, tomlName, `
secrets.general = "1"
secrets.token = "2"
[repo."**"]
secrets.every = "3"
[repo."all/**"]
secrets.work = "4"
[repo."none/*"]
secrets.own = "5"
inherit-secrets = false
[repo."none/some.git"]
inherit-secrets = ["token", "own"]
[repo."none/again.git"]
inherit-secrets = true
secrets.last = "6"
[repo."closed/*"]
inherit-secrets = []
`))
	for name, want := range map[string]string{
		"x.git": "every general token", "all/x.git": "every general token work", "none/x.git": "own",
		"none/x/y.git": "every general token", "none/some.git": "own token",
		"none/again.git": "every general last own token", "closed/x": "", "": "general token",
	} {
		if got := strings.Join(slices.Sorted(maps.Keys(c.For(name).Secrets)), " "); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
