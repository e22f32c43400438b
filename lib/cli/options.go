package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Parse takes the options of fs off e.Args and leaves the operands there.
// Options stand before operands and "--" ends them. usage is the constant that
// --help prints on stdout and a misuse on stderr; it begins "usage: " and ends
// with a newline. The error is for returning: it makes --help and --version exit
// with OK and anything that cannot be parsed with Misuse.
func (e *Env) Parse(fs *flag.FlagSet, usage string) error {
	e.usage = usage
	fs.Init(e.Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	version := fs.Bool("version", false, "")
	err := fs.Parse(e.Args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(e.Stdout, usage)
		return err
	case err != nil:
		return Usagef("%s", reword(err.Error()))
	case *version:
		fmt.Fprintf(e.Stdout, "%s %s\n", e.Name, Version)
		return flag.ErrHelp
	}
	e.Args = fs.Args()
	return nil
}

// reword puts what package flag says into the words of the other diagnostics.
func reword(s string) string {
	if name, ok := strings.CutPrefix(s, "flag provided but not defined: -"); ok {
		return fmt.Sprintf("unknown option '%s'", dashed(name))
	}
	if name, ok := strings.CutPrefix(s, "flag needs an argument: -"); ok {
		return fmt.Sprintf("option '%s' needs a value", dashed(name))
	}
	// invalid value "VALUE" for flag -NAME: WHY, or invalid boolean value ...
	// for -NAME: WHY
	_, rest, ok := strings.Cut(s, "value ")
	quoted, _ := strconv.QuotedPrefix(rest)
	value, err := strconv.Unquote(quoted)
	_, option, _ := strings.Cut(strings.TrimPrefix(rest, quoted), "-")
	name, why, named := strings.Cut(option, ": ")
	if !ok || err != nil || !named {
		return s
	}
	return fmt.Sprintf("bad value '%s' of option '%s': %s", value, dashed(name), why)
}

func dashed(option string) string {
	if len(option) == 1 {
		return "-" + option
	}
	return "--" + option
}

// Operands returns an error unless there are between least and most operands;
// a negative most means any number. names is how usage writes them.
func (e *Env) Operands(least, most int, names string) error {
	switch n := len(e.Args); {
	case n < least:
		return Usagef("missing operand: %s", names)
	case most >= 0 && n > most:
		return Usagef("unexpected operand '%s'", e.Args[most])
	}
	return nil
}

// Commands runs the subcommand that the first operand names, with the operands
// behind it as its Args.
func (e *Env) Commands(ctx context.Context, usage string, table map[string]Func) error {
	if err := e.Parse(new(flag.FlagSet), usage); err != nil {
		return err
	}
	if len(e.Args) == 0 {
		return Usagef("missing subcommand")
	}
	name := e.Args[0]
	run, ok := table[name]
	if !ok {
		return Usagef("unknown subcommand '%s'", strings.ToValidUTF8(name, "?"))
	}
	e.Args = e.Args[1:]
	return run(ctx, e)
}
