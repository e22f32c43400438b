package notify

import (
	"fmt"
	"os"

	"quire/lib/runlog"
)

// The files of a run's directory with the output of the programs.
const (
	LogFile      = "on-end.log"   // of those in on-end.d
	startLogFile = "on-start.log" // of those in on-start.d
)

// maxOutput is how many bytes of the output of one program for one run are kept.
const maxOutput = 64 << 10

// A programLog is the log of the programs for one run. Errors of writing are ignored: a full
// disk may be what the programs have to report.
type programLog struct {
	f *os.File // nil if it cannot be opened; then each write fails

	// About the last program in the log:
	left    int  // how many more bytes of its output are kept
	open    bool // the last line kept has no newline yet
	dropped bool // some of its output was not kept
}

func openLog(path string) *programLog {
	f, _ := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return &programLog{f: f}
}

// note writes a line of quire's own after the output of the last program.
func (l *programLog) note(format string, args ...any) {
	head := ""
	if l.open {
		head = "\n"
	}
	if l.dropped {
		head += fmt.Sprintf("quire: its output after %d bytes is omitted\n", maxOutput)
	}
	l.left, l.open, l.dropped = maxOutput, false, false
	fmt.Fprintf(l.f, "%squire: %s %s\n", head, runlog.Now(), fmt.Sprintf(format, args...))
}

// Write writes output of the last program in the log, up to maxOutput bytes. It never fails,
// so that a program that prints too much is neither blocked nor killed.
func (l *programLog) Write(p []byte) (int, error) {
	keep := p[:min(len(p), l.left)]
	l.dropped = l.dropped || len(keep) < len(p)
	if len(keep) > 0 {
		_, _ = l.f.Write(keep)
		l.left -= len(keep)
		l.open = keep[len(keep)-1] != '\n'
	}
	return len(p), nil
}
