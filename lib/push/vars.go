package push

import (
	"fmt"
	"strings"
)

// Values of Facts.Trigger besides the words that CheckTrigger accepts.
const (
	ByPush = "push" // a push, also one that was noticed later
	ByGate = "gate" // a push that Git accepts only if the run is complete
	ByHand = "hand" // a person or a script asked for the run, and gave no word
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// consists reports whether s begins with one of the characters of first, and has only
// characters of first and more.
func consists(s, first, more string) bool {
	return s != "" && strings.Contains(first, s[:1]) && strings.Trim(s, first+more) == ""
}

// CheckTrigger returns an error for a word that --trigger refuses: one of another form,
// "push", and "gate".
func CheckTrigger(word string) error {
	switch {
	case !consists(word, lower, digits+"-"):
		return fmt.Errorf("'%s' is not a word of a-z, 0-9 and '-' that begins with a letter", word)
	case word == ByPush, word == ByGate:
		return fmt.Errorf("'%s' is a trigger that only Git causes", word)
	}
	return nil
}

// ParseVar returns the name and the value of a variable of a run, which is written as
// NAME=VALUE. It refuses the variables that quire and the configuration set.
func ParseVar(assignment string) (name, value string, err error) {
	name, value, ok := strings.Cut(assignment, "=")
	switch {
	case !ok:
		return "", "", fmt.Errorf("'%s' is not of the form NAME=VALUE", assignment)
	case !consists(name, lower+upper+"_", digits):
		return "", "", fmt.Errorf("'%s' is not a name of A-Z, a-z, 0-9 and '_'", name)
	case name == "PATH", name == "HOME", name == "CI",
		strings.HasPrefix(name, "QUIRE_"), strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "LD_"):
		return "", "", fmt.Errorf("'%s' cannot be a variable of a run", name)
	}
	return name, value, nil
}
