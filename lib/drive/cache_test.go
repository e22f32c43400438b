package drive

import (
	"strings"
	"testing"
)

func TestCacheKey(t *testing.T) {
	long := "refs/heads/" + strings.Repeat("é", 150)
	for _, test := range []struct{ setting, ref, want string }{
		{"repo", "refs/heads/main", "repo"},
		{"ref", "refs/heads/main", "refs+-heads+-main"},
		{"ref", "refs/heads/a+-b", "refs+-heads+-a+p-b"},
		{"ref", "refs/heads/a/b", "refs+-heads+-a+-b"},
	} {
		if got := cacheKey(test.setting, test.ref); got != test.want {
			t.Errorf("%s of %s: got %s, want %s", test.setting, test.ref, got, test.want)
		}
	}
	if got := cacheKey("ref", long); len(got) > maxKey || got == cacheKey("ref", long+"a") {
		t.Errorf("a long ref: %s", got)
	}
	for _, name := range []string{"foo.git", "work/foo.git", "a+b", "+-", "+p/+-", "a++/-p"} {
		if got := unflattenName.Replace(flattenName.Replace(name)); got != name {
			t.Errorf("%s becomes %s", name, got)
		}
	}
}
