package executor

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quire/lib/push"
)

func TestSpec(t *testing.T) {
	want := Spec{
		Facts:   push.Facts{ID: "id", Ref: "refs/heads/a", FilesChanged: []string{"x"}, PushedAt: time.Unix(1, 0).UTC()},
		PassEnv: []string{"A"}, Env: map[string]string{"B": "c"}, Path: "/bin",
		Shell: []string{"bash", "-c"}, Timeout: Duration(90 * time.Second), Grace: Duration(time.Second),
		Done:     map[string]json.RawMessage{"a": json.RawMessage(`{"x":1}`)},
		EvalTime: Duration(2 * time.Second), EvalMemory: 64 << 20,
	}
	checkSpec(t, want)
	for _, bad := range []string{"", "{", `{"timeout":"soon"}`, `{"colour":"red"}`} {
		if _, err := readSpec(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// Texts that are not UTF-8 reach the other program unchanged, in every field.
func TestSpecKeepsBytes(t *testing.T) {
	for _, text := range []string{"caf\xe9", "\xff\xfe", "\xed\xa0\x80", `\udce9`, "é\ufffd\x00\"\n", "\U0001f600\xf0\x9f"} {
		checkSpec(t, Spec{
			Facts: push.Facts{
				Repo: text, GitDir: text, Ref: text, CommitMessage: text, Pusher: text,
				FilesChanged: []string{text, "x"}, Vars: map[string]string{"V": text},
			},
			PassEnv: []string{text}, Env: map[string]string{"B": text}, Path: "/" + text, Shell: []string{text, "-c"},
		})
	}
}

// checkSpec checks that a Spec is the same after it is written and read.
func checkSpec(t *testing.T, want Spec) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSpec(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := readSpec(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A push that changed no file must differ from one whose changed files are not known, in the
// file with the facts and in Lua.
func TestSpecDistinguishesNoFilesFromUnknown(t *testing.T) {
	for _, want := range [][]string{nil, {}, {"a"}} {
		var b bytes.Buffer
		if err := WriteSpec(&b, Spec{Facts: push.Facts{FilesChanged: want}}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		got, err := readSpec(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Facts.FilesChanged); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		files, known := any(nil), false
		for _, e := range pushOutput(got.Facts) {
			if e.key == "files-changed" {
				files, known = e.value, true
			}
		}
		if known != (want != nil) || known && len(files.([]value)) != len(want) {
			t.Errorf("%s: Lua sees %v", text, files)
		}
	}
}

func TestReadSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"token": "long-enough\n", "pin": "1234"}`, 0o644)
	secrets, warnings, err := ReadSecrets(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"token": "long-enough", "pin": "1234"}, secrets); diff != "" {
		t.Error(diff)
	}
	want := []string{"secrets '" + path + "' are readable by other users", "secret 'pin' is shorter than 8 bytes and is not redacted"}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
	write(`{"token": long-enough}`, 0o600)
	if _, _, err := ReadSecrets(path); err == nil || strings.Contains(err.Error(), "long") {
		t.Errorf("the error is %v", err)
	}
}

// TestSecretsRoundTrip checks that a file preserves secrets, even their newlines.
func TestSecretsRoundTrip(t *testing.T) {
	want := map[string]string{"plain": "12345678", "lines": "12345678\n\n", "none": "", "dos": "12345678\r", "binary": "\xff\xfe12345"}
	path := filepath.Join(t.TempDir(), "secrets")
	var text bytes.Buffer
	if err := WriteSecrets(&text, want); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, err := ReadSecrets(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSpecEnv checks the environment of jobs: of pass-env, [env] and the run's variables the
// last wins, and defaultPath replaces the PATH of the driver.
func TestSpecEnv(t *testing.T) {
	const driver = "/home/pat/bin:/usr/bin"
	for name, test := range map[string]struct {
		spec    Spec
		environ []string
		want    []string
	}{
		"working copy":       {Spec{}, []string{"PATH=" + driver, "X=1"}, []string{"PATH=" + driver}},
		"recorded":           {Spec{Path: driver}, []string{"PATH=" + driver}, []string{"PATH=" + defaultPath}},
		"no PATH":            {Spec{Path: driver}, nil, nil},
		"prepended":          {Spec{Path: driver}, []string{"PATH=/opt/x:" + driver}, []string{"PATH=/opt/x:" + defaultPath}},
		"replaced":           {Spec{Path: driver}, []string{"PATH=/opt/x"}, []string{"PATH=/opt/x"}},
		"only like it":       {Spec{Path: "/bin"}, []string{"PATH=/usr/bin"}, []string{"PATH=/usr/bin"}},
		"passed":             {Spec{Path: driver, PassEnv: []string{"PATH", "X"}}, []string{"PATH=" + driver, "X=1"}, []string{"PATH=" + driver, "X=1"}},
		"set":                {Spec{Path: driver, Env: map[string]string{"PATH": "/x"}}, []string{"PATH=" + driver}, []string{"PATH=/x"}},
		"set over pass-env":  {Spec{PassEnv: []string{"X"}, Env: map[string]string{"X": "$Y\n"}}, []string{"X=1"}, []string{"X=$Y\n"}},
		"set over the usual": {Spec{Env: map[string]string{"HOME": "/x"}}, []string{"HOME=/y"}, []string{"HOME=/x"}},
	} {
		if diff := cmp.Diff(test.want, test.spec.Options(test.environ).Env, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
