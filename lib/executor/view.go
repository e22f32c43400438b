package executor

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/runlog"
	"quire/lib/text"
)

// clearLine moves to the beginning of a terminal's line and erases it (ECMA-48).
const clearLine = "\r\x1b[K"

// viewEvery is how often the view is updated.
const viewEvery = 500 * time.Millisecond

// Columns returns a function that returns the current width of the terminal w in columns. It
// returns nil if w is not a terminal.
func Columns(w io.Writer) func() int {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	size := func() (*unix.Winsize, error) { return unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ) }
	if _, err := size(); err != nil {
		return nil
	}
	return func() int {
		if s, err := size(); err == nil && s.Col > 0 {
			return int(s.Col)
		}
		return 80
	}
}

// A view is the last line on a terminal: the number of jobs that have ended, and the running
// jobs with their times. The console's lock guards it.
type view struct {
	columns      func() int
	total        int
	done, failed int
	running      []string // in the order of their starts
	since        map[string]time.Time
	begun        map[string]string // by job: the beginning of an incomplete line
	stop         chan struct{}
}

func newView(columns func() int, total int) *view {
	return &view{
		columns: columns, total: total, stop: make(chan struct{}),
		since: map[string]time.Time{}, begun: map[string]string{},
	}
}

func (v *view) started(job string) {
	v.running = append(v.running, job)
	v.since[job] = time.Now()
}

func (v *view) ended(o JobOutcome) {
	delete(v.begun, o.ID)
	v.running = slices.DeleteFunc(v.running, func(job string) bool { return job == o.ID })
	v.done++
	if o.State == runlog.Failed && !o.Allowed {
		v.failed++
	}
}

// line returns the view without a newline, cut to the width of the terminal: a wrapped line
// could not be erased.
func (v *view) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d/%d jobs", v.done, v.total)
	if v.failed > 0 {
		fmt.Fprintf(&b, ", %d failed", v.failed)
	}
	for i, job := range v.running {
		sep := ", "
		if i == 0 {
			sep = " | "
		}
		fmt.Fprintf(&b, "%s%s %s", sep, job, time.Since(v.since[job]).Truncate(time.Second))
		if v.begun[job] != "" {
			fmt.Fprintf(&b, ": %s", v.begun[job])
		}
	}
	return text.CutWidth(text.Line(b.String()), max(0, v.columns()-1))
}

// begunMax is how many characters of an incomplete line are shown.
const begunMax = 40

// begin sets the incomplete line of a job, such as a question or the last state of a
// progress bar. The view shows its end. An empty line removes it.
func (v *view) begin(job string, line []byte) {
	shown := []rune(text.Line(text.Plain(text.Overwritten(string(line)))))
	v.begun[job] = string(shown[max(0, len(shown)-begunMax):])
}

// tick calls redraw every viewEvery until the view is stopped.
func (v *view) tick(redraw func()) {
	t := time.NewTicker(viewEvery)
	defer t.Stop()
	for {
		select {
		case <-v.stop:
			return
		case <-t.C:
			redraw()
		}
	}
}
