package executor

import "quire/lib/runlog"

// A sink gets one output of a command.
type sink interface {
	write(p []byte) (waiting bool) // whether bytes wait for what comes next
	pause()                        // bytes have waited for some time, and nothing more has come
	end()                          // nothing more comes
}

// A stream is the way of one output of a command to its log and to the console.
type stream struct {
	redact *runlog.RedactWriter // to both
	log    *runlog.Stream
	lines  *jobLines
}

// Failures of the log show when it is closed; the console has none.
func (s *stream) write(p []byte) (waiting bool) {
	_, _ = s.redact.Write(p)
	return p[len(p)-1] != '\n' || s.redact.Holding()
}

// pause shows the beginning of a line, such as a question or a progress bar. Bytes
// that may be the beginning of a secret are held back even then, except for a few.
func (s *stream) pause() {
	_ = s.redact.Release()
	s.log.Flush()
	s.lines.pause()
}

func (s *stream) end() {
	_ = s.redact.Flush()
	s.lines.flush()
}
