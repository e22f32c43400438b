package runstore

import (
	"fmt"
	"path/filepath"
	"strings"

	"quire/lib/file"
	"quire/lib/push"
	"quire/lib/text"
)

// messageFile is the file of a run with the message of its commit.
const messageFile = "message"

// maxMessage is how much of a message is recorded, in bytes.
const maxMessage = 64 << 10

// RecordMessage records the message of the commit for people who read the run, unless its
// subject is all of it. Nothing is synced.
func (r *Run) RecordMessage(message string) error {
	if strings.TrimSpace(message) == push.Subject(message) {
		return nil
	}
	if err := file.Write(filepath.Join(r.Dir, messageFile), []byte(text.Cut(message, maxMessage)), 0o600); err != nil {
		return fmt.Errorf("cannot record message of run %s: %w", r.ID, text.Cause(err))
	}
	return nil
}

// Message returns the message of the commit as far as it is recorded: at least the subject,
// if that is known.
func (r *Run) Message() string {
	message, err := file.Read(filepath.Join(r.Dir, messageFile))
	if err != nil || len(message) == 0 { // most runs have none
		return r.Subject
	}
	return string(message)
}
