package runlog

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf16"
)

// A form is a text that a program may print for a secret. If it wraps, it may be broken into
// lines anywhere, as base64(1) and xxd(1) do.
type form struct {
	text  string
	wraps bool
}

// forms yields the usual forms of a secret: the value and each of its lines, unchanged and
// in the encodings below. Some forms are yielded twice.
//
// No form begins with a line break, because then every line of a job's output would be held
// back until the next one comes. The rest of such a value is a form.
func forms(value string) iter.Seq[form] {
	return func(yield func(form) bool) {
		for _, u := range units(value) {
			exact := slices.Concat([]string{u}, shellForms(u), urlForms(u), jsonForms(u))
			for _, text := range exact {
				if !yield(form{strings.TrimLeft(text, "\r\n"), false}) {
					return
				}
			}
			for _, text := range slices.Concat(base64Forms(u), hexForms(u)) {
				if !yield(form{text, true}) {
					return
				}
			}
		}
	}
}

// units returns a value, each of its lines, and the value on one line, as a shell expands an
// unquoted variable; each of them unchanged, without blanks around it, and without one pair
// of quotes around it. It omits those that are too short.
func units(value string) []string {
	texts := []string{value}
	if strings.Contains(strings.TrimSpace(value), "\n") {
		texts = append(texts, strings.Split(value, "\n")...)
	}
	texts = append(texts, strings.Join(strings.Fields(value), " "))
	var units []string
	for _, text := range texts {
		trimmed := strings.TrimSpace(text)
		for _, u := range []string{text, trimmed, unquoted(trimmed), strings.TrimSpace(unquoted(trimmed))} {
			if u = strings.Trim(u, "\r\n"); len(u) >= MinSecret && !slices.Contains(units, u) {
				units = append(units, u)
			}
		}
	}
	return units
}

// unquoted returns s without a pair of quotes around it.
func unquoted(s string) string {
	if n := len(s); n > 1 && s[0] == s[n-1] && strings.IndexByte("\"'`", s[0]) >= 0 {
		return s[1 : n-1]
	}
	return s
}

// base64Forms returns s as it appears in the base64 encoding of a longer text. base64
// encodes three bytes at a time, so the result depends on the offset of s modulo three. It
// omits the characters at both ends that depend on the neighbours of s; each reveals at most
// four bits of s.
func base64Forms(s string) []string {
	var out []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := enc.EncodeToString([]byte(s))
		out = append(out, whole, strings.TrimRight(whole, "="))
		for offset := range 3 {
			text := enc.EncodeToString(append(make([]byte, offset), s...))
			first := (offset*8 + 5) / 6
			out = append(out, text[first:(offset+len(s))*8/6])
		}
	}
	return out
}

func hexForms(s string) []string {
	lower := hex.EncodeToString([]byte(s))
	return []string{lower, strings.ToUpper(lower)}
}

// urlKept are the characters that percent encoders keep, besides letters and digits.
var urlKept = []string{
	"-_.~",                   // RFC 3986: Python's quote with safe='', jq's @uri, curl
	"-_.~/",                  // Python's quote
	"-_.",                    // PHP's urlencode, and Python's before 3.7
	"-_./",                   // Python's quote before 3.7
	"-_.*",                   // forms, by the URL standard, and Java
	"-_.~!'()*",              // JavaScript's encodeURIComponent, Perl's URI::Escape
	"-_.~!'()*;,/?:@&=+$#",   // JavaScript's encodeURI
	"-_.~!'()*;,/?:@&=+$#[]", // Perl's and Ruby's for whole URLs
	"-_.~$&+:=@",             // Go's PathEscape
	"-_.~$&+,/:;=@",          // Go's paths
}

// urlForms returns s percent-encoded, with a space as "%20" and as '+', and the
// hexadecimal digits in either case.
func urlForms(s string) []string {
	var out []string
	for _, kept := range urlKept {
		for _, space := range []string{"%20", "+"} {
			upper := percentEncoded(s, kept, space)
			out = append(out, upper, lowerEscapes(upper))
		}
	}
	return out
}

// percentEncoded returns s with all characters encoded except letters, digits and
// those in kept, and with space for a space.
func percentEncoded(s, kept, space string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(kept, c) >= 0:
			b.WriteByte(c)
		case c == ' ':
			b.WriteString(space)
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

// jsonForms returns s as the inside of a JSON string, for all kinds of writers. They differ
// in whether they escape '/', the special characters of HTML, and everything outside
// printable ASCII; in how they escape \b and \f; and in the case of hexadecimal digits.
func jsonForms(s string) []string {
	var out []string
	for choice := range 1 << 5 {
		bit := func(n int) bool { return choice>>n&1 == 1 }
		out = append(out, jsonString(s, bit(0), bit(1), bit(2), bit(3), bit(4)))
	}
	return out
}

func jsonString(s string, slash, html, ascii, short, upper bool) string {
	hex := `\u%04x`
	if upper {
		hex = `\u%04X`
	}
	var b strings.Builder
	for _, r := range s {
		switch i := strings.IndexRune("\"\\\n\r\t\b\f", r); {
		case i >= 0 && (short || i < 5) && !(html && r == '"'):
			b.WriteString(`\` + `"\nrtbf`[i:i+1])
		case r == '/' && slash:
			b.WriteString(`\/`)
		case r < ' ', html && strings.ContainsRune("<>&'\"\u2028\u2029", r), ascii && 0x7f <= r && r < 0x10000:
			fmt.Fprintf(&b, hex, r)
		case ascii && r >= 0x10000:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, hex+hex, high, low)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
