package executor

import "quire/lib/runlog"

// A sink takes what one output of a command prints.
type sink interface {
	write(p []byte)
	pause() // a line has begun some time ago, and nothing more has come
	end()   // nothing more comes
}

// A stream is the way of one output of a command to its log and to the console.
type stream struct {
	redact *runlog.RedactWriter // to both
	log    *runlog.Stream
	lines  *jobLines
}

// Failures of the log show when it is closed; the console has none.
func (s *stream) write(p []byte) { _, _ = s.redact.Write(p) }

// pause lets what there is of the line be seen, such as a question or how far
// something has got. What may be the beginning of a secret is kept back even so.
func (s *stream) pause() {
	s.log.Flush()
	s.lines.pause()
}

func (s *stream) end() {
	_ = s.redact.Flush()
	s.lines.flush()
}
