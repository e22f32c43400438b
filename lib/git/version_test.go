package git

import "testing"

func TestOlder(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"2.39.5", "2.34", false},
		{"2.34", "2.34", false},
		{"2.34.0.rc1", "2.34", false},
		{"2.9.1", "2.34", true},
		{"1.99", "2.34", true},
		{"3.0.0", "2.34", false},
		{"2.47.1.windows.1 (Vendor)", "2.34", false},
		{"", "2.34", true},
	} {
		if got := Older(test.a, test.b); got != test.want {
			t.Errorf("Older(%q, %q) is %v", test.a, test.b, got)
		}
	}
	if version, err := Version(t.Context()); err != nil || Older(version, OldestVersion) {
		t.Errorf("git is %q, %v", version, err)
	}
}
