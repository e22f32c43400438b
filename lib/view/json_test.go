package view

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncode(t *testing.T) {
	for _, test := range []struct {
		name string
		v    any
		want string
	}{
		{"plain", []string{"a\n<b>\x1b"}, `["a\n\u003cb\u003e\u001b"]`},
		{"letters", "über ✓ 🙂", `"über ✓ 🙂"`},
		{"controls", "\x7f\u0080\u009b2J\u00a0", `"\u007f\u0080\u009b2J` + "\u00a0" + `"`},
		{"not UTF-8", json.RawMessage("\"a\x9b\xff\""), "\"a\ufffd\ufffd\""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := encode(test.v)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if !json.Valid(got) {
				t.Errorf("%s is no JSON", got)
			}
		})
	}
}
