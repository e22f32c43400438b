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
	"quire/lib/runlog"
	"quire/lib/text"
)

// primitives returns the table that the run-fn is called with.
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

// step raises an error unless the job may go on: a command that failed and that
// nobody looked at ends it, and a pcall does not bring it back.
func (a *attempt) step(l *lua.LState) {
	if a.over {
		l.RaiseError("job '%s' has ended", a.job.spec.ID)
	}
	if a.failed == nil {
		a.failed = a.unseen()
	}
	if a.failed != nil {
		l.Error(lua.LString(a.failed.text), 0)
	}
}

// unseen returns the failure of the first command that the pipeline should have
// looked at, nil for none.
func (a *attempt) unseen() *failure {
	for _, c := range a.unlooked {
		if !c.looked {
			return a.run.commandFailure(c)
		}
	}
	a.unlooked = nil
	return nil
}

func (a *attempt) sh(l *lua.LState) (lua.LValue, error) {
	c, err := a.parseSh(l.Get(1), l.Get(2))
	if err != nil {
		return nil, err
	}
	c.place = placeOf(l)
	c.shown = a.shown(c)
	a.job.commands++
	a.ran++
	c.n = a.job.commands
	var r *liveCommand
	a.run.vm().WithoutLock(l, func() { r, err = a.execute(c) })
	switch {
	case r == nil || r.finished:
	case a.over: // another job had got hold of sh, and outlived this one
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
		a.unlooked = append(a.unlooked, c)
	}
	return a.result(c), nil
}

// shown returns the text of a command redacted. Words are redacted before they are
// quoted, which changes them.
func (a *attempt) shown(c *command) string {
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

// placeOf returns the line of the pipeline that called the running Go function.
func placeOf(l *lua.LState) place {
	for level := 1; ; level++ {
		frame, ok := l.GetStack(level)
		if !ok {
			return place{}
		}
		if _, err := l.GetInfo("Sl", frame, lua.LNil); err == nil && frame.CurrentLine > 0 {
			return place{frame.Source, frame.CurrentLine}
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

// secret returns the value of a secret. The error tells how to give a missing one.
func (r *run) secret(name string) (string, error) {
	v, ok := r.Secrets[name]
	if why := r.Withheld[name]; !ok && why != "" {
		return "", fmt.Errorf("secret '%s' %s", name, why)
	}
	if !ok {
		hint := cmp.Or(r.SecretsHint, "the configuration declares them under 'secrets'")
		return "", fmt.Errorf("no secret '%s': %s; %s", name, among(slices.Sorted(maps.Keys(r.Secrets))), hint)
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
			name, a.job.spec.ID, among(slices.Sorted(maps.Keys(a.job.needs))))
	}
	if name == pipeline.Push {
		return toLua(pushOutput(a.run.Facts)), nil
	}
	return toLua(a.run.byID[name].output), nil
}

// among ends a message that a name is not known.
func among(names []string) string {
	if len(names) == 0 {
		return "there are none"
	}
	return "there are '" + strings.Join(names, "', '") + "'"
}

// log takes any number of values, which it shows as print does.
func (a *attempt) log(l *lua.LState) (lua.LValue, error) {
	words := make([]string, l.GetTop())
	for i := range words {
		words[i] = l.ToStringMeta(l.Get(i + 1)).String()
	}
	text := a.run.redact.String(strings.Join(words, " "))
	a.run.console.say(a.job.spec.ID, text)
	a.emit(runlog.Event{Event: runlog.JobLog, Text: text})
	return lua.LNil, nil
}

// env returns the variable of a name, nil where there is none, and without a name
// all of them.
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
