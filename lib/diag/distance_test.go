package diag

import "testing"

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"build", "build", 0}, {"", "abc", 3}, {"abc", "", 3},
		{"build", "biuld", 1}, {"test", "tests", 1}, {"tests", "test", 1}, {"lint", "line", 1}, {"ab", "cd", 2},
		{"é", "e", 2}, {"kitten", "sitting", 3},
	} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
