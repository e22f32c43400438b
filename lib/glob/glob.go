// Package glob matches names with slashes against patterns: those of branches,
// tags, files and repositories.
package glob

import (
	"slices"
	"unicode/utf8"
)

// Match says whether pattern matches the whole of name. '?' is one character and
// '*' any number of them, but for '/'; "**" is any number of any, and a slash behind
// it may be missing with it, so that "src/**/*.go" matches "src/a.go". All else
// stands for itself, also a byte that is not UTF-8.
//
// The time is bounded by the product of the lengths: both may come from whoever
// pushed.
func Match(pattern, name string) bool {
	p, n := characters(pattern), characters(name)
	at := make([]bool, len(n)+1) // at[i]: the pattern so far matches n[:i]
	at[0] = true
	for len(p) > 0 {
		switch {
		case begins(p, '*', '*', '/'):
			p = p[3:]
			spread(at, func(i int) bool { return n[i] == '/' })
		case begins(p, '*', '*'):
			p = p[2:]
			spread(at, func(int) bool { return true })
		case p[0] == '*':
			p = p[1:]
			for i, c := range n {
				at[i+1] = at[i+1] || at[i] && c != '/'
			}
		default:
			for i := len(n); i > 0; i-- {
				at[i] = at[i-1] && (n[i-1] == p[0] || p[0] == '?' && n[i-1] != '/')
			}
			at[0] = false
			p = p[1:]
		}
	}
	return at[len(n)]
}

// characters returns the characters of s, with a negative one for each byte that is
// not UTF-8.
func characters(s string) []rune {
	all := make([]rune, 0, len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = -rune(s[0])
		}
		all, s = append(all, r), s[n:]
	}
	return all
}

func begins(p []rune, with ...rune) bool {
	return len(p) >= len(with) && slices.Equal(p[:len(with)], with)
}

// spread makes true what comes anywhere behind a place that is, where the last
// character on the way is one that may end it.
func spread(at []bool, ends func(int) bool) {
	behind := false
	for i := range len(at) - 1 {
		behind = behind || at[i]
		at[i+1] = at[i+1] || behind && ends(i)
	}
}
