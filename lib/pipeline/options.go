package pipeline

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/fennel"
	"quire/lib/unit"
)

// A setter checks the value of an option and stores it. at is the value in the source.
type setter func(value lua.LValue, at fennel.Node)

// options applies a table of options of what. The table may be nil.
func (r *registry) options(c call, what string, table lua.LValue, written fennel.Node, known map[string]setter) {
	if table == lua.LNil {
		return
	}
	t, ok := table.(*lua.LTable)
	if !ok {
		r.report(c.problemAt(written, "options of %s must be a table, not %s", what, kind(table)))
		return
	}
	key, value := t.Next(lua.LNil)
	for n := 0; key != lua.LNil && n < maxCalls; n++ {
		name := key.String()
		at, valueAt := field(written, name)
		if set := known[name]; set != nil {
			set(value, valueAt)
		} else {
			d := c.problemAt(at, "unknown option %s of %s", quoted(name), what)
			d.Hint = "the options are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
			r.report(d)
		}
		key, value = t.Next(key)
	}
}

// jobOptions applies the options of ci.job.
func (r *registry) jobOptions(c call, what string, table lua.LValue, o *JobOptions) {
	of := " of " + what
	r.options(c, what, table, c.arg(4), map[string]setter{
		"timeout": func(v lua.LValue, at fennel.Node) {
			var ok bool
			if o.Timeout, ok = Duration(v); !ok {
				r.report(c.problemAt(at, "timeout%s must be a duration such as '10m', not %s", of, kind(v)))
			}
		},
		"retry": func(v lua.LValue, at fennel.Node) {
			n, ok := v.(lua.LNumber)
			if f := float64(n); !ok || f < 0 || f > 100 || f != math.Trunc(f) {
				r.report(c.problemAt(at, "retry%s must be a number from 0 to 100, not %s", of, kind(v)))
			}
			o.Retry = int(n)
		},
		"allow-failure": r.truth(c, "allow-failure"+of, &o.AllowFailure),
		"allow-skipped": r.truth(c, "allow-skipped"+of, &o.AllowSkipped),
		"always":        r.truth(c, "always"+of, &o.Always),
		"workspace": func(v lua.LValue, at fennel.Node) {
			if o.OwnWorkspace = v == lua.LString("own"); !o.OwnWorkspace {
				r.report(c.problemAt(at, "workspace%s must be 'own', not %s", of, kind(v)))
			}
		},
		"when": func(v lua.LValue, at fennel.Node) {
			r.options(c, "when"+of, v, at, map[string]setter{
				"branch":  r.patterns(c, "when"+of, "branch", &o.When.Branch),
				"tag":     r.patterns(c, "when"+of, "tag", &o.When.Tag),
				"paths":   r.patterns(c, "when"+of, "paths", &o.When.Paths),
				"trigger": r.patterns(c, "when"+of, "trigger", &o.When.Trigger),
			})
		},
	})
}

// Duration returns a positive duration, which is a string such as "1h30m" or a number of
// seconds in Lua. ok is false for any other value.
func Duration(v lua.LValue) (d time.Duration, ok bool) {
	switch v := v.(type) {
	case lua.LNumber:
		d = time.Duration(float64(v) * float64(time.Second))
	case lua.LString:
		d, _ = unit.ParseDuration(string(v))
	}
	return d, d > 0
}

// mirrorOptions applies the options of ci.mirror.
func (r *registry) mirrorOptions(c call, table lua.LValue, m *Mirror, j *registered) {
	const what = "the mirror"
	r.options(c, what, table, c.arg(2), map[string]setter{
		"secret": func(v lua.LValue, at fennel.Node) {
			s, ok := v.(lua.LString)
			if !ok || s == "" {
				r.report(c.problemAt(at, "secret of %s must be the name of a secret, not %s", what, kind(v)))
			}
			m.Secret = string(s)
		},
		"tag": func(v lua.LValue, at fennel.Node) {
			var ok bool
			if m.Tag, ok = v.(*lua.LFunction); !ok {
				r.report(c.problemAt(at, "tag of %s must be a function, not %s", what, kind(v)))
			}
		},
		"refs": func(v lua.LValue, at fennel.Node) { m.Refs, _ = r.strings(c, what, "refs", v, at) },
		"after": func(v lua.LValue, at fennel.Node) {
			after, ok := r.strings(c, what, "after", v, at)
			if ok && len(after) == 0 {
				r.report(c.problemAt(at, "after of %s is empty", what))
			}
			j.Inputs, j.after = unique(after), at
		},
	})
}

func (r *registry) truth(c call, name string, to *bool) setter {
	return func(v lua.LValue, at fennel.Node) {
		b, ok := v.(lua.LBool)
		if !ok {
			r.report(c.problemAt(at, "%s must be true or false, not %s", name, kind(v)))
		}
		*to = bool(b)
	}
}

// patterns accepts one string or several.
func (r *registry) patterns(c call, what, name string, to *[]string) setter {
	return func(v lua.LValue, at fennel.Node) {
		if s, ok := v.(lua.LString); ok {
			*to = []string{string(s)}
			return
		}
		*to, _ = r.strings(c, what, name, v, at)
	}
}

// strings returns the strings of a sequence, the field name of what. It reports other
// items; ok is false if value is no sequence.
func (r *registry) strings(c call, what, name string, value lua.LValue, written fennel.Node) (list []string, ok bool) {
	t, ok := value.(*lua.LTable)
	if !ok {
		d := c.problemAt(written, "%s of %s must be a sequence of strings, not %s", name, what, kind(value))
		if s, isString := value.(lua.LString); isString {
			d.Hint = c.file.listHint(string(s))
		}
		r.report(d)
		return nil, false
	}
	n := t.MaxN()
	if n > maxCalls {
		r.report(c.problemAt(written, "%s of %s are more than %d", name, what, maxCalls))
		return nil, false
	}
	for i := 1; i <= n; i++ {
		s, ok := t.RawGetInt(i).(lua.LString)
		if !ok {
			r.report(c.problemAt(element(written, i), "%s of %s must be strings, not %s", name, what, kind(t.RawGetInt(i))))
			continue
		}
		list = append(list, string(s))
	}
	if key, _ := t.Next(lua.LNil); n == 0 && key != lua.LNil {
		r.report(c.problemAt(written, "%s of %s must be a sequence of strings, not a table with keys", name, what))
		return nil, false
	}
	return list, true
}
