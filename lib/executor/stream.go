package executor

import "quire/lib/runlog"

// A sink receives one output of a command.
type sink interface {
	write(p []byte) (waiting bool) // waiting: some bytes are held until more output comes
	pause()                        // bytes were held for some time, and no more output came
	end()                          // the output is complete
}

// A stream writes one output of a command to its log and to the console.
type stream struct {
	redact *runlog.RedactWriter // writes to log and lines
	log    *runlog.Stream
	lines  *jobLines
}

// write ignores errors: the log reports its own when it is closed, and the console has none.
func (s *stream) write(p []byte) (waiting bool) {
	_, _ = s.redact.Write(p)
	return p[len(p)-1] != '\n' || s.redact.Holding()
}

// pause writes the beginning of a line, such as a question or a progress bar, to the log and
// the console. It still holds back bytes that may begin a secret, except for a few.
func (s *stream) pause() {
	_ = s.redact.Release()
	s.log.Flush()
	s.lines.pause()
}

func (s *stream) end() {
	_ = s.redact.Flush()
	s.lines.flush()
}
