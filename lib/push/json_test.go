package push

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFactsJSON checks that facts with any bytes are unchanged after JSON.
func TestFactsJSON(t *testing.T) {
	for _, s := range []string{
		"", "plain", "caf\xe9.txt", "\xff", "a\x80\x80b\xc3", "é\xe9𝄞\xf0\x9f", "\\udce9", "\\\xe9", "\ufffd\xef\xbf", "tab\t\"\n<&>\xfe\u2028",
	} {
		for _, files := range [][]string{nil, {}, {s}, {s, "x\xe9", s}} {
			want := Facts{
				ID: "id", Repo: s, GitDir: "/" + s, Ref: "refs/heads/" + s, SHA: "1", PreviousSHA: "2", CommitMessage: s,
				Pusher: s, PushedAt: time.Unix(1, 0).UTC(), FilesChanged: files, Trigger: "hand", Vars: map[string]string{"A": s},
			}
			text, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var got Facts
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		}
	}
}

func TestFactsJSONForms(t *testing.T) {
	for in, want := range map[string]string{
		`{"ref":"\uDCE9\udce9"}`:          "\xe9\xe9",
		`{"ref":"\ud834\udd1e\udc80"}`:    "𝄞\x80",
		`{"ref":"\ud834\udce9"}`:          "\U0001d0e9", // a pair, not a byte
		`{"ref":"\\udce9\u00e9\n\udc7f"}`: "\\udce9é\n\ufffd",
		`{}`:                              "",
	} {
		var got Facts
		if err := json.Unmarshal([]byte(in), &got); err != nil || got.Ref != want {
			t.Errorf("%s: got %q, %v; want %q", in, got.Ref, err, want)
		}
	}
	for _, bad := range []string{`{"ref":1}`, `{"colour":"red"}`, `{"files-changed":"x"}`, `{"ref":null}`, `[]`} {
		var got Facts
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s was read as %+v", bad, got)
		}
	}
}

func FuzzFactsJSON(f *testing.F) {
	f.Add("caf\xe9\\udce9")
	f.Fuzz(func(t *testing.T, s string) {
		text, err := json.Marshal(Facts{Ref: s})
		if err != nil {
			t.Fatal(err)
		}
		var got Facts
		if err := json.Unmarshal(text, &got); err != nil || got.Ref != s {
			t.Errorf("%s: got %q, %v; want %q", text, got.Ref, err, s)
		}
	})
}
