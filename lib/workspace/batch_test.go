package workspace

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Git works as batch work, and so do its filters; who asked for the workspace does not, before
// and after.
func TestBatchPolicy(t *testing.T) {
	f := newFixture(t)
	f.git("", "config", "filter.policy.smudge", "cut -d' ' -f41 /proc/self/stat") // see proc_pid_stat(5)
	commit := f.commitOf(map[string]string{"100644 .gitattributes": "a filter=policy\n", "100644 a": ""})
	dir := filepath.Join(t.TempDir(), "ws")
	if err := Materialize(context.Background(), f.open(), commit, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "a"))
	if want := strconv.Itoa(batchPolicy) + "\n"; err != nil || string(got) != want {
		t.Errorf("git's policy: %q, %v, want %q", got, err, want)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		if now, err := unix.SchedGetAttr(id, 0); err == nil && now.Policy == batchPolicy {
			t.Errorf("thread %d is batch work afterwards", id)
		}
	}
}

// Who is batch work already, or idle, stays so.
func TestOtherPolicyStays(t *testing.T) {
	const idle = 5
	done := make(chan uint32)
	go func() {
		// The thread is of this goroutine alone, and of nothing after it.
		runtime.LockOSThread()
		defer close(done)
		if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: idle}, 0); err != nil {
			t.Error(err)
			return
		}
		asBatch()()
		now, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Error(err)
			return
		}
		done <- now.Policy
	}()
	if got := <-done; got != idle {
		t.Errorf("policy %d, want %d", got, idle)
	}
}
