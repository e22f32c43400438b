package glob

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"main", "main", true},
		{"main", "mainly", false},
		{"main", "a/main", false},
		{"release/*", "release/1.0", true},
		{"release/*", "release/", true},
		{"release/*", "release/1/2", false},
		{"release/**", "release/1/2", true},
		{"*", "a/b", false},
		{"**", "a/b", true},
		{"v?", "v1", true},
		{"v?", "v", false},
		{"v?", "v/", false},
		{"v?", "vä", true},
		{"v?", "v\xff", true},
		{"\xff", "\xff", true},
		{"\xff", "\xfe", false},
		{"\ufffd", "\xff", false},
		{"src/**/*.go", "src/a.go", true},
		{"src/**/*.go", "src/a/b/c.go", true},
		{"src/**/*.go", "srca.go", false},
		{"**/x", "x", true},
		{"**/x", "a/x", true},
		{"**/x", "ax", false},
		{"[ab].{c}+$", "[ab].{c}+$", true},
		{"[ab]", "a", false},
		{"a\\*", "a\\b", true},
		{strings.Repeat("*a", 1000) + "b", strings.Repeat("a", 2000), false},
	} {
		if got := Match(test.pattern, test.name); got != test.want {
			t.Errorf("Match(%.40q, %.40q) = %v", test.pattern, test.name, got)
		}
	}
}

// FuzzMatch compares Match with an equivalent regular expression.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"main", "main"}, {"**/*.go", "a/b.go"}, {"a?b", "a/b"}, {"[x]", "x"}, {"\xff*", "\xfe"}, {"\xc2\xc2", "\xc2"}, {"***/", "a/b/"}, {"*?**", "ab"},
	} {
		f.Add(seed[0], seed[1])
	}
	translate := strings.NewReplacer(`\*\*/`, "(?:.*/)?", `\*\*`, ".*", `\*`, "[^/]*", `\?`, "[^/]")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(name) || strings.Contains(pattern, `\`) {
			return // regexp does not distinguish such bytes, and would match the other one as part of a star
		}
		quoted := regexp.QuoteMeta(pattern)
		want := regexp.MustCompile(`(?s)\A` + translate.Replace(quoted) + `\z`).MatchString(name)
		if got := Match(pattern, name); got != want {
			t.Errorf("Match(%q, %q) = %v", pattern, name, got)
		}
	})
}
