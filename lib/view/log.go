package view

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"quire/lib/runlog"
	"quire/lib/runstore"
)

// A source is a file that is part of a log.
type source struct {
	path  string // below the directory of the run, with slashes
	lines bool   // a command's log, which jobs may have changed; printed without time and stream
	mark  string // before each line
}

// open opens the source in the directory of its run.
func (s source) open(dir string) (*os.File, error) {
	if s.lines {
		return runlog.Open(dir, s.path)
	}
	return os.Open(filepath.Join(dir, s.path))
}

// A Log writes the log of a run, or of one of its jobs. Each call continues each file at
// the end of the last call.
type Log struct {
	run  *runstore.Run
	job  string // "" for all
	out  *bufio.Writer
	seen map[string]int64 // by path, how much has been printed
	open string           // the stream that has printed the beginning of a line and not its end; "" for none
	cut  map[string]bool  // by path, whether its end is missing and that was printed

	// Times puts the time of each line before it, "-" if it is not known.
	Times bool
	times *runlog.LineTimes // of the combined log; nil if it has none yet
}

// NewLog returns the log of run, or of one job if job is not "".
func NewLog(run *runstore.Run, job string, w io.Writer) *Log {
	return &Log{run: run, job: job, out: bufio.NewWriter(w), seen: map[string]int64{}, cut: map[string]bool{}}
}

// Close closes the files of the log.
func (l *Log) Close() error {
	if l.times == nil {
		return nil
	}
	return l.times.Close()
}

// Print writes the part of the log that it has not written yet. The error is an
// *UnreadError if a part cannot be read.
func (l *Log) Print() error {
	sources, err := l.sources()
	over, unknown := l.over()
	unread := []error{err, unknown}
	for _, s := range sources {
		if err := l.copy(s, over); err != nil && !errors.Is(err, fs.ErrNotExist) {
			unread = append(unread, err)
		}
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	if err := errors.Join(unread...); err != nil {
		return &UnreadError{err}
	}
	return nil
}

// over reports whether the run has ended and no driver writes to its logs any more.
func (l *Log) over() (bool, error) {
	status, err := l.run.Status()
	if err != nil || !status.State.Final() {
		return false, err
	}
	driven, err := l.run.Driven()
	return !driven, err
}

// An UnreadError says what of a log cannot be read.
type UnreadError struct{ Err error }

func (e *UnreadError) Error() string { return "cannot read all of the log: " + e.Err.Error() }

func (e *UnreadError) Unwrap() error { return e.Err }

// Follow writes the log until the run has ended and its driver with it, or returns the
// error of ctx. The driver may record an end before the last lines of the jobs: it records
// a timeout at once, and a command below it may decide the end.
func (l *Log) Follow(ctx context.Context) error {
	w, err := runstore.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var undriven chan error // gets a value when the ended run has no driver
	for {
		if err := l.watch(w); err != nil {
			return err
		}
		status, err := l.run.Status()
		if err != nil {
			return err
		}
		if err := l.Print(); err != nil && (status.State.Final() || !errors.As(err, new(*UnreadError))) {
			return err
		}
		if status.State.Final() && undriven == nil {
			undriven = make(chan error, 1)
			go func() {
				undriven <- l.run.AwaitDriver()
				cancel()
			}()
		}
		if err := w.Wait(ctx); err != nil {
			select {
			case err := <-undriven:
				return errors.Join(err, l.Print())
			default:
				return err
			}
		}
	}
}

// watch adds to w all files that can change the log or end it. A file that does not exist
// yet will change its directory, or be named by an event.
func (l *Log) watch(w *runstore.Watcher) error {
	sources, _ := l.sources() // a file that cannot be read cannot be watched
	ours := []source{{path: "."}, {path: "history"}, {path: runlog.OutDir}}
	for _, s := range slices.Concat(ours, []source{{path: runlog.EventsFile, lines: true}}, sources) {
		f, err := s.open(l.run.Dir)
		if err != nil {
			continue // it does not exist yet, or is not a regular file
		}
		err = w.AddFile(f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// copy prints the new part of a source. If the run is over, it also says if the end of the
// output is missing.
func (l *Log) copy(s source, over bool) error {
	f, err := s.open(l.run.Dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(l.seen[s.path], io.SeekStart); err != nil {
		return err
	}
	if s.lines {
		err = l.copyEntries(s, f)
	} else {
		err = l.copyCombined(s, f)
	}
	if err == nil && over && !l.cut[s.path] && runlog.LacksEnd(f) {
		l.cut[s.path] = true
		_, err = l.out.WriteString(s.mark + runlog.EndMissing + "\n")
	}
	return err
}

// copyEntries prints the new part of a command's log.
func (l *Log) copyEntries(s source, f *os.File) error {
	in := bufio.NewReaderSize(f, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
			return nil // the line is not complete yet, or this is not a log
		}
		if err != nil {
			return err
		}
		l.seen[s.path] += int64(len(line))
		if err := l.printEntry(s, line); err != nil {
			return err
		}
	}
}

// copyCombined prints the new part of the combined log, as far as it was written before the
// call: a job could append without end to a log that an older quire wrote.
func (l *Log) copyCombined(s source, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	in := io.LimitReader(f, info.Size()-l.seen[s.path])
	if !l.Times {
		n, err := io.Copy(l.out, in)
		l.seen[s.path] += n
		return err
	}
	if l.times == nil {
		l.times, _ = runlog.OpenTimes(f.Name()) // an older quire wrote none
	}
	lines := bufio.NewReaderSize(in, maxLine)
	for {
		piece, err := lines.ReadSlice('\n')
		if len(piece) > 0 && l.open == "" {
			stamp := ""
			if l.times != nil {
				stamp = l.times.At(l.seen[s.path])
			}
			l.out.WriteString(cmp.Or(stamp, "-") + " ")
		}
		l.out.Write(piece)
		l.seen[s.path] += int64(len(piece))
		if bytes.HasSuffix(piece, []byte("\n")) {
			l.open = ""
		} else if len(piece) > 0 {
			l.open = s.path
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// maxLine is larger than the longest line of a command's log, in bytes.
const maxLine = 2 * runlog.MaxEntry

// printEntry prints an entry of a command's log. It ignores a line that is not an entry.
func (l *Log) printEntry(s source, line []byte) error {
	e, ok := runlog.ParseEntry(line)
	if !ok {
		return nil
	}
	stream := s.path + " " + e.Stream
	if l.open != stream {
		if l.open != "" { // the line of another stream is not complete
			l.out.WriteByte('\n')
		}
		if l.Times {
			l.out.WriteString(lineTime(e.Time) + " ")
		}
		l.out.WriteString(s.mark)
	}
	l.open = stream
	_, err := l.out.Write(e.Text)
	if e.Full {
		l.open = ""
		err = l.out.WriteByte('\n')
	}
	return err
}

// lineTime returns the time of an entry in the format runlog.LineTime; "-" if it is none.
func lineTime(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return "-"
	}
	return t.UTC().Format(runlog.LineTime)
}
