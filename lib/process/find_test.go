package process

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestRunsIn(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	match := func(args []string) bool { return slices.Equal(args, []string{"sleep", "60.25"}) }
	if RunsIn(dir, match) {
		t.Error("it runs before it is started")
	}
	cmd := exec.Command("sleep", "60.25")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for !match(arguments(cmd.Process.Pid)) { // until the program has begun
		time.Sleep(time.Millisecond)
	}
	if !RunsIn(dir, match) || RunsIn(other, match) || RunsIn(dir+"/none", match) {
		t.Error("it is not found, or found elsewhere")
	}
	_ = cmd.Process.Kill()
	if RunsIn(dir, match) {
		_ = cmd.Wait()
		if RunsIn(dir, match) {
			t.Error("it runs after its end")
		}
		return
	}
	_ = cmd.Wait()
}

func TestAncestorStart(t *testing.T) {
	parent := arguments(os.Getppid())
	start, ok := AncestorStart(func(args []string) bool { return slices.Equal(args, parent) })
	if age := time.Since(start); !ok || age < 0 || age > 24*time.Hour {
		t.Errorf("the parent is %v old, %v", age, ok)
	}
	self, err := readProc(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := self.started(); !ok || at.Before(start.Add(-20*time.Millisecond)) || at.After(time.Now()) {
		t.Errorf("this process began at %v, its parent at %v", at, start)
	}
	if _, ok := AncestorStart(func([]string) bool { return false }); ok {
		t.Error("an ancestor that does not match is found")
	}
}
