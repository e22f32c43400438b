package executor

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/pipeline"
	"quire/lib/text"
)

// DefaultShell runs a command that is a string. The string becomes its last argument. A
// command of several lines stops at the first line that fails.
var DefaultShell = []string{"/bin/sh", "-ec"}

// parseSh returns the command for the arguments of sh. Its errors are for the author of the
// pipeline. The caller holds the Lua lock.
func (a *attempt) parseSh(cmd, opts lua.LValue) (*command, error) {
	c := &command{check: true, env: a.job.env, cgroup: a.run.Cgroup}
	if err := c.parseCmd(cmd); err != nil {
		return nil, err
	}
	if opts != lua.LNil {
		table, ok := opts.(*lua.LTable)
		if !ok {
			return nil, fmt.Errorf("its options are a %s, not a table", opts.Type())
		}
		if err := c.parseOptions(table); err != nil {
			return nil, err
		}
	}
	if err := c.addShell(a.run.Shell); err != nil {
		return nil, err
	}
	dir, err := a.job.workspace.subdirectory(c.cwd)
	if err != nil {
		return nil, err
	}
	c.dir = dir
	return c, nil
}

func (c *command) parseCmd(cmd lua.LValue) (err error) {
	switch cmd := cmd.(type) {
	case lua.LString:
		c.shell, c.text = true, string(cmd)
		err = checkText(c.text)
	case *lua.LTable:
		c.argv, err = words(cmd)
		c.text = text.Quote(c.argv...)
	default:
		err = fmt.Errorf("is a %s, not a string or a sequence", cmd.Type())
	}
	if err != nil {
		return fmt.Errorf("the command %w", err)
	}
	return nil
}

// addShell puts a shell in front of a command that is a string: the value of its option
// shell, or else the shell of the run.
func (c *command) addShell(shell []string) error {
	if c.ownShell != nil {
		shell = c.ownShell
	}
	switch {
	case c.shell:
		c.argv = append(slices.Clip(shell), c.text)
	case c.ownShell != nil:
		return errors.New("option 'shell' is only for a command that is a string, not for a sequence")
	}
	return nil
}

// words returns the words of a command or of a shell. It is an error if all are empty.
func words(t *lua.LTable) (list []string, err error) {
	for i := 1; i <= t.Len(); i++ {
		word, ok := wordOf(t.RawGetInt(i))
		if !ok {
			return nil, fmt.Errorf("has a %s as word %d, not a string or a number", t.RawGetInt(i).Type(), i)
		}
		list = append(list, word)
	}
	if countKeys(t) != len(list) {
		return nil, errors.New("is a table that is no sequence")
	}
	return list, checkText(strings.Join(list, " "))
}

// checkText returns an error if the text of a command is blank or contains a NUL byte.
func checkText(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	if strings.Contains(s, "\x00") {
		return errors.New("holds a NUL byte")
	}
	return nil
}

func countKeys(t *lua.LTable) (n int) {
	t.ForEach(func(lua.LValue, lua.LValue) { n++ })
	return n
}

// wordOf returns v, a string or a number, as a word of a command or the value of a variable.
func wordOf(v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return v.String(), true
	}
	return "", false
}

func (c *command) parseOptions(opts *lua.LTable) error {
	for key, v := opts.Next(lua.LNil); key != lua.LNil; key, v = opts.Next(key) {
		var err error
		switch name := key.String(); name {
		case "env":
			err = c.parseEnv(v)
		case "cwd":
			err = wantString(v, &c.cwd)
		case "shell":
			table, ok := v.(*lua.LTable)
			if !ok {
				err = fmt.Errorf("is a %s, not a sequence of words", v.Type())
				break
			}
			c.ownShell, err = words(table)
		case "stdin":
			err = wantString(v, &c.stdin)
		case "timeout":
			c.timeout, err = parseTimeout(v)
		case "check":
			b, ok := v.(lua.LBool)
			if c.check = bool(b); !ok {
				err = fmt.Errorf("is a %s, not a boolean", v.Type())
			}
		default:
			return fmt.Errorf("unknown option '%s': there are %s", name, strings.Join(pipeline.ShOptions, ", "))
		}
		if err != nil {
			return fmt.Errorf("option '%s' %w", key, err)
		}
	}
	return nil
}

func wantString(v lua.LValue, to *string) error {
	s, ok := v.(lua.LString)
	if !ok {
		return fmt.Errorf("is a %s, not a string", v.Type())
	}
	*to = string(s)
	return nil
}

// parseEnv adds a table of variables to the job's environment. The value false removes one.
func (c *command) parseEnv(v lua.LValue) error {
	table, ok := v.(*lua.LTable)
	if !ok {
		return fmt.Errorf("is a %s, not a table", v.Type())
	}
	env := newEnviron(c.env)
	for key, v := table.Next(lua.LNil); key != lua.LNil; key, v = table.Next(key) {
		name, ok := key.(lua.LString)
		if !ok || name == "" || strings.ContainsAny(string(name), "=\x00") {
			return fmt.Errorf("has '%s', which is no name of a variable", key)
		}
		if v == lua.LFalse {
			delete(env, string(name))
			continue
		}
		value, ok := wordOf(v)
		if !ok {
			return fmt.Errorf("has a %s for '%s', not a string, a number or false", v.Type(), name)
		}
		if strings.Contains(value, "\x00") {
			return fmt.Errorf("has a NUL byte in '%s'", name)
		}
		env[string(name)] = value
	}
	c.env = env.list()
	return nil
}

// parseTimeout is pipeline.Duration with an error.
func parseTimeout(v lua.LValue) (time.Duration, error) {
	if d, ok := pipeline.Duration(v); ok {
		return d, nil
	}
	if text, ok := wordOf(v); ok {
		return 0, fmt.Errorf("is '%s', not a duration such as \"10m\"", text)
	}
	return 0, fmt.Errorf("is a %s, not a duration such as \"10m\"", v.Type())
}

// subdirectory returns the absolute path of the directory cwd of the workspace. It is an
// error if cwd leaves the workspace, even by a symbolic link.
func (w *workspace) subdirectory(cwd string) (string, error) {
	if cwd == "" {
		return w.dir, nil
	}
	local, err := w.local(cwd)
	if err != nil {
		return "", err
	}
	info, err := w.root.Stat(local)
	if err != nil {
		return "", fmt.Errorf("cannot run in '%s': %w", cwd, text.Cause(err))
	}
	if !info.IsDir() {
		return "", fmt.Errorf("cannot run in '%s': not a directory", cwd)
	}
	return filepath.Join(w.dir, local), nil
}

// resultMark is the __metatable of the table that sh returns. The key exit is not in that
// table, so that reading it calls __index, which marks the command as checked. The mark
// lets exitOf recognize the table, and hides the metatable from the pipeline.
const resultMark = "result of sh"

// result returns the table that sh returns for c. The caller holds the Lua lock.
func (a *attempt) result(c *command) *lua.LTable {
	t, meta := &lua.LTable{Metatable: lua.LNil}, &lua.LTable{Metatable: lua.LNil}
	t.RawSetString("stdout", lua.LString(c.stdout))
	t.RawSetString("stderr", lua.LString(c.stderr))
	t.RawSetString("cmd", lua.LString(c.text))
	if c.truncated {
		t.RawSetString("truncated", lua.LTrue)
	}
	if c.code == exitTimeout && c.reason == reasonTimeout {
		t.RawSetString("timeout", lua.LTrue)
	}
	meta.RawSetString("exit", lua.LNumber(c.code))
	meta.RawSetString("__metatable", lua.LString(resultMark))
	meta.RawSetString("__index", a.run.vm().State().NewFunction(func(l *lua.LState) int {
		if l.Get(2) != lua.LString("exit") {
			return 0
		}
		c.checked = true
		l.Push(lua.LNumber(c.code))
		return 1
	}))
	t.Metatable = meta
	return t
}

// exitOf returns the exit status in a table that sh returned, without marking the command as
// checked.
func exitOf(t *lua.LTable) (code int, ok bool) {
	meta, ok := t.Metatable.(*lua.LTable)
	if !ok || meta.RawGetString("__metatable") != lua.LString(resultMark) {
		return 0, false
	}
	n, ok := meta.RawGetString("exit").(lua.LNumber)
	return int(n), ok
}
