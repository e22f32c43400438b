package web

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/view"
)

const (
	pageLines = 1000 // on a page of a log
	maxLine   = 4 << 10
	maxRead   = 1 << 30 // bytes of a combined log to read; a job could make its file larger
)

// A rawLine is a line of a log. Its text is valid until the function that gets it returns.
type rawLine struct {
	time  string // "" if it is unknown
	class string // "cmd" for the command itself, "err" for standard error
	sh    int    // the number of the command if the line is the command itself
	text  []byte
}

// combined calls add for each line of the combined log f of a run: the whole lines, or the
// whole file if the run has ended. It stops after most lines, and returns the number of
// bytes read. The log is longer than maxRead bytes if that is the reason for the error.
func combined(f *os.File, final bool, most int, add func(l rawLine)) (end int64, err error) {
	times, err := runlog.OpenTimes(f.Name())
	if err == nil {
		defer times.Close()
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	in := bufio.NewReaderSize(io.LimitReader(f, min(info.Size(), maxRead)), 64<<10)
	var at int64
	var text []byte // the beginning of a line that is longer than the buffer of in
	for {
		piece, err := in.ReadSlice('\n')
		if len(text) < maxLine+1 {
			text = append(text, piece[:min(len(piece), maxLine+1)]...)
		}
		whole := bytes.HasSuffix(piece, []byte("\n"))
		if whole || final && errors.Is(err, io.EOF) && len(text) > 0 {
			stamp := ""
			if times != nil {
				stamp = times.At(end)
			}
			add(rawLine{time: stamp, text: bytes.TrimSuffix(text, []byte("\n"))})
			text = text[:0]
			most--
		}
		at += int64(len(piece))
		if whole || final {
			end = at
		}
		switch {
		case at == maxRead && most > 0:
			return end, errors.New("pages show the first 1 GiB of a log only")
		case errors.Is(err, io.EOF), most == 0:
			return end, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return end, err
		}
	}
}

// jobLog calls add for each line of the log of a job: each command, followed by its output.
// over says that the run and its driver have ended.
func jobLog(run *runstore.Run, j runlog.JobRecord, over bool, add func(l rawLine)) error {
	for _, c := range j.Commands {
		stamp := ""
		if c.Started != nil {
			stamp = c.Started.UTC().Format(runlog.LineTime)
		}
		prompt := "$ "
		for l := range strings.SplitSeq(textLines(c.Cmd), "\n") {
			add(rawLine{stamp, "cmd", c.N, []byte(prompt + l)})
			prompt = "> "
		}
		if err := commandLog(run.Dir, c.Log, over, add); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// commandLog reads the log of a command, see quire-events(5), and joins the entries of a
// line. If over is true, it adds a line if the end of the log is missing.
func commandLog(dir, name string, over bool, add func(l rawLine)) error {
	f, err := runlog.Open(dir, name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 2*runlog.MaxEntry)
	parts := map[string][]byte{} // the beginnings of lines, by stream
	emit := func(stamp, stream string, text []byte) {
		class := ""
		if stream == "stderr" {
			class = "err"
		}
		add(rawLine{time: stamp, class: class, text: text})
	}
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
			break // the entry is incomplete, or the file is not a log
		}
		if err != nil {
			return err
		}
		e, ok := runlog.ParseEntry(line)
		if !ok || e.Stream != "stdout" && e.Stream != "stderr" {
			continue
		}
		part := parts[e.Stream]
		if !e.Full || len(part) > 0 {
			part = append(part, e.Text[:min(len(e.Text), max(0, maxLine+1-len(part)))]...)
			e.Text = part
			parts[e.Stream] = part
		}
		if e.Full {
			emit(e.Time, e.Stream, e.Text)
			parts[e.Stream] = part[:0]
		}
	}
	for _, stream := range []string{"stdout", "stderr"} {
		if len(parts[stream]) > 0 {
			emit("", stream, parts[stream])
		}
	}
	if over && runlog.LacksEnd(f) {
		emit("", "stderr", []byte(runlog.EndMissing))
	}
	return nil
}

// A pager collects the lines of one page of a log. If no line is wanted, that is the last
// page.
type pager struct {
	wanted func(n int, l rawLine) bool // whether to show the page with this line
	found  bool                        // the collected page has a wanted line
	done   bool                        // the wanted page is full
	n      int                         // lines so far
	first  int                         // the number of the first of lines
	lines  []rawLine
}

func (p *pager) add(l rawLine) {
	p.n++
	if (p.n-1)%pageLines == 0 && !p.done {
		p.done = p.found
		if !p.done {
			p.first, p.lines = p.n, p.lines[:0]
		}
	}
	if p.done {
		return
	}
	p.found = p.found || p.wanted(p.n, l)
	l.text = slices.Clone(l.text[:min(len(l.text), maxLine+1)])
	p.lines = append(p.lines, l)
}

// A logData is a page of a log.
type logData struct {
	Run            *runstore.Run
	Record         runstore.Record
	Job            string
	State, Why     string
	Lines          []numbered
	Total          int
	Previous, Next string // addresses; "" if there is no such page
	First, End     string
	Plain          string
	HasTimes       bool
	Live           *liveData // nil unless the run is active and this is the last page
	Unread         string
}

// A numbered is a line on a page of a log.
type numbered struct {
	N    int
	Sh   int // the number of the command for its first line on the page, else 0
	Time moment
	line
}

// log writes a page of the log of a job, or of the whole run if segment is "". segment is the
// job in the address, see jobSegment.
func (v *visit) log(run *runstore.Run, segment string) error {
	seen, err := view.Read(run)
	if err != nil {
		return err
	}
	d := logData{Run: run, Record: seen.Record, State: string(seen.Record.Shown()), Why: reasonText(seen.Record)}
	var job *runlog.JobRecord // nil for the whole run
	id := ""
	if segment != "" {
		i := slices.IndexFunc(seen.Jobs, func(j runlog.JobRecord) bool { return jobSegment(j.ID) == segment })
		if i < 0 {
			return errNotFound
		}
		job = &seen.Jobs[i]
		id = job.ID
		d.Job, d.State, d.Why = text.Line(id), knownState(job.State), jobReason(*job, v.hider(run))
	}
	query := v.r.URL.Query()
	if query.Has("plain") && !v.static {
		return v.plain(run, id)
	}
	if query.Has("live") && job == nil && !v.static {
		return v.follow(run, query.Get("live"))
	}
	first, sh := max(1, v.number("from")), v.number("sh")
	p := pager{first: 1, wanted: func(n int, _ rawLine) bool { return n == first }}
	switch {
	case query.Get("from") == "end":
		p.wanted = func(int, rawLine) bool { return false }
	case sh > 0:
		p.wanted = func(_ int, l rawLine) bool { return l.sh == sh }
	}
	end := int64(0)
	if job != nil {
		err = jobLog(run, *job, seen.Over, p.add)
	} else {
		end, err = runLog(run, seen, p.add)
	}
	if err != nil {
		d.Unread = hidePaths(v.hider(run)(err.Error()))
	}
	v.fill(&d, &p, id)
	if job == nil && !seen.Status.State.Final() && !v.static && d.Next == "" {
		d.Live = &liveData{fmt.Sprintf("log?live=%d", end), p.n}
	}
	title := "log"
	if d.Job != "" {
		title = d.Job
	}
	return v.page("log", symbol(d.State)+" "+title+" · "+v.ShortID(run.ID), &d)
}

// runLog calls add for each line of the combined log of a run, and returns the number of
// bytes read. A run of quire 0.1 may have no combined log; then it reads the logs of all jobs.
func runLog(run *runstore.Run, seen view.Run, add func(l rawLine)) (end int64, err error) {
	f, err := os.Open(filepath.Join(run.Dir, runstore.LogFile))
	if err == nil {
		defer f.Close()
		return combined(f, seen.Status.State.Final(), math.MaxInt, add)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	for _, j := range seen.Jobs {
		if err := jobLog(run, j, seen.Over, add); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// fill fills the page with the lines of the pager.
func (v *visit) fill(d *logData, p *pager, job string) {
	d.Total = p.n
	var style style
	commands := map[int]bool{}
	for i, l := range p.lines {
		n := numbered{N: p.first + i, Time: lineTime(l.time), line: style.line(shownLine(string(l.text)))}
		n.Class = l.class
		if l.sh > 0 && !commands[l.sh] {
			n.Sh = l.sh
			commands[l.sh] = true
		}
		d.HasTimes = d.HasTimes || l.time != ""
		d.Lines = append(d.Lines, n)
	}
	if p.first > 1 {
		d.Previous = v.LogURL(d.Run, job, p.first-pageLines)
		d.First = v.LogURL(d.Run, job, 1)
	}
	if v.static && p.done && p.first+pageLines > exportLines {
		p.done = false
		d.Unread = fmt.Sprintf("These files have the first %d lines of the log only. The whole log is on the server.", exportLines)
	}
	if v.more = p.done; p.done {
		d.Next = v.LogURL(d.Run, job, p.first+pageLines)
		last := d.Total - 1
		if v.static {
			last = min(last, exportLines-1)
		}
		d.End = v.LogURL(d.Run, job, last/pageLines*pageLines+1)
	}
	if !v.static {
		d.Plain = "?plain=1"
	}
}

// lineTime returns the time of a line, with the time of day for people. If stamp is no time,
// it returns the zero moment.
func lineTime(stamp string) moment {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return moment{}
	}
	return moment{t.UTC().Format(runlog.LineTime), t.UTC().Format("15:04:05.000 ")}
}

// plain writes a log as text without control sequences.
func (v *visit) plain(run *runstore.Run, job string) error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if v.r.Method == http.MethodHead {
		return nil
	}
	out := bufio.NewWriter(v.w)
	lines := runlog.Lines{Emit: func(line []byte, full bool) {
		out.WriteString(text.Plain(text.Overwritten(string(line))))
		if full {
			out.WriteByte('\n')
		}
	}}
	l := view.NewLog(run, job, &lines)
	defer l.Close()
	err := l.Print()
	lines.Flush()
	if errors.As(err, new(*view.UnreadError)) {
		out.WriteString("\nquire: part of the log cannot be read\n")
		err = nil
	}
	return errors.Join(err, out.Flush())
}
