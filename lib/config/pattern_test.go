package config

import (
	"os/exec"
	"strings"
	"testing"
)

func TestSpecificity(t *testing.T) {
	order := []string{"**", "*", "a/**", "a/*", "a/?*.git", "a", "a/b.git"}
	for i := range order[1:] {
		if a, b := specificity(order[i]), specificity(order[i+1]); a > b || a == b && strings.Contains(order[i], "*") {
			t.Errorf("%s (%d) is not before %s (%d)", order[i], a, order[i+1], b)
		}
	}
}

// TestIsRef compares isRef with git itself.
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
