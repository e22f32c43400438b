// Package glob matches names with slashes, of branches, tags, files and repositories,
// against patterns.
package glob

import (
	"slices"
	"unicode/utf8"
)

// Match reports whether pattern matches the whole name. '?' matches one character and '*'
// any number of characters, except '/'. "**" matches any characters; "**/" also matches
// nothing, so that "src/**/*.go" matches "src/a.go". Other characters, and bytes that are
// not UTF-8, match themselves.
//
// The time is at most proportional to the product of the lengths, because the pusher may
// choose both.
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

// characters returns the characters of s. A byte that is not UTF-8 is a negative character.
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

// spread sets at[i+1] if an element before it is true and a "**" may end with character i.
func spread(at []bool, ends func(i int) bool) {
	reached := false
	for i := range len(at) - 1 {
		reached = reached || at[i]
		at[i+1] = at[i+1] || reached && ends(i)
	}
}
