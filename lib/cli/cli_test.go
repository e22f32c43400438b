package cli

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/diag"
	"quire/lib/unit"
)

const testUsage = `usage: quire-x [OPTION...] [FILE]
  -n N             a number
  -f, --force      a switch
  --time DURATION  a time
  --long VALUE     a text
`

// result is the visible result of a command.
type result struct {
	Code           int
	Stdout, Stderr string
}

func runTest(args []string, body func(*Env) error) result {
	var out, errs strings.Builder
	e := &Env{Name: "quire-x", Args: args, Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code := e.Report(body(e))
	return result{code, out.String(), errs.String()}
}

func TestParse(t *testing.T) {
	body := func(e *Env) error {
		fs := new(flag.FlagSet)
		n := Count(fs, "n", 0)
		var force bool
		fs.BoolVar(&force, "f", false, "")
		fs.BoolVar(&force, "force", false, "")
		time := Duration(fs, "time", 0)
		long := fs.String("long", "", "")
		if err := e.Parse(fs, testUsage); err != nil {
			return err
		}
		if err := e.Operands(0, 1, "FILE"); err != nil {
			return err
		}
		fmt.Fprintf(e.Stdout, "%d %t %s %s%q", *n, force, *time, *long, e.Args)
		return nil
	}
	ok := func(stdout string) result { return result{OK, stdout, ""} }
	misuse := func(what string) result {
		return result{Misuse, "", "quire-x: " + what + "\n" + testUsage}
	}
	for _, test := range []struct {
		args string
		want result
	}{
		{"", ok("0 false 0s []")},
		{"-n 3 --long=v f", ok(`3 false 0s v["f"]`)},
		{"-n4", ok("4 false 0s []")},
		{"-n=4", ok("4 false 0s []")},
		{"-fn4", ok("4 true 0s []")},
		{"-fn 4 f", ok(`4 true 0s ["f"]`)},
		{"--force --force=false", ok("0 false 0s []")},
		{"--time 7d", ok("0 false 168h0m0s []")},
		{"--long -n", ok("0 false 0s -n[]")},
		{"-- -n", ok(`0 false 0s ["-n"]`)},
		{"-", ok(`0 false 0s ["-"]`)},
		{"--help", ok(testUsage + helpUsage)},
		{"-h", ok(testUsage + helpUsage)},
		{"-fh", ok(testUsage + helpUsage)},
		{"-f f --help", misuse("option '--help' after operand 'f': put options first, or -- before all operands")},
		{"--version", ok("quire-x " + Version + "\n")},
		{"--version=maybe", misuse("option '--version' takes no value")},
		{"-z", misuse("unknown option '-z'")},
		{"-zf", misuse("unknown option '-zf'")},
		{"-fz", misuse("unknown option '-z'")},
		{"--zap", misuse("unknown option '--zap'")},
		{"--zap=secret", misuse("unknown option '--zap'")},
		{"-n", misuse("option '-n' needs a value")},
		{"-fn", misuse("option '-n' needs a value")},
		{"-n x", misuse("bad value 'x' of option '-n': not a whole number")},
		{"-nf", misuse("bad value 'f' of option '-n': not a whole number")},
		{"-n 9x", misuse("bad value '9x' of option '-n': not a whole number")},
		{"-n -1", misuse("bad value '-1' of option '-n': negative")},
		{"-n 99999999999999999999", misuse("bad value '99999999999999999999' of option '-n': out of range")},
		{"-f=no", misuse("bad value 'no' of option '-f': parse error")},
		{"--time=-1h", misuse("bad value '-1h' of option '--time': negative")},
		{"--time 1w", misuse("bad value '1w' of option '--time': not " + unit.DurationForm)},
		{"a b", misuse("unexpected operand 'b'")},
		{"f -n 3", misuse("option '-n' after operand 'f': put options first, or -- before all operands")},
		{"-- f -n", misuse("unexpected operand '-n'")},
	} {
		t.Run(test.args, func(t *testing.T) {
			if diff := cmp.Diff(test.want, runTest(strings.Fields(test.args), body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReport(t *testing.T) {
	list := diag.List{{File: "ci.fnl", Line: 2, Column: 3, Message: "no", Source: "  x"}}
	for _, test := range []struct {
		name string
		err  error
		want result
	}{
		{"error", errors.New("cannot x"), result{Failure, "", "quire-x: cannot x\n"}},
		{"several lines become one", errors.New("a\nb\x1b[2J"), result{Failure, "", "quire-x: a; b?[2J\n"}},
		{"status", Status(No, errors.New("no")), result{No, "", "quire-x: no\n"}},
		{"status wrapped", fmt.Errorf("while: %w", Status(3, nil)), result{3, "", ""}},
		{"joined", errors.Join(errors.New("one"), list, errors.New("two")),
			result{Failure, "", "quire-x: one\nci.fnl:2:3: no\n      x\n      ^\nquire-x: two\n"}},
		{"diagnostics stand for themselves", Status(No, list), result{No, "", "ci.fnl:2:3: no\n      x\n      ^\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := runTest(nil, func(*Env) error { return test.err })
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOperandsAndCommand(t *testing.T) {
	for args, want := range map[string]result{
		"id -- make -j 4": {OK, `["id"]["make" "-j" "4"]`, ""},
		"id make -j 4":    {OK, `["id"]["make" "-j" "4"]`, ""},
		"id -- -x":        {OK, `["id"]["-x"]`, ""},
		"id -- -- x":      {OK, `["id"]["--" "x"]`, ""},
		"":                {Misuse, "", "quire-x: missing operand: ID\n"},
		"id":              {Misuse, "", "quire-x: missing operand: COMMAND\n"},
		"id --":           {Misuse, "", "quire-x: missing operand: COMMAND\n"},
		"id -x":           {Misuse, "", "quire-x: option '-x' after operand 'id': put options first, or -- before the command\n"},
	} {
		got := runTest(strings.Fields(args), func(e *Env) error {
			if err := e.Parse(new(flag.FlagSet), ""); err != nil {
				return err
			}
			command, err := e.OperandsAndCommand(1, "ID")
			if err == nil {
				fmt.Fprintf(e.Stdout, "%q%q", e.Args, command)
			}
			return err
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", args, diff)
		}
	}
}

func TestCommands(t *testing.T) {
	const usage = "usage: x\n  -q                     be quiet\n"
	const text = "usage: x\n  go                     go away\n  -q                     be quiet\n"
	table := []Command{{"go", "go away", func(_ context.Context, e *Env) error {
		fmt.Fprint(e.Stdout, e.Args)
		return nil
	}}}
	for args, want := range map[string]result{
		"go a -b": {OK, "[a -b]", ""},
		"-q go a": {OK, "[a]", ""},
		"--help":  {OK, text + helpUsage, ""},
		"":        {Misuse, "", "quire-x: missing subcommand\n" + text},
		"stay":    {Misuse, "", "quire-x: unknown subcommand 'stay'\n" + text},
		"\x1b[2J": {Misuse, "", "quire-x: unknown subcommand '?[2J'\n" + text},
	} {
		got := runTest(strings.Fields(args), func(e *Env) error {
			fs := new(flag.FlagSet)
			fs.Bool("q", false, "")
			return e.Commands(context.Background(), fs, usage, table)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", args, diff)
		}
	}
}

func TestCheckUsage(t *testing.T) {
	for usage, want := range map[string]string{
		"  -n, --dry-run  print\n  --root DIR  the root\n":          "",
		"  -n, --dry-run\n  --root DIR  the root\n":                 "the usage does not explain '-n, --dry-run'",
		"  -n  print\n  --root DIR  the root\n":                     "the usage lacks option '--dry-run'",
		"  -n, --dry-run  print\n  --root  the root\n":              "the usage is wrong about a value of option '--root'",
		"  -n N, --dry-run  print\n  --root DIR  the root\n":        "the usage is wrong about a value of option '-n'",
		"  -n, --dry-run  print\n  --root DIR  the root\n  -z  x\n": "the usage has an option '-z' that does not exist",
		"usage: x [--root DIR] [-n]\n":                              "the usage lacks option '--root'",
	} {
		fs := new(flag.FlagSet)
		fs.Bool("n", false, "")
		fs.Bool("dry-run", false, "")
		fs.String("root", "", "")
		got := ""
		if err := checkUsage(fs, usage); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", usage, got, want)
		}
	}
}

// A signal ends the context of a command that catches it, and gives the exit code. A
// second or an uncaught signal ends the process.
func TestSignals(t *testing.T) {
	if mode := os.Getenv("QUIRE_TEST_SIGNALS"); mode != "" {
		os.Exit(Main("quire-x", nil, func(ctx context.Context, e *Env) error {
			if mode != "uncaught" {
				ctx = e.CatchSignals(ctx)
			}
			fmt.Fprintln(e.Stdout, "ready")
			<-ctx.Done()
			if mode == "twice" {
				fmt.Fprintln(e.Stdout, "again")
				select {}
			}
			return ctx.Err()
		}))
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]string{
		"once": "exit status 143", "twice": "signal: terminated", "uncaught": "signal: terminated",
	} {
		cmd := exec.Command(program, "-test.run=TestSignals")
		cmd.Env = append(os.Environ(), "QUIRE_TEST_SIGNALS="+mode)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			cmd.Process.Signal(syscall.SIGTERM)
		}
		if err := cmd.Wait(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", mode, err, want)
		}
	}
}
