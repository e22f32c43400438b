package runstore

import "testing"

func TestMessage(t *testing.T) {
	s := open(t)
	for name, test := range map[string]struct{ message, want string }{
		"subject alone": {"Subject\n", "Known"},
		"none":          {"", "Known"},
		"two lines":     {"Sub\nject\n\nBody\xff\n", "Sub\nject\n\nBody\xff\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := create(t, s, facts("a.git", "refs/heads/main"))[0]
			r.Subject = "Known"
			if err := r.SaveMessage(test.message); err != nil {
				t.Fatal(err)
			}
			if got := r.Message(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
