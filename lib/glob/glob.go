// Package glob matches names with slashes against patterns: those of branches,
// tags, files and repositories.
package glob

import "strings"

// Match says whether pattern matches the whole of name. '?' is one character and
// '*' any number of them, but for '/'; "**" is any number of any, and a slash behind
// it may be missing with it, so that "src/**/*.go" matches "src/a.go". All else
// stands for itself; a byte that is not UTF-8 is one character, like any other such
// byte.
//
// The time is bounded by the product of the lengths: both may come from whoever
// pushed.
func Match(pattern, name string) bool {
	runes := []rune(name)
	at := make([]bool, len(runes)+1) // at[i]: the pattern so far matches runes[:i]
	at[0] = true
	pattern = string([]rune(pattern))
	for pattern != "" {
		if rest, ok := strings.CutPrefix(pattern, "**/"); ok {
			pattern = rest
			spread(at, func(i int) bool { return runes[i] == '/' })
			continue
		}
		if rest, ok := strings.CutPrefix(pattern, "**"); ok {
			pattern = rest
			spread(at, func(int) bool { return true })
			continue
		}
		if rest, ok := strings.CutPrefix(pattern, "*"); ok {
			pattern = rest
			for i, r := range runes {
				at[i+1] = at[i+1] || at[i] && r != '/'
			}
			continue
		}
		for _, c := range pattern {
			for i := len(runes); i > 0; i-- {
				at[i] = at[i-1] && (runes[i-1] == c || c == '?' && runes[i-1] != '/')
			}
			at[0] = false
			pattern = pattern[len(string(c)):]
			break
		}
	}
	return at[len(runes)]
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
