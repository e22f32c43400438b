package runlog

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const token = "s3cr3t/töken+<&>=="

func TestRedactorString(t *testing.T) {
	r := NewRedactor(map[string]string{
		"token": token,
		"key":   "-----BEGIN KEY-----\nabcdefghijkl\nshort\nmnopqrstuvwx\n-----END KEY-----",
		"long":  "overlapping-one",
		"over":  "one-and-another",
		"pre":   "overlapp",
		"same":  token,
		"tiny":  "1234567",
	})
	b64 := base64.StdEncoding.EncodeToString
	jsonText, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ in, want string }{
		"nothing":          {"nothing here", "nothing here"},
		"empty":            {"", ""},
		"value":            {"a " + token + " b", "a {{ same }} b"},
		"beside itself":    {token + token, "{{ same }}{{ same }}"},
		"longest":          {"overlapping-one", "{{ long }}"},
		"shorter":          {"overlapping-two", "{{ pre }}ing-two"},
		"overlap":          {"overlapping-one-and-another", "{{ long }}"},
		"too short":        {"1234567", "1234567"},
		"line of many":     {"x abcdefghijkl y", "x {{ key }} y"},
		"many lines":       {"-----BEGIN KEY-----\nabcdefghijkl\nshort\nmnopqrstuvwx\n-----END KEY-----\n", "{{ key }}\n"},
		"short line stays": {"short", "short"},
		"base64":           {b64([]byte(token)), "{{ same }}"},
		"hex":              {hex.EncodeToString([]byte(token)), "{{ same }}"},
		"HEX":              {strings.ToUpper(hex.EncodeToString([]byte(token))), "{{ same }}"},
		"query":            {"?q=" + url.QueryEscape(token) + "&", "?q={{ same }}&"},
		"path":             {"/" + url.PathEscape(token) + "/", "/{{ same }}/"},
		"query, lower":     {strings.ToLower(url.QueryEscape(token)), "{{ same }}"},
		"json":             {string(jsonText), `"{{ same }}"`},
		"json, ascii":      {`"s3cr3t/t\u00f6ken+<&>=="`, `"{{ same }}"`},
		"json, slash":      {`"s3cr3t\/töken+<&>=="`, `"{{ same }}"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := r.String(tt.in); got != tt.want {
				t.Errorf("String(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// Base64 of a text that contains the secret shows only the characters at both ends that the
// secret shares with its neighbours.
func TestRedactorBase64Alignments(t *testing.T) {
	r := NewRedactor(map[string]string{"token": token})
	for before := range 4 {
		for after := range 4 {
			plain := strings.Repeat("x", before) + token + strings.Repeat("y", after)
			for _, enc := range []*base64.Encoding{
				base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
			} {
				got := r.String(enc.EncodeToString([]byte(plain)))
				left := strings.Replace(got, "{{ token }}", "", 1)
				if left == got || len(left) > 12 {
					t.Errorf("%d bytes before and %d after: %q", before, after, got)
				}
			}
		}
	}
}

// Base64 and hexadecimal digits are found whatever the length of the lines.
func TestRedactorWrapped(t *testing.T) {
	value := strings.Repeat("0123456789abcdefghijklm", 9)
	r := NewRedactor(map[string]string{"blob": value})
	for _, end := range []string{"\n", "\r\n", "\r\r\n", "\n\n"} {
		for width := 1; width < 100; width++ {
			for before := range 3 {
				plain := []byte("xyz"[:before] + value + "\n")
				for _, text := range []string{base64.StdEncoding.EncodeToString(plain), hex.EncodeToString(plain)} {
					var wrapped strings.Builder
					for ; len(text) > width; text = text[width:] {
						wrapped.WriteString(text[:width] + end)
					}
					wrapped.WriteString(text)
					got := r.String(wrapped.String())
					if left := strings.NewReplacer("{{ blob }}", "", "\r", "", "\n", "").Replace(got); len(left) > 6 {
						t.Errorf("width %d: %q", width, got)
					}
				}
			}
		}
	}
}

// In the value itself, which is not an encoding, line ends count.
func TestRedactorLineEndsInText(t *testing.T) {
	r := NewRedactor(map[string]string{"digits": "12345678"})
	for _, text := range []string{"1\n2\n3\n4\n5\n6\n7\n8\n", "1234\n5678\n"} {
		if got := r.String(text); got != text {
			t.Errorf("String(%q) = %q", text, got)
		}
	}
}

// A line whose end may begin a secret is shown if nothing more comes. If the rest of the
// secret comes later, it is still replaced.
func TestRedactWriterRelease(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(token))
	type step struct{ in, want string } // written, and passed on after a pause
	tests := map[string][]step{
		"a line":     {{"on " + encoded[:1] + "\n", "on " + encoded[:1] + "\n"}, {"ok\n", "ok\n"}},
		"a prompt":   {{"on " + encoded[:3], "on "}, {"\n", encoded[:3] + "\n"}, {"!", "!"}},
		"a secret":   {{encoded[:3] + "\n", encoded[:3] + "\n"}, {encoded[3:] + "\n", "{{ token }}\n"}},
		"more of it": {{"x " + encoded[:8] + "\n", "x "}, {encoded[8:] + "\n", "{{ token }}\n"}},
		"twice":      {{encoded[:2] + "\n", encoded[:2] + "\n"}, {encoded[2:4] + "\n", encoded[2:4] + "\n"}, {encoded[4:], "{{ token }}"}},
		"no secret":  {{encoded[:2] + "\n", encoded[:2] + "\n"}, {encoded[2:4] + "\n", encoded[2:4] + "\n"}, {"!\n", "!\n"}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := NewRedactor(map[string]string{"token": token}).Writer(&out)
			for _, s := range steps {
				w.Write([]byte(s.in))
				w.Release()
				if out.String() != s.want {
					t.Errorf("after %q and a pause: %q, want %q", s.in, out.String(), s.want)
				}
				out.Reset()
			}
		})
	}
}

// Only the beginning of a secret is held back.
func TestRedactWriterKeepsBack(t *testing.T) {
	r := NewRedactor(map[string]string{"token": "abcdefgh12345678"})
	var out bytes.Buffer
	w := r.Writer(&out)
	for _, step := range []struct{ in, want string }{
		{"plain\n", "plain\n"},
		{"xyz abcdefgh", "plain\nxyz "},
		{"1234", "plain\nxyz "},
		{"!", "plain\nxyz abcdefgh1234!"},
		{"abcdefgh12345678", "plain\nxyz abcdefgh1234!{{ token }}"},
		{"abc", "plain\nxyz abcdefgh1234!{{ token }}"},
	} {
		if _, err := w.Write([]byte(step.in)); err != nil {
			t.Fatal(err)
		}
		if out.String() != step.want {
			t.Fatalf("after %q: %q, want %q", step.in, out.String(), step.want)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "plain\nxyz abcdefgh1234!{{ token }}abc"; out.String() != want {
		t.Errorf("after Flush: %q, want %q", out.String(), want)
	}
}

func TestRedactorShellQuoting(t *testing.T) {
	r := NewRedactor(map[string]string{"token": "it's 1 secret"})
	for in, want := range map[string]string{
		`+ echo 'it'\''s 1 secret'`:  `+ echo '{{ token }}'`,
		`+ echo 'it'"'"'s 1 secret'`: `+ echo '{{ token }}'`,
		`it\'s\ 1\ secret`:           `{{ token }}`,
	} {
		if got := r.String(in); got != want {
			t.Errorf("String(%q) = %q, want %q", in, got, want)
		}
	}
}

// A line is not kept back for a secret that begins with a line break.
func TestRedactWriterPassesLines(t *testing.T) {
	var out bytes.Buffer
	w := NewRedactor(map[string]string{"key": "\n\nabcdefgh\nijklmnop\n"}).Writer(&out)
	w.Write([]byte("line\n"))
	if out.String() != "line\n" {
		t.Errorf("%q came through, want the line", out.String())
	}
	w.Write([]byte("\n\nabcdefgh\nijklmnop\nend\n"))
	if want := "line\n\n\n{{ key }}\nend\n"; out.String() != want {
		t.Errorf("%q came through, want %q", out.String(), want)
	}
}

// FuzzRedact checks that splitting a text does not change the result, that no form of a
// secret is left, and that fewer bytes are held back than the longest needle has.
func FuzzRedact(f *testing.F) {
	f.Add("abcdefgh", "abcdefghij\nefghabcd", "xx abcdefghabcdefghij\nefghabcd", uint8(3))
	f.Add("aaaaaaaa", "aaaaaaaaab", "aaaaaaaaaaaaaaaaaab", uint8(1))
	f.Add(token, "0123456789", base64.StdEncoding.EncodeToString([]byte("x"+token)), uint8(2))
	f.Fuzz(func(t *testing.T, one, two, text string, cut uint8) {
		r := NewRedactor(map[string]string{"": one, "\x00": two})
		want := r.String(text)
		if strings.Contains(one+two+text, "{") {
			return // the marks themselves could be taken for a secret
		}
		needles := slices.Concat(r.exact.needles, r.joined.needles)
		longest := 0
		for _, n := range needles {
			if strings.Contains(want, n.text) && !strings.ContainsAny(n.text, " }\x00") {
				t.Errorf("%q is left in %q", n.text, want)
			}
			longest = max(longest, len(n.text)+strings.Count(text, "\n")+strings.Count(text, "\r"))
		}
		var out bytes.Buffer
		w := r.Writer(&out)
		for rest := text; rest != ""; {
			n := min(int(cut)%7+1, len(rest))
			w.Write([]byte(rest[:n]))
			rest = rest[n:]
			if kept := len(w.scan.rest); kept >= max(longest, 1) {
				t.Errorf("%d bytes are kept back with secrets of %d", kept, longest)
			}
			cut = cut*31 + 7
		}
		w.Flush()
		if out.String() != want {
			t.Errorf("in pieces %q, whole %q", out.String(), want)
		}
	})
}
