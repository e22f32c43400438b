package runstore

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAwaitEndUnwatched waits for an end when the kernel has no inotify instance left.
func TestAwaitEndUnwatched(t *testing.T) {
	w, err := newWatcher(func(int) (int, error) { return -1, unix.EMFILE })
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := open(t)
	runs := create(t, s, facts("a", "r"), facts("a", "r"))
	ended := make(chan Status)
	go func() {
		status, err := runs[0].awaitEnd(context.Background(), w, func() {})
		if err != nil {
			t.Error(err)
		}
		ended <- status
	}()
	change(t, runs[0], changes[Failed])
	if status := <-ended; status.State != Failed {
		t.Errorf("the run is %s", status.State)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := runs[1].awaitEnd(ctx, w, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("waited to %v", err)
	}
	if err := w.Add(t.TempDir() + "/missing"); err == nil {
		t.Error("what is not there can be watched")
	}
}
