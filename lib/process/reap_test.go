package process

import (
	"os/exec"
	"testing"
)

// A program can see a process end that it detached, while the program itself continues.
func TestReapWhileRunning(t *testing.T) {
	if err := Subreaper(); err != nil {
		t.Fatal(err)
	}
	g, err := Start(exec.Command("timeout", "120", "sh", "-c",
		`pid=$(setsid sh -c 'sleep 0.2 >/dev/null & echo $!'); while kill -0 "$pid" 2>/dev/null; do :; done`))
	if err != nil {
		t.Fatal(err)
	}
	if status, err := g.Wait(); err != nil || status != (Status{}) {
		t.Errorf("the program ended with %s, %v; want exit 0: a zombie was left to it", status, err)
	}
}
