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

	"quire/lib/push"
)

func TestSpec(t *testing.T) {
	want := Spec{
		Facts: push.Facts{ID: "id", Ref: "refs/heads/a", FilesChanged: []string{"x"}, PushedAt: time.Unix(1, 0).UTC()},
		Env:   []string{"A"}, Shell: []string{"bash", "-c"}, Timeout: Duration(90 * time.Second), Grace: Duration(time.Second),
		Done:     map[string]json.RawMessage{"a": json.RawMessage(`{"x":1}`)},
		EvalTime: Duration(2 * time.Second), EvalMemory: 64 << 20,
	}
	var b bytes.Buffer
	if err := WriteSpec(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSpec(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "{", `{"timeout":"soon"}`, `{"colour":"red"}`} {
		if _, err := ReadSpec(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// Files that are not known and a push that changed none must differ, in the file with the
// facts and in Lua.
func TestSpecTellsNoFileFromUnknown(t *testing.T) {
	for _, want := range [][]string{nil, {}, {"a"}} {
		var b bytes.Buffer
		if err := WriteSpec(&b, Spec{Facts: push.Facts{FilesChanged: want}}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		got, err := ReadSpec(&b)
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
	want := []string{"others can read the secrets in '" + path + "'", "secret 'pin' is shorter than 8 bytes and is not redacted"}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
	write(`{"token": long-enough}`, 0o600)
	if _, _, err := ReadSecrets(path); err == nil || strings.Contains(err.Error(), "long") {
		t.Errorf("the error is %v", err)
	}
}

// TestSecretsThroughAFile wants secrets to be what they were, newlines and all.
func TestSecretsThroughAFile(t *testing.T) {
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
