package push

import (
	"fmt"
	"regexp"
	"strings"
)

// What Facts.Trigger may be besides a word that CheckTrigger accepts.
const (
	ByPush = "push" // a push, also one that was noticed later
	ByHand = "hand" // a person or a script asked for the run, and gave no word
)

var (
	triggerForm  = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// CheckTrigger returns an error for a word that nobody may call the trigger of a run by
// hand: one of another form, "push", and "gate".
func CheckTrigger(word string) error {
	switch {
	case !triggerForm.MatchString(word):
		return fmt.Errorf("'%s' is not a word of a-z, 0-9 and '-' that begins with a letter", word)
	case word == ByPush, word == "gate":
		return fmt.Errorf("'%s' stands for what Git did", word)
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
	case !variableForm.MatchString(name):
		return "", "", fmt.Errorf("'%s' is not a name of A-Z, a-z, 0-9 and '_'", name)
	case name == "PATH", name == "HOME", name == "CI",
		strings.HasPrefix(name, "QUIRE_"), strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "LD_"):
		return "", "", fmt.Errorf("'%s' cannot be a variable of a run", name)
	}
	return name, value, nil
}
