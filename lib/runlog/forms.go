package runlog

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"unicode/utf16"
)

// forms yields the ways in which a secret is usually printed: the value and each
// of its lines, as they are and in the encodings below. Some forms come twice.
//
// No form begins with a line break, which alone would keep back every line of a
// job's output until the next one comes. The rest of the value is a form.
func forms(value string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, u := range units(value) {
			for _, list := range [][]string{{u}, shellForms(u), base64Forms(u), hexForms(u), urlForms(u), jsonForms(u)} {
				for _, form := range list {
					if !yield(strings.TrimLeft(form, "\r\n")) {
						return
					}
				}
			}
		}
	}
}

// units returns a value and, of one with several lines, each that is long enough.
func units(value string) []string {
	units := []string{value}
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			if line = strings.Trim(line, " \t\r\n"); len(line) >= MinSecret {
				units = append(units, line)
			}
		}
	}
	return units
}

// shellForms returns s as the inside of a word that a shell has quoted, as it does
// under set -x: dash and bash do it in two ways where s has a quote itself, and
// bash's printf %q with a backslash before each character that needs one.
func shellForms(s string) []string {
	var escaped strings.Builder
	for _, r := range []byte(s) {
		if strings.IndexByte(" \"'`$&|;<>()*?[]{}#~!\\", r) >= 0 {
			escaped.WriteByte('\\')
		}
		escaped.WriteByte(r)
	}
	return []string{strings.ReplaceAll(s, "'", `'\''`), strings.ReplaceAll(s, "'", `'"'"'`), escaped.String()}
}

// wrapWidths are the lengths of a line of base64 as base64(1) and openssl(1)
// print it.
var wrapWidths = []int{76, 64}

// base64Forms returns s as it appears in base64 text, where s begins at any
// place of what was encoded: base64 takes three bytes at a time, so there are
// three ways. The characters at both ends that depend on the neighbours of s are
// left off; each tells at most four bits of it.
func base64Forms(s string) []string {
	var out []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := enc.EncodeToString([]byte(s))
		out = append(out, whole, strings.TrimRight(whole, "="))
		for _, width := range wrapWidths {
			out = append(out, wrap(whole, width), wrap(whole[:len(s)*8/6], width))
		}
		for offset := range 3 {
			text := enc.EncodeToString(append(make([]byte, offset), s...))
			first := (offset*8 + 5) / 6
			out = append(out, text[first:(offset+len(s))*8/6])
		}
	}
	return out
}

// wrap returns s in lines of width characters, the last without a newline.
func wrap(s string, width int) string {
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + "\n")
		s = s[width:]
	}
	return b.String() + s
}

func hexForms(s string) []string {
	lower := hex.EncodeToString([]byte(s))
	return []string{lower, strings.ToUpper(lower)}
}

// urlForms returns s percent-encoded: with all but the unreserved characters of RFC
// 3986 encoded, as a query (space as '+'), as a segment of a path, and as JavaScript's
// encodeURIComponent does it; each with the hexadecimal digits in lower case too.
func urlForms(s string) []string {
	strict := percentEncoded(s, "")
	out := []string{strict, strings.ReplaceAll(strict, "%20", "+"), percentEncoded(s, "$&+:=@"), percentEncoded(s, "!'()*")}
	for _, form := range out {
		out = append(out, lowerEscapes(form))
	}
	return out
}

// percentEncoded returns s with all characters encoded but the unreserved ones and
// those in keep.
func percentEncoded(s, keep string) string {
	keep += "-_.~"
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// lowerEscapes returns s with the digits of its percent escapes in lower case.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i:], bytes.ToLower(b[i:i+3]))
			i += 2
		}
	}
	return string(b)
}

// jsonForms returns s as the inside of a JSON string: with as few escapes as
// there can be, with those of '/' and of HTML's characters that some writers
// add, and with everything outside ASCII escaped.
func jsonForms(s string) []string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return nil
	}
	plain := strings.TrimSuffix(buf.String(), "\n")
	plain = plain[1 : len(plain)-1]
	html := strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(plain)
	return []string{plain, html, strings.ReplaceAll(plain, "/", `\/`), asciiEscapes(plain)}
}

// asciiEscapes returns the inside of a JSON string with each character outside
// ASCII as the escapes of its UTF-16 units.
func asciiEscapes(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
