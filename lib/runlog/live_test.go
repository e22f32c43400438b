package runlog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A reader that keeps up gets everything. A reader that stops gets a line that says how much
// it missed, and writers do not wait for it for long.
func TestLive(t *testing.T) {
	line := strings.Repeat("x", 99) + "\n"
	t.Run("reader", func(t *testing.T) {
		r, w := io.Pipe()
		output, end := NewLive(w, nil)
		got := make(chan string)
		go func() { text, _ := io.ReadAll(r); got <- string(text) }()
		for range 200_000 { // several buffers
			io.WriteString(output, line)
		}
		end()
		w.Close()
		if text := <-got; text != strings.Repeat(line, 200_000) {
			t.Errorf("%d bytes came, want %d", len(text), 200_000*len(line))
		}
	})
	t.Run("stopped reader", func(t *testing.T) {
		r, w := io.Pipe()
		output, end := NewLive(w, nil)
		begin := time.Now()
		for range 200_000 {
			io.WriteString(output, line)
		}
		if took := time.Since(begin); took > 5*liveWait {
			t.Errorf("the writer took %v", took)
		}
		got := make(chan string)
		go func() { text, _ := io.ReadAll(r); got <- string(text) }()
		end()
		w.Close()
		text := <-got
		var lost int
		i := strings.Index(text, "quire: ")
		if i < 0 {
			t.Fatal("nothing says that output was lost")
		}
		fmt.Sscanf(text[i:], "quire: %d bytes", &lost)
		rest, _, _ := strings.Cut(text[i:], "\n")
		if kept := len(text) - len(rest) - 1; kept+lost != 200_000*len(line) {
			t.Errorf("%d bytes came and %d were lost, of %d", kept, lost, 200_000*len(line))
		}
	})
	t.Run("gone reader", func(t *testing.T) {
		r, w := io.Pipe()
		r.CloseWithError(io.ErrClosedPipe)
		broken := make(chan error, 1)
		output, end := NewLive(w, func(err error) { broken <- err })
		for range 200_000 {
			io.WriteString(output, line)
		}
		end()
		if err := <-broken; !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	})
	t.Run("no reader", func(t *testing.T) {
		for _, path := range []string{filepath.Join(t.TempDir(), "f"), os.DevNull} {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if output, _ := NewLive(f, nil); output != io.Writer(f) {
				t.Errorf("%s is not written to directly", path)
			}
		}
	})
}
