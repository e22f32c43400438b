package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Quote quotes words for a POSIX shell. The result contains the words byte for byte,
// including line breaks, so that secrets in it can still be found and a script stays
// readable. If the result must be one line, use QuoteLine.
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

// isSpecial reports whether a word with the character r must be quoted. It is false only for
// characters that are special in no shell and no locale.
func isSpecial(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_./:=@%+,", r)
}

// QuoteLine quotes words for a POSIX shell, on one line and without control characters, so
// that a person can paste it. A word with control characters becomes a call of printf(1);
// the shell then drops line breaks at the end of the word.
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
