package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/diag"
)

const testUsage = "usage: quire-x [-n N] [--long VALUE] [FILE]\n"

// result is all that whoever started the command sees of it.
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
		n := fs.Int("n", 0, "")
		long := fs.String("long", "", "")
		if err := e.Parse(fs, testUsage); err != nil {
			return err
		}
		if err := e.Operands(0, 1, "FILE"); err != nil {
			return err
		}
		fmt.Fprint(e.Stdout, *n, *long, e.Args)
		return nil
	}
	misuse := func(what string) result {
		return result{Misuse, "", "quire-x: " + what + "\n" + testUsage}
	}
	for _, test := range []struct {
		args string
		want result
	}{
		{"", result{OK, "0[]", ""}},
		{"-n 3 --long=v f", result{OK, "3v[f]", ""}},
		{"-- -n", result{OK, "0[-n]", ""}},
		{"--help", result{OK, testUsage, ""}},
		{"--version", result{OK, "quire-x " + Version + "\n", ""}},
		{"-z", misuse("unknown option '-z'")},
		{"--zap", misuse("unknown option '--zap'")},
		{"-n", misuse("option '-n' needs a value")},
		{"-n x", misuse("bad value 'x' of option '-n': parse error")},
		{"-n 9x", misuse("bad value '9x' of option '-n': parse error")},
		{"--version=maybe", misuse("bad value 'maybe' of option '--version': parse error")},
		{"a b", misuse("unexpected operand 'b'")},
	} {
		t.Run(test.args, func(t *testing.T) {
			if diff := cmp.Diff(test.want, runTest(strings.Fields(test.args), body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReport(t *testing.T) {
	place := diag.List{{File: "ci.fnl", Line: 2, Column: 3, Message: "no", Source: "  x"}}
	for _, test := range []struct {
		name string
		err  error
		want result
	}{
		{"plain error", errors.New("cannot x"), result{Failure, "", "quire-x: cannot x\n"}},
		{"several lines become one", errors.New("a\nb\x1b[2J"), result{Failure, "", "quire-x: a; b?[2J\n"}},
		{"status", Status(No, errors.New("no")), result{No, "", "quire-x: no\n"}},
		{"status wrapped", fmt.Errorf("while: %w", Status(3, nil)), result{3, "", ""}},
		{"joined", errors.Join(errors.New("one"), place, errors.New("two")),
			result{Failure, "", "quire-x: one\nci.fnl:2:3: no\n      x\n      ^\nquire-x: two\n"}},
		{"diagnostics stand for themselves", Status(No, place), result{No, "", "ci.fnl:2:3: no\n      x\n      ^\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := runTest(nil, func(*Env) error { return test.err })
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	table := map[string]Func{"go": func(_ context.Context, e *Env) error {
		fmt.Fprint(e.Stdout, e.Args)
		return nil
	}}
	for args, want := range map[string]result{
		"go a -b": {OK, "[a -b]", ""},
		"":        {Misuse, "", "quire-x: missing subcommand\nusage: x\n"},
		"stay":    {Misuse, "", "quire-x: unknown subcommand 'stay'\nusage: x\n"},
	} {
		got := runTest(strings.Fields(args), func(e *Env) error {
			return e.Commands(context.Background(), "usage: x\n", table)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", args, diff)
		}
	}
}
