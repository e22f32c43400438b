package text

import "testing"

func TestOverwritten(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"plain":            {"a line\tof text ✓", "a line\tof text ✓"},
		"end":              {"a line\r", "a line"},
		"ends":             {"a line\r\r", "a line"},
		"progress":         {" 10%\r 50%\r100%", "100%"},
		"longer before":    {"Downloading 10%\rdone", "doneloading 10%"},
		"erased":           {"Downloading 10%\r\x1b[Kdone", "done"},
		"erased at once":   {"Downloading 10%\x1b[2K\rdone", "done"},
		"backspace":        {"working |\b/\b-", "working -"},
		"too many":         {"\b\b\bx", "x"},
		"colour":           {"\x1b[31mred\x1b[0m plain", "\x1b[31mred\x1b[0m plain\x1b[0m"},
		"colour left on":   {"\x1b[31mred", "\x1b[31mred\x1b[0m"},
		"colour and bar":   {"\x1b[31m10%\r\x1b[32m20%", "20%"},
		"cursor":           {"a\x1b[2Ab", "a?[2Ab"},
		"cursor and bar":   {"a\rb\x1b[2Ac", "bc"},
		"title":            {"\x1b]0;x\x07", "?]0;x?"},
		"separator":        {"a\u2028b", "a?b"},
		"reordered":        {"a\u202eb\u2066c", "a?b?c"},
		"C1":               {"a\u009b2Jb", "a?2Jb"},
		"no UTF-8":         {"a\xffb", "a?b"},
		"no UTF-8 and bar": {"x\ra\xffb", "a?b"},
		"cut sequence":     {"x\ry\x1b[3", "y"},
		"empty":            {"", ""},
		"only returns":     {"\r\r\r", ""},
		"vertical tab":     {"a\vb\fc", "a?b?c"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Overwritten(tt.in); got != tt.want {
				t.Errorf("Overwritten(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}
