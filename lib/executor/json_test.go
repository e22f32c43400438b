package executor

import (
	"bufio"
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"

	"quire/lib/runlog"
	"quire/lib/vm"
)

// recorded returns the JSON that events.jsonl has for a value.
func recorded(t *testing.T, v value) string {
	t.Helper()
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	r := &run{redact: runlog.NewRedactor(nil)}
	if err := r.writeData(w, v); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	return b.String()
}

// TestJSONRoundTrip checks that JSON passes through Lua unchanged.
func TestJSONRoundTrip(t *testing.T) {
	for in, want := range map[string]string{
		`{}`: `{}`, `[]`: `[]`, `{"a":{},"b":[]}`: `{"a":{},"b":[]}`, `[[],{},[{}]]`: `[[],{},[{}]]`,
		`{"1":"x","a":true}`: `{"1":"x","a":true}`, `"\ud834\udd1e"`: `"𝄞"`, `"\udcff\udce4x"`: `"\udcff\udce4x"`,
		`{"\udcff":1}`: `{"\udcff":1}`, `"\\udcff"`: `"\\udcff"`, `"\ufdd0\udc80"`: `"\ufdd0\udc80"`,
		"\ufeff[1,2.5,-3]": `[1,2.5,-3]`, `{"a":null,"b":1}`: `{"b":1}`, `null`: `null`, `"\ufffd"`: `"\ufffd"`,
	} {
		v, err := decodeData([]byte(in))
		if err == nil {
			v, err = toData(toLua(v))
		}
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got := strings.NewReplacer("\ufdd0", `\ufdd0`, "\ufffd", `\ufffd`).Replace(recorded(t, v))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func TestJSONIsRefused(t *testing.T) {
	for in, want := range map[string]string{
		`[null,1,null]`:  "an array holds null",
		`{"a":[[null]]}`: "an array holds null",
		"\"\xff\"":       "is not UTF-8",
		`"\ud834"`:       "a text holds half of a surrogate pair",
		`"\udc00"`:       "a text holds half of a surrogate pair",
		`{`:              "unexpected end of JSON input",
	} {
		if v, err := decodeData([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, %v; want %s", in, v, err, want)
		}
	}
}

// TestOutputOfRunFn checks which values a run-fn may return.
func TestOutputOfRunFn(t *testing.T) {
	for _, test := range []struct{ text, want, err string }{
		{text: `{1, 2, "x"}`, want: `[1,2,"x"]`},
		{text: `{[1] = "a", ["1"] = "b"}`, err: `has two keys that are "1" in JSON`},
		{text: `{x = {[true] = 1, ["true"] = 2}}`, err: `has two keys that are "true" in JSON at '.x'`},
		{text: `{[2.5] = 1, ["2.5"] = 2}`, err: `has two keys that are "2.5" in JSON`},
		{text: `{[1] = "a", [3] = "b"}`, want: `{"1":"a","3":"b"}`},
		{text: `{}`, want: `[]`},
		{text: `"a\255b"`, want: `"a\udcffb"`},
		{text: `{["\255"] = 1}`, want: `{"\udcff":1}`},
		{text: `{0/0}`, err: "holds a number that is not finite at '[1]'"},
	} {
		v := vm.New(vm.Limits{})
		fn, err := v.Load("return "+test.text, "t.lua")
		if err != nil {
			t.Fatal(err)
		}
		values, err := v.Call(context.Background(), fn)
		if err != nil {
			t.Fatal(err)
		}
		got, err := toData(values[0])
		switch {
		case test.err != "":
			if err == nil || err.Error() != test.err {
				t.Errorf("%s: got %v, %v; want %s", test.text, got, err, test.err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.text, err)
		default:
			if diff := cmp.Diff(test.want, recorded(t, got)); diff != "" {
				t.Errorf("%s: %s", test.text, diff)
			}
			if again, err := decodeData([]byte(test.want)); err != nil || recorded(t, again) != test.want {
				t.Errorf("%s does not come back: %v, %v", test.want, again, err)
			}
		}
		v.Close()
	}
	if v := toLua(object{}); v.(*lua.LTable).Metatable != emptyObject() {
		t.Error("an empty object is a list")
	}
}
