package config

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a", "", false}, {"*", "", true}, {"*", "a", true}, {"*", "a/b", false},
		{"a*", "ab", true}, {"a*", "ba", false}, {"*a", "ba", true}, {"*a", "ab", false},
		{"a*c*e", "abcde", true}, {"a*c*e", "ace", true}, {"a*c*e", "aec", false},
		{"ab*ba", "aba", false}, {"*a*", "b", false}, {"*ab", "aab", true}, {"*a*b", "aabab", true},
		{"work/*", "work/foo.git", true}, {"work/*", "work/", true}, {"work/*", "work", false}, {"work/*", "work/a/b", false},
		{"work/**", "work/a/b", true}, {"work/**", "work", false}, {"**", "a/b", true}, {"**", "", true},
		{"**.git", "a/b.git", true}, {"a/**/c", "a/b/b/c", true}, {"a/**/c", "a/c", false}, {"***", "a/b", true},
		{"*/b", "a/b", true}, {"*/b", "a/a/b", false}, {"é*", "éa", true}, {"*", "\xff\xc3", true}, {"a?c", "abc", false}, {"[a]", "a", false},
		{"refs/heads/main", "refs/tags/main", false}, {"refs/heads/main", "refs/heads/main-x", false},
		{"refs/heads/main", "refs/heads/Main", false}, {"refs/heads/main", "refs/heads/main\n", false},
		{"refs/tags/v*", "refs/tags/v1.0", true}, {"refs/tags/v*", "refs/tags/v1/x", false}, {"refs/tags/v*", "refs/heads/v1", false},
	} {
		if got := match(test.pattern, test.name); got != test.want {
			t.Errorf("match(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}

// TestMatchIsBounded wants no pattern and no name to take long: whoever pushes
// chooses the name.
func TestMatchIsBounded(t *testing.T) {
	began := time.Now()
	if match(strings.Repeat("a*", 200)+"b", strings.Repeat("a", 4000)) {
		t.Error("matches")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestSpecificity(t *testing.T) {
	order := []string{"**", "*", "a/**", "a/*", "a/*.git", "a", "a/b.git"}
	for i := range order[1:] {
		if a, b := specificity(order[i]), specificity(order[i+1]); a > b || a == b && strings.Contains(order[i], "*") {
			t.Errorf("%s (%d) is not before %s (%d)", order[i], a, order[i+1], b)
		}
	}
}

// TestIsRef wants the judgement of git itself.
func TestIsRef(t *testing.T) {
	names := []string{
		"refs/heads/main", "refs/heads/a/b", "refs/tags/v1.0", "refs/heads/é", "refs/heads/@", "refs/heads/-x", "refs/heads/a@b", "refs/x",
		"refs/heads/../main", "refs/heads/a..b", "refs/heads/./main", "refs/heads//main", "refs/heads/main/", "refs/heads/main.",
		"refs/heads/main.lock", "refs/heads/a.lock/b", "refs/heads/.a", "refs/heads/a b", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b",
		"refs/heads/a?", "refs/heads/a*", "refs/heads/[a]", "refs/heads/a\\b", "refs/heads/a@{1}", "refs/heads/a\n", "refs/heads/a\x7f", "refs/heads/\t", "refs/",
	}
	for _, name := range names {
		want := exec.Command("git", "check-ref-format", name).Run() == nil
		if got := isRef(name); got != want {
			t.Errorf("isRef(%q) = %v, git says %v", name, got, want)
		}
	}
	for _, name := range []string{"", "main", "HEAD", "heads/main", "/refs/heads/main"} {
		if isRef(name) {
			t.Errorf("isRef(%q)", name)
		}
	}
}
