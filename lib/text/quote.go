package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Quote returns words as a POSIX shell would read them. The words themselves stand in
// the result byte for byte, including line breaks, so that secrets in it can still be
// found and a script stays readable. For a place that has only one line use QuoteLine.
func Quote(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.ContainsFunc(w, isSpecial) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// isSpecial reports whether a word with the character r is quoted. Only characters that
// no shell and no locale treats specially are left alone.
func isSpecial(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_./:=@%+,", r)
}

// QuoteLine returns words as a POSIX shell would read them, on one line and without
// control characters, so that a person can paste it. A word that has some is written as
// a printf(1). The shell then drops line breaks at the end of this word.
func QuoteLine(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quoteLine(w)
	}
	return strings.Join(quoted, " ")
}

func quoteLine(word string) string {
	if utf8.ValidString(word) && !strings.ContainsFunc(word, isControl) {
		return Quote(word)
	}
	var b strings.Builder
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRuneInString(word[i:])
		char := word[i : i+size]
		if isUnsafe(r, size) || strings.ContainsRune(`\%'`, r) || i == 0 && r == '-' {
			for _, c := range []byte(char) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		} else {
			b.WriteString(char)
		}
		i += size
	}
	return `"$(printf '` + b.String() + `')"`
}
