package main

import (
	"fmt"

	"quire/lib/runstore"
)

// describe returns a state and why, in a few words.
func describe(s runstore.Status) string {
	text := string(s.State)
	if s.Reason != "" {
		text += " reason=" + s.Reason
	}
	if s.Code != 0 {
		text += fmt.Sprintf(" code=%d", s.Code)
	}
	if s.By != "" {
		text += " by=" + s.By
	}
	return text
}
