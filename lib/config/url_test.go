package config

import "testing"

func TestRunURL(t *testing.T) {
	for name, test := range map[string]struct {
		set  Settings
		repo string
		want string
	}{
		"shown":      {Settings{Web: true, URL: "https://ci.example.org/x"}, "work/a.git", "https://ci.example.org/x/work/a.git/ID"},
		"escaped":    {Settings{Web: true, URL: "https://ci.example.org"}, "a b/ü%<\xff?#", "https://ci.example.org/a%20b/%C3%BC%25%3C%FF%3F%23/ID"},
		"hidden":     {Settings{URL: "https://ci.example.org"}, "a", ""},
		"no address": {Settings{Web: true}, "a", ""},
	} {
		if got := test.set.RunURL(test.repo, "ID"); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
