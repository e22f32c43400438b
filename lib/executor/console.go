package executor

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"sync"
	"time"

	"quire/lib/runlog"
	"quire/lib/text"
)

// maxMark bounds how wide the column with the names of jobs gets.
const maxMark = 20

// The escape sequences of colours, by ECMA-48.
const (
	red   = "31"
	green = "32"
	dim   = "2"
)

// A console writes the progress for people: lines, each marked with its job, and
// on a terminal a last line that shows the running jobs.
type console struct {
	mu    sync.Mutex
	w     io.Writer // nil: no output
	width int       // of the column with the names of jobs
	color bool
	view  *view // nil unless w is a terminal
}

func newConsole(o Options, jobs []*job) *console {
	c := &console{w: o.Output, color: o.Color}
	for _, j := range jobs {
		c.width = max(c.width, min(maxMark, text.Width(text.Line(j.spec.ID))))
	}
	if o.Output != nil && o.Columns != nil {
		c.view = newView(o.Columns, len(jobs))
	}
	return c
}

// mark returns what a line of the job begins with.
func (c *console) mark(job string) string {
	name := text.PadWidth(text.Line(job), c.width) + " | "
	if c.color && job != "" {
		h := fnv.New32a()
		io.WriteString(h, job)
		// ECMA-48 has six colours besides black and white. Red is for failures.
		return paint(fmt.Sprint(32+h.Sum32()%5), name)
	}
	return name
}

func paint(color, words string) string { return "\x1b[" + color + "m" + words + "\x1b[0m" }

// paint colours words if colours are wanted.
func (c *console) paint(color, words string) string {
	if !c.color {
		return words
	}
	return paint(color, words)
}

// print writes whole lines, above the line that shows the running jobs. A failure is not
// reported: the logs have all output.
func (c *console) print(lines []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view == nil {
		c.w.Write(lines)
		return
	}
	var b bytes.Buffer
	b.WriteString(clearLine)
	b.Write(lines)
	b.WriteString(c.view.line())
	c.w.Write(b.Bytes())
}

// say writes words, which are redacted, as lines of the job.
func (c *console) say(job, words string) { c.sayIn("", job, words) }

// sayIn is say in a color.
func (c *console) sayIn(color, job, words string) {
	if c.w == nil {
		return
	}
	var b bytes.Buffer
	for line := range strings.SplitSeq(words, "\n") {
		line = text.Overwritten(line)
		if color != "" {
			line = c.paint(color, line)
		}
		b.WriteString(c.mark(job) + line + "\n")
	}
	c.print(b.Bytes())
}

// command writes the command that the job runs.
func (c *console) command(job, words string) { c.sayIn(dim, job, "$ "+firstLine(words)) }

// update changes the view, if the console has one.
func (c *console) update(change func(v *view)) {
	if c.view != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		change(c.view)
	}
}

// started adds a job to the running jobs on the terminal.
func (c *console) started(job string) { c.update(func(v *view) { v.started(job) }) }

// ended writes how a job ended, and removes it from the running jobs on the terminal.
func (c *console) ended(o JobOutcome) {
	c.update(func(v *view) { v.ended(o) })
	words, color := o.State, green
	switch o.State {
	case runlog.Failed:
		color = red
	case runlog.Skipped:
		color = dim
	}
	if o.Error != "" {
		words += ": " + o.Error
	}
	if o.Allowed {
		words += " (allowed)"
	}
	if !o.Started.IsZero() {
		words += " (" + seconds(o.Finished.Sub(o.Started)) + ")"
	}
	c.sayIn(color, o.ID, words)
}

// seconds formats d: 1.5s, or whole seconds from a minute on.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// watch updates the last line until close.
func (c *console) watch() {
	if c.view != nil {
		go c.view.tick(func() { c.print(nil) })
	}
}

func (c *console) close() {
	if c.view == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.view.stop)
	io.WriteString(c.w, clearLine)
	c.view = nil
}

// begun shows the beginning of a line that the job has printed. An empty line removes it.
func (c *console) begun(job string, line []byte) { c.update(func(v *view) { v.begin(job, line) }) }

// A jobLines writes one stream of a job's output to the console, in whole lines.
type jobLines struct {
	c      *console
	job    string
	mark   string
	lines  runlog.Lines
	buf    bytes.Buffer
	paused bool // the terminal shows the beginning of a line
}

// lines returns a writer for the output of a job.
func (c *console) lines(job string) *jobLines {
	l := &jobLines{c: c, job: job, mark: c.mark(job)}
	l.lines.Emit = func(line []byte, _ bool) {
		l.buf.WriteString(l.mark)
		if !text.IsPlain(line) {
			line = []byte(text.Overwritten(string(line)))
		}
		l.buf.Write(line)
		l.buf.WriteByte('\n')
	}
	return l
}

func (l *jobLines) Write(p []byte) (int, error) {
	if l.c.w != nil {
		l.lines.Write(p)
		l.pass()
	}
	return len(p), nil
}

// pause shows the beginning of a line on a terminal.
func (l *jobLines) pause() {
	if l.c.view != nil {
		l.paused = true
		l.c.begun(l.job, l.lines.Rest())
		l.c.print(nil)
	}
}

// flush writes the last line if no newline ended it.
func (l *jobLines) flush() {
	l.lines.Flush()
	l.pass()
}

func (l *jobLines) pass() {
	if l.buf.Len() > 0 {
		if l.paused {
			l.paused = false
			l.c.begun(l.job, nil)
		}
		l.c.print(l.buf.Bytes())
		l.buf.Reset()
	}
}
