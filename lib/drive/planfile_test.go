package drive

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"quire/lib/config"
	"quire/lib/push"
)

// The plan in its file equals the plan, even with texts that are not UTF-8.
func TestPlanFile(t *testing.T) {
	for _, text := range []string{"plain", "caf\xe9", "\xff\x00\n\"", `\udce9`} {
		want := &Plan{
			Run: "id", Secrets: map[string]string{"s": text, "empty": ""}, Withheld: map[string]string{"w": "is not for this ref"},
			Settings: config.Settings{
				Executor: "quire-ci", Launcher: []string{text, "x"}, Shell: []string{text}, PassEnv: []string{text},
				Env: map[string]string{"A": text}, Jobs: 3,
			},
			Facts: push.Facts{Ref: text, FilesChanged: []string{text}}, Earlier: "/runs/" + text,
			Done: map[string]json.RawMessage{"a": json.RawMessage(`{"x":"\\udce9"}`)},
		}
		f, err := want.file()
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Dup(int(f.Fd())) // readPlan closes it
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		got, err := readPlan(fmt.Sprint("/dev/fd/", fd))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(config.Settings{})); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
