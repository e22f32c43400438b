package text

import "testing"

func TestCutWidth(t *testing.T) {
	tests := map[string]struct {
		in      string
		columns int
		want    string
	}{
		"fits":      {"abc", 3, "abc"},
		"letters":   {"abcdef", 3, "abc"},
		"wide":      {"密码密码", 5, "密码"},
		"combining": {"e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301"},
		"emoji":     {"👩‍💻x", 2, "👩‍💻"},
		"nothing":   {"abc", 0, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := CutWidth(tt.in, tt.columns)
			if got != tt.want || Width(got) > tt.columns {
				t.Errorf("CutWidth(%q, %d) = %q of %d columns, want %q", tt.in, tt.columns, got, Width(got), tt.want)
			}
		})
	}
}
