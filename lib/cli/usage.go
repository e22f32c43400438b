package cli

import (
	"flag"
	"fmt"
	"strings"
)

// textColumn is the column of the explanations in a usage.
const textColumn = 25

// helpUsage explains the options that all commands have.
const helpUsage = `  -h, --help             print this text
  --version              print the version
`

// checkUsage returns an error unless usage explains each option of fs, each with a
// value if it takes one, and no others. Completion relies on it. --help checks it, so
// that a test only has to ask each command for help.
//
// An option is explained by a line such as "  -n, --dry-run  print the plan".
func checkUsage(fs *flag.FlagSet, usage string) error {
	explained := map[string]bool{} // whether the option has a value, by its name
	for line := range strings.SplitSeq(usage, "\n") {
		line, ok := strings.CutPrefix(line, "  -")
		if !ok {
			continue
		}
		options, text, _ := strings.Cut("-"+line, "  ")
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("the usage does not explain '%s'", options)
		}
		for option := range strings.SplitSeq(options, ", ") {
			name, value, _ := strings.Cut(option, " ")
			explained[name] = value != ""
		}
	}
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		name := dashed(f.Name)
		hasValue, ok := explained[name]
		switch {
		case !ok:
			err = fmt.Errorf("the usage lacks option '%s'", name)
		case hasValue == isBool(f):
			err = fmt.Errorf("the usage is wrong about a value of option '%s'", name)
		}
		delete(explained, name)
	})
	for name := range explained {
		err = fmt.Errorf("the usage has an option '%s' that does not exist", name)
	}
	return err
}
