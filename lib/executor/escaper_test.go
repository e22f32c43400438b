package executor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzEscaper checks that a text written in two pieces becomes the JSON of that text.
func FuzzEscaper(f *testing.F) {
	for _, text := range []string{"", "plain", "\"\\/\n\r\t\x00\x1f\x7f", "ä€𝄞\u2028", "\xff\xe2\x82", "\ufffd"} {
		f.Add(text, 3)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		cut = min(max(0, cut), len(text))
		var b bytes.Buffer
		w := bufio.NewWriter(&b)
		e := &escaper{w: w}
		w.WriteByte('"')
		e.Write([]byte(text[:cut]))
		e.Write([]byte(text[cut:]))
		e.flush()
		w.WriteByte('"')
		w.Flush()
		var got string
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatalf("%q: %v", b.Bytes(), err)
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("%q became %q", text, got)
		}
		if back, err := decodeData(b.Bytes()); err != nil || back != text {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	})
}
