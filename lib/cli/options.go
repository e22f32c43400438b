package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// errVersion is the answer to --version.
var errVersion = errors.New("version requested")

// Parse removes the options of fs from e.Args and leaves the operands there. Options come
// before operands, and "--" ends them. A short option and its value may be one word, such
// as -j4, and short options without a value may be one word, such as -fn.
//
// usage is the constant that --help prints on stdout and a misuse on stderr. It begins
// "usage: ", ends with a newline, and explains each option in a line. The command must
// return the error: --help and --version then exit with OK and a misuse with Misuse.
func (e *Env) Parse(fs *flag.FlagSet, usage string) error {
	e.usage = usage
	rest, ended, err := setOptions(fs, e.Args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		if err := checkUsage(fs, usage); err != nil {
			return err
		}
		io.WriteString(e.Stdout, usage+helpUsage)
		return err
	case errors.Is(err, errVersion):
		fmt.Fprintf(e.Stdout, "%s %s\n", e.Name, Version)
		return flag.ErrHelp
	case err != nil:
		return err
	}
	e.Args, e.literal = rest, ended
	return nil
}

// setOptions sets the options of fs at the beginning of args and returns the operands.
// ended reports whether "--" came before them.
func setOptions(fs *flag.FlagSet, args []string) (operands []string, ended bool, err error) {
	for len(args) > 0 && isOption(args[0]) {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			return args, true, nil
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		f := fs.Lookup(name)
		if f == nil && arg[1] != '-' { // -j4 or -fn
			if f = fs.Lookup(arg[1:2]); f != nil && isBool(f) {
				args = append([]string{"-" + arg[2:]}, args...)
				hasValue = false
			} else if f != nil {
				value, hasValue = arg[2:], true
			}
		}
		switch {
		case f == nil && hasValue && (name == "help" || name == "version"):
			return nil, false, Usagef("option '--%s' takes no value", name)
		case f == nil && (name == "h" || name == "help"):
			return nil, false, flag.ErrHelp
		case f == nil && name == "version":
			return nil, false, errVersion
		case f == nil:
			option, _, _ := strings.Cut(arg, "=")
			return nil, false, Usagef("unknown option '%s'", option)
		case !hasValue && isBool(f):
			value = "true"
		case !hasValue && len(args) == 0:
			return nil, false, Usagef("option '%s' needs a value", dashed(f.Name))
		case !hasValue:
			value, args = args[0], args[1:]
		}
		if err := fs.Set(f.Name, value); err != nil {
			return nil, false, Usagef("bad value '%s' of option '%s': %s", value, dashed(f.Name), err)
		}
	}
	return args, false, nil
}

func isOption(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// isBool reports whether an option has no value.
func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func dashed(option string) string {
	if len(option) == 1 {
		return "-" + option
	}
	return "--" + option
}

// Operands returns an error unless there are between least and most operands; a negative
// most means any number. An option among them is an error, too. names is the operands'
// text in usage.
func (e *Env) Operands(least, most int, names string) error {
	for i, arg := range e.Args {
		if isOption(arg) && !e.literal {
			return Usagef("option '%s' after operand '%s': put options first, or -- before all operands", arg, e.Args[max(i-1, 0)])
		}
	}
	switch n := len(e.Args); {
	case n < least:
		return Usagef("missing operand: %s", names)
	case most >= 0 && n > most:
		return Usagef("unexpected operand '%s'", e.Args[most])
	}
	return nil
}

// OperandsAndCommand removes a command from e.Args, which follows n operands and may
// follow a "--". It returns the command without checking the command's own options. It
// leaves the operands in e.Args and checks them as Operands does.
func (e *Env) OperandsAndCommand(n int, names string) (command []string, err error) {
	if len(e.Args) > n {
		e.Args, command = e.Args[:n], e.Args[n:]
	}
	if err := e.Operands(n, n, names); err != nil {
		return nil, err
	}
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	} else if len(command) > 0 && isOption(command[0]) {
		return nil, Usagef("option '%s' after operand '%s': put options first, or -- before the command", command[0], e.Args[n-1])
	}
	if len(command) == 0 {
		return nil, Usagef("missing operand: COMMAND")
	}
	return command, nil
}

// A Command is a subcommand. Its summary is one line for the usage of its command.
type Command struct {
	Name, Summary string
	Run           Func
}

// Commands parses the options of fs and runs the subcommand in the first operand, with
// the words after it as its Args. It adds the table of the subcommands to usage.
func (e *Env) Commands(ctx context.Context, fs *flag.FlagSet, usage string, table []Command) error {
	synopsis, options, _ := strings.Cut(usage, "\n")
	var list strings.Builder
	for _, c := range table {
		fmt.Fprintf(&list, "  %-*s%s\n", textColumn-2, c.Name, c.Summary)
	}
	if err := e.Parse(fs, synopsis+"\n"+list.String()+options); err != nil {
		return err
	}
	if len(e.Args) == 0 {
		return Usagef("missing subcommand")
	}
	name := e.Args[0]
	for _, c := range table {
		if c.Name == name {
			e.Args = e.Args[1:]
			return c.Run(ctx, e)
		}
	}
	return Usagef("unknown subcommand '%s'", name)
}
