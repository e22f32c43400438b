package executor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/pipeline"
	"quire/lib/text"
)

// primitives returns the table of functions that the run-fn gets as its argument.
func (a *attempt) primitives() *lua.LTable {
	t := &lua.LTable{Metatable: lua.LNil}
	for name, f := range map[string]func(*lua.LState) (lua.LValue, error){
		"sh": a.sh, "secret": a.secret, "jobs": a.jobs, "log": a.log, "env": a.env,
		"read-file": a.readFile, "read-json": a.readJSON, "write-file": a.writeFile,
	} {
		t.RawSetString(name, a.run.vm().State().NewFunction(func(l *lua.LState) int {
			a.step(l)
			v, err := f(l)
			if err != nil {
				l.RaiseError("%s: %s", name, err.Error())
			}
			l.Push(v)
			return 1
		}))
	}
	return t
}

// step raises an error if the job has ended or has failed: a failed command whose exit
// status the pipeline does not read fails the job, and a pcall does not change that.
func (a *attempt) step(l *lua.LState) {
	if a.done {
		l.RaiseError("job '%s' has ended", a.job.spec.ID)
	}
	if a.failed == nil {
		a.failed = a.firstUnchecked()
	}
	if a.failed != nil {
		l.Error(lua.LString(a.failed.text), 0)
	}
}

// firstUnchecked returns the failure of the first failed command whose exit status the
// pipeline did not read, nil for none.
func (a *attempt) firstUnchecked() *failure {
	for _, c := range a.unchecked {
		if !c.checked {
			return a.run.commandFailure(c)
		}
	}
	a.unchecked = nil
	return nil
}

func (a *attempt) sh(l *lua.LState) (lua.LValue, error) {
	c, err := a.parseSh(l.Get(1), l.Get(2))
	if err != nil {
		return nil, err
	}
	c.position = callerOf(l)
	c.redacted = a.redacted(c)
	a.job.commands++
	a.ran++
	c.n = a.job.commands
	var r *liveCommand
	a.run.vm().WithoutLock(l, func() { r, err = a.execute(c) })
	switch {
	case r == nil || r.finished:
	case a.done: // another job called this sh, and this job ended first
		err = errors.Join(err, r.finish(0))
	default:
		a.live = append(a.live, r)
	}
	if err != nil {
		a.run.fatal(err)
		return nil, err
	}
	if c.endedWithJob() {
		a.ended = true
	}
	if c.check && c.failed() {
		a.unchecked = append(a.unchecked, c)
	}
	return a.result(c), nil
}

// redacted returns the text of a command without secrets. It redacts words before it quotes
// them, because quoting can change a secret.
func (a *attempt) redacted(c *command) string {
	if c.shell {
		return a.run.redact.String(c.text)
	}
	words := make([]string, len(c.argv))
	for i, word := range c.argv {
		if words[i] = a.run.redact.String(word); words[i] == word {
			words[i] = text.Quote(word)
		}
	}
	return strings.Join(words, " ")
}

// callerOf returns the line of the pipeline that called the running Go function.
func callerOf(l *lua.LState) position {
	for level := 1; ; level++ {
		frame, ok := l.GetStack(level)
		if !ok {
			return position{}
		}
		if _, err := l.GetInfo("Sl", frame, lua.LNil); err == nil && frame.CurrentLine > 0 {
			return position{frame.Source, frame.CurrentLine}
		}
	}
}

func (a *attempt) secret(l *lua.LState) (lua.LValue, error) {
	name, err := stringArg(l, 1, "name")
	if err != nil {
		return nil, err
	}
	v, err := a.run.secret(name)
	return lua.LString(v), err
}

// secret returns the value of a secret. If it is missing, the error says how to define it.
func (r *run) secret(name string) (string, error) {
	v, ok := r.Secrets[name]
	if why := r.Withheld[name]; !ok && why != "" {
		return "", fmt.Errorf("secret '%s' %s", name, why)
	}
	if !ok {
		hint := cmp.Or(r.SecretsHint, "the configuration declares them under 'secrets'")
		return "", fmt.Errorf("no secret '%s': %s; %s", name, knownNames(slices.Sorted(maps.Keys(r.Secrets))), hint)
	}
	return v, nil
}

func (a *attempt) jobs(l *lua.LState) (lua.LValue, error) {
	name, err := stringArg(l, 1, "id")
	if err != nil {
		return nil, err
	}
	if !a.job.needs[name] {
		return nil, fmt.Errorf("'%s' is no input of job '%s', direct or not: %s",
			name, a.job.spec.ID, knownNames(slices.Sorted(maps.Keys(a.job.needs))))
	}
	if name == pipeline.Push {
		return toLua(pushOutput(a.run.Facts)), nil
	}
	return toLua(a.run.byID[name].output), nil
}

// knownNames lists the known names, for the end of a message about an unknown name.
func knownNames(names []string) string {
	if len(names) == 0 {
		return "there are none"
	}
	return "there are '" + strings.Join(names, "', '") + "'"
}

// log writes any number of values as print does, to events.jsonl and the console.
func (a *attempt) log(l *lua.LState) (lua.LValue, error) {
	words := make([]string, l.GetTop())
	for i := range words {
		words[i] = l.ToStringMeta(l.Get(i + 1)).String()
	}
	a.job.say(strings.Join(words, " "))
	return lua.LNil, nil
}

// env returns the value of a variable, nil if it is not set. Without a name it returns a
// table of all variables.
func (a *attempt) env(l *lua.LState) (lua.LValue, error) {
	env := newEnviron(a.job.env)
	if l.GetTop() == 0 {
		t := &lua.LTable{Metatable: lua.LNil}
		for name, v := range env {
			t.RawSetString(name, lua.LString(v))
		}
		return t, nil
	}
	name, err := stringArg(l, 1, "name")
	if err != nil {
		return nil, err
	}
	if v, ok := env[name]; ok {
		return lua.LString(v), nil
	}
	return lua.LNil, nil
}

func (a *attempt) readFile(l *lua.LState) (lua.LValue, error) {
	path, err := stringArg(l, 1, "path")
	if err != nil {
		return nil, err
	}
	var text string
	a.run.vm().WithoutLock(l, func() { text, err = a.job.workspace.readFile(path) })
	return lua.LString(text), err
}

func (a *attempt) readJSON(l *lua.LState) (lua.LValue, error) {
	path, err := stringArg(l, 1, "path")
	if err != nil {
		return nil, err
	}
	var v value
	a.run.vm().WithoutLock(l, func() { v, err = a.job.workspace.readJSON(path) })
	return toLua(v), err
}

func (a *attempt) writeFile(l *lua.LState) (lua.LValue, error) {
	path, err := stringArg(l, 1, "path")
	if err != nil {
		return nil, err
	}
	text, err := stringArg(l, 2, "text")
	if err != nil {
		return nil, err
	}
	a.run.vm().WithoutLock(l, func() { err = a.job.workspace.writeFile(path, text) })
	return lua.LNil, err
}

func stringArg(l *lua.LState, n int, what string) (string, error) {
	s, ok := l.Get(n).(lua.LString)
	if !ok {
		return "", fmt.Errorf("its %s is a %s, not a string", what, l.Get(n).Type())
	}
	return string(s), nil
}
