package notify

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// LogFile is the file of a run's directory with what the programs printed.
const LogFile = "on-end.log"

// maxOutput is how much of what one program prints for one run is kept.
const maxOutput = 64 << 10

// An endLog is written to as far as can be: a full disk is no reason to tell nobody
// that a run failed of it.
type endLog struct {
	f   io.WriteCloser // nil where it cannot be written
	out *output        // of the last program
}

func openLog(dir string) *endLog {
	f, err := os.OpenFile(filepath.Join(dir, LogFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return &endLog{}
	}
	return &endLog{f: f}
}

func (l *endLog) close() {
	if l.f != nil {
		l.f.Close()
	}
}

// note writes a line of quire's own, behind what the last program printed.
func (l *endLog) note(format string, args ...any) {
	if l.f == nil {
		return
	}
	head := ""
	if l.out != nil && l.out.open {
		head = "\n"
	}
	if l.out != nil && l.out.dropped {
		head += fmt.Sprintf("quire: what it printed beyond %d bytes is left out\n", maxOutput)
	}
	l.out = nil
	stamp := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	fmt.Fprintf(l.f, "%squire: %s %s\n", head, stamp, fmt.Sprintf(format, args...))
}

// output returns a writer for what a program prints. It takes whatever is written:
// who prints too much is not to be held up or killed for it.
func (l *endLog) output() io.Writer {
	l.out = &output{w: l.f, left: maxOutput}
	return l.out
}

type output struct {
	w       io.Writer
	left    int
	open    bool // the last line kept has no newline yet
	dropped bool
}

func (o *output) Write(p []byte) (int, error) {
	keep := p[:min(len(p), o.left)]
	o.dropped = o.dropped || len(keep) < len(p)
	if len(keep) > 0 && o.w != nil {
		_, _ = o.w.Write(keep)
		o.left -= len(keep)
		o.open = keep[len(keep)-1] != '\n'
	}
	return len(p), nil
}
