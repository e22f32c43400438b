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

// maxMessage is how much of a message is saved, in bytes.
const maxMessage = 64 << 10

// SaveMessage saves the commit message for people who read about the run, unless it is only a
// subject. Nothing is synced.
func (r *Run) SaveMessage(message string) error {
	if strings.TrimSpace(message) == push.Subject(message) {
		return nil
	}
	if err := file.Write(filepath.Join(r.Dir, messageFile), []byte(text.Cut(message, maxMessage)), 0o600); err != nil {
		return fmt.Errorf("cannot save message of run %s: %w", r.ID, text.Cause(err))
	}
	return nil
}

// Message returns the saved part of the commit message: at least the subject, if that is
// known.
func (r *Run) Message() string {
	message, err := file.Read(filepath.Join(r.Dir, messageFile))
	if err != nil || len(message) == 0 { // most runs have none
		return r.Subject
	}
	return string(message)
}
