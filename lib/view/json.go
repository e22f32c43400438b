package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// encode returns v as JSON on one line that is safe to show on a terminal: encoding/json
// does not escape control characters beyond ASCII, nor invalid UTF-8 in a json.RawMessage.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if isASCII(text) {
		return text, nil
	}
	var out bytes.Buffer
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r >= 0x7f && r < 0xa0 {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r) // U+FFFD for an invalid byte
		}
		text = text[n:]
	}
	return out.Bytes(), nil
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= 0x7f {
			return false
		}
	}
	return true
}
