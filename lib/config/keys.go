package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"quire/lib/unit"
)

// A key checks the value of one setting and returns a function that applies it. If the value
// is wrong, it reports that and returns nil.
type key func(d *document, name string, v value) func(*Settings)

// keys maps the names of settings to their checks.
var keys = sync.OnceValue(func() map[string]key {
	return map[string]key{
		"executor":       oneOf([]string{"host", "quire-ci"}, func(s *Settings) *string { return &s.Executor }),
		"supersede":      oneOf([]string{"pending", "active", "none"}, func(s *Settings) *string { return &s.Supersede }),
		"gate":           stringList(refPattern, func(s *Settings) *[]string { return &s.Gate }),
		"gate-skip":      boolean(func(s *Settings) *bool { return &s.GateSkip }),
		"keep-workspace": oneOf([]string{"failed", "all", "none"}, func(s *Settings) *string { return &s.KeepWorkspace }),
		"launcher":       stringList(notEmpty, func(s *Settings) *[]string { return &s.Launcher }),
		"shell":          shell,
		"env":            env,
		"pass-env":       passEnv,
		"max-runs":       number(10_000, func(s *Settings) *int { return &s.MaxRuns }),
		"jobs":           number(10_000, func(s *Settings) *int { return &s.Jobs }),
		"timeout":        duration(func(s *Settings) *time.Duration { return &s.Timeout }),
		"grace":          duration(func(s *Settings) *time.Duration { return &s.Grace }),
		"eval-time":      duration(func(s *Settings) *time.Duration { return &s.EvalTime }),
		"skip-tested":    oneOf([]string{"none", "commit", "tree"}, func(s *Settings) *string { return &s.SkipTested }),
		"cache":          oneOf([]string{"none", "repo", "ref"}, func(s *Settings) *string { return &s.Cache }),
		cacheMaxKey:      size(1<<50, func(s *Settings) *uint64 { return &s.MaxCache }),
		"keep-ignored":   boolean(func(s *Settings) *bool { return &s.KeepIgnored }),
		"artifacts-max":  size(1<<50, func(s *Settings) *uint64 { return &s.MaxArtifacts }),
		"log-max":        size(1<<50, func(s *Settings) *uint64 { return &s.MaxLog }),
		"eval-memory":    sizeOrMiB(1<<40, func(s *Settings) *uint64 { return &s.EvalMemory }),
		"with-git":       boolean(func(s *Settings) *bool { return &s.WithGit }),
		"lfs":            boolean(func(s *Settings) *bool { return &s.LFS }),
		"submodules":     boolean(func(s *Settings) *bool { return &s.Submodules }),
		"workspaces":     number(1_000, func(s *Settings) *int { return &s.Workspaces }),
		"web":            boolean(func(s *Settings) *bool { return &s.Web }),
		"url":            webAddress,
		"keep":           keep,
		"secrets":        secrets,
	}
})

// cacheMaxKey is the setting of a root that limits the caches of all repositories together.
const cacheMaxKey = "cache-max"

// repoKeys are the settings of the tables for single repositories.
var repoKeys = sync.OnceValue(func() map[string]key {
	all := maps.Clone(keys())
	all[inheritKey] = inheritSecrets
	delete(all, cacheMaxKey)
	return all
})

// config checks the whole document.
func (d *document) config(top *table) *Config {
	c := &Config{}
	rest := &table{}
	for _, e := range top.entries {
		if e.name == "repo" {
			c.repos = d.repos(e.value)
		} else {
			rest.entries = append(rest.entries, e)
		}
	}
	c.global = d.layer(rest, keys(), "repo")
	d.checkInherited()
	return c
}

// repos checks the tables for single repositories.
func (d *document) repos(v value) []repoLayer {
	t, ok := d.asTable("repo", v)
	if !ok {
		return nil
	}
	var layers []repoLayer
	for _, e := range t.entries {
		if !isRepo(e.name) {
			d.reportKey(e, "a name such as 'work/foo.git', or a pattern such as 'work/*'", "no repository can match '%s'", e.name)
		}
		if of, ok := d.asTable("repo '"+e.name+"'", e.value); ok {
			layers = append(layers, repoLayer{e.name, d.layer(of, repoKeys()), d.diagnostic(e.at,
				"correct the name, or remove the table", "no repository matches '%s'", e.name)})
		}
	}
	slices.SortStableFunc(layers, func(a, b repoLayer) int {
		return cmp.Compare(specificity(a.pattern), specificity(b.pattern))
	})
	return layers
}

// layer checks the settings in t. known are the allowed keys; more are further names for the
// message about an unknown one.
func (d *document) layer(t *table, known map[string]key, more ...string) layer {
	var l layer
	for _, e := range t.entries {
		check := known[e.name]
		if check == nil {
			d.unknown(e, "key", append(names(known), more...))
		} else if set := check(d, e.name, e.value); set == nil {
			continue
		} else if e.name == inheritKey {
			l = slices.Insert(l, 0, set) // before the secrets that the table itself declares
		} else {
			l = append(l, set)
		}
	}
	return l
}

func (d *document) unknown(e entry, what string, known []string) {
	slices.Sort(known)
	d.reportKey(e, "the "+what+"s are "+strings.Join(known, ", "), "unknown %s '%s'", what, e.name)
}

func names(known map[string]key) []string { return slices.Collect(maps.Keys(known)) }

func (d *document) asTable(name string, v value) (*table, bool) {
	t, ok := v.v.(*table)
	if list, isList := v.v.([]value); isList && len(list) == 0 {
		t, ok = &table{}, true // in Fennel, [] and {} can be the same
	}
	if !ok {
		d.report(v.at, "", "%s must be a table, not %s", name, v.kind())
	}
	return t, ok
}

func oneOf(known []string, field func(*Settings) *string) key {
	return func(d *document, name string, v value) func(*Settings) {
		s, ok := v.v.(string)
		switch {
		case !ok:
			d.report(v.at, "", "%s must be a string, not %s", name, v.kind())
			return nil
		case !slices.Contains(known, s):
			d.report(v.at, "", "unknown %s '%s': it is one of %s", name, s, strings.Join(known, ", "))
			return nil
		}
		return func(to *Settings) { *field(to) = s }
	}
}

func boolean(field func(*Settings) *bool) key {
	return func(d *document, name string, v value) func(*Settings) {
		b, ok := v.v.(bool)
		if !ok {
			d.report(v.at, "", "%s must be true or false, not %s", name, v.kind())
			return nil
		}
		return func(to *Settings) { *field(to) = b }
	}
}

func number(most int64, field func(*Settings) *int) key {
	return func(d *document, name string, v value) func(*Settings) {
		n, ok := v.v.(int64)
		if !ok || n < 0 || n > most {
			d.report(v.at, "", "%s must be a whole number from 0 to %d, not %s", name, most, v.kind())
			return nil
		}
		return func(to *Settings) { *field(to) = int(n) }
	}
}

func duration(field func(*Settings) *time.Duration) key {
	return func(d *document, name string, v value) func(*Settings) {
		s, ok := v.quantity()
		if !ok {
			d.report(v.at, unit.DurationForm, "%s must be a duration, not %s", name, v.kind())
			return nil
		}
		n, err := unit.ParseDuration(s)
		if err != nil {
			d.report(v.at, unit.DurationForm, "%s must be a duration, not '%s'", name, s)
			return nil
		}
		return func(to *Settings) { *field(to) = n }
	}
}

// size returns the key of a size of at most the given number of bytes.
func size(most uint64, field func(*Settings) *uint64) key {
	return func(d *document, name string, v value) func(*Settings) {
		s, ok := v.quantity()
		if !ok {
			d.report(v.at, unit.SizeForm, "%s must be a size, not %s", name, v.kind())
			return nil
		}
		n, err := unit.ParseSize(s)
		if err != nil {
			d.report(v.at, unit.SizeForm, "%s must be a size, not '%s'", name, s)
			return nil
		}
		if n > most {
			d.report(v.at, "", "%s must be from 0 to %dGiB", name, most>>30)
			return nil
		}
		return func(to *Settings) { *field(to) = n }
	}
}

// sizeOrMiB is size, but also accepts a number of MiB, as version 0.1 did.
func sizeOrMiB(most uint64, field func(*Settings) *uint64) key {
	return func(d *document, name string, v value) func(*Settings) {
		if n, ok := v.v.(int64); ok && n != 0 {
			d.warn(v.at, "", "%s without a unit is deprecated: write \"%dMiB\"", name, n)
			v.v = fmt.Sprintf("%dMiB", min(uint64(n), most>>20+1)) // a negative number becomes too large
		}
		return size(most, field)(d, name, v)
	}
}

// stringList returns the key of a list of strings. check returns the problem of a string, or
// "".
func stringList(check func(string) (problem string), field func(*Settings) *[]string) key {
	return func(d *document, name string, v value) func(*Settings) {
		list, ok := d.strings(name, v, check)
		if !ok {
			return nil
		}
		return func(to *Settings) { *field(to) = list }
	}
}

func (d *document) strings(name string, v value, check func(string) (problem string)) ([]string, bool) {
	_, ok := v.v.([]value)
	if t, isTable := v.v.(*table); isTable && len(t.entries) == 0 {
		ok = true
	}
	if !ok {
		d.report(v.at, "", "%s must be a list of strings, not %s", name, v.kind())
		return nil, false
	}
	var result []string
	for _, e := range v.elements() {
		s, ok := e.v.(string)
		if !ok {
			d.report(e.at, "", "%s must be a list of strings, not of %s", name, e.kind())
		} else if problem := check(s); problem != "" {
			d.report(e.at, "", "%s: %s", name, problem)
		}
		result = append(result, s)
	}
	return result, true
}

// shell checks the words of the program that runs commands. There must be at least one.
func shell(d *document, name string, v value) func(*Settings) {
	set := stringList(notEmpty, func(s *Settings) *[]string { return &s.Shell })(d, name, v)
	if set != nil && len(v.elements()) == 0 {
		d.report(v.at, "write [\"/bin/sh\", \"-ec\"] for the default", "shell must not be empty")
		return nil
	}
	return set
}

func notEmpty(s string) string {
	if s == "" || strings.ContainsRune(s, 0) {
		return "a word is empty or has a zero byte"
	}
	return ""
}

var passEnv = stringList(variableName, func(s *Settings) *[]string { return &s.PassEnv })

// env checks a table of variables and their values. It also accepts the list of names of
// version 0.1, which is now the key pass-env.
func env(d *document, name string, v value) func(*Settings) {
	if _, isList := v.v.([]value); isList {
		d.warn(v.at, "", "%s as a list of names is deprecated: write pass-env", name)
		return passEnv(d, name, v)
	}
	t, ok := v.v.(*table)
	if !ok {
		d.report(v.at, "such as { PATH = \"/usr/bin:/bin\" }", "%s must be a table, not %s", name, v.kind())
		return nil
	}
	vars := map[string]string{}
	for _, e := range t.entries {
		s, ok := e.value.v.(string)
		switch problem := variableName(e.name); {
		case problem != "":
			d.reportKey(e, "", "%s: %s", name, problem)
		case e.name == "CI":
			d.reportKey(e, "", "%s: 'CI' is always true", name)
		case !ok:
			d.report(e.value.at, "", "%s.%s must be a string, not %s", name, e.name, e.value.kind())
		case strings.ContainsRune(s, 0):
			d.report(e.value.at, "", "%s.%s has a zero byte", name, e.name)
		}
		vars[e.name] = s
	}
	return func(s *Settings) { maps.Copy(s.Env, vars) }
}

// variableName returns the problem of a name of a variable for jobs, or "". It refuses
// quire's own variables, and Git's, which would direct git commands to another repository.
func variableName(s string) string {
	switch {
	case s == "" || strings.ContainsAny(s, "=\x00"):
		return "'" + s + "' is not the name of a variable"
	case strings.HasPrefix(s, "GIT_") || strings.HasPrefix(s, "QUIRE_"):
		return "'" + s + "' is reserved for Git or quire"
	}
	return ""
}

// webAddress checks the address of the pages of quire-web. Paths are appended to it.
func webAddress(d *document, name string, v value) func(*Settings) {
	s, ok := v.v.(string)
	_, host, _ := strings.Cut(s, "://")
	switch {
	case !ok:
		d.report(v.at, "", "%s must be a string, not %s", name, v.kind())
		return nil
	case s == "":
	case !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://"),
		strings.Trim(host, "/") == "", strings.ContainsAny(s, "?#\"'<>\\`"),
		strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
		d.report(v.at, "an address such as \"https://ci.example.org\"", "%s must be the address of a web server, not '%s'", name, s)
		return nil
	}
	return func(to *Settings) { to.URL = strings.TrimRight(s, "/") }
}

func keep(d *document, name string, v value) func(*Settings) {
	t, ok := d.asTable(name, v)
	if !ok {
		return nil
	}
	known := map[string]key{
		"runs":  number(1_000_000_000, func(s *Settings) *int { return &s.Keep.Runs }),
		"cache": duration(func(s *Settings) *time.Duration { return &s.Keep.Cache }),
	}
	var sets layer
	for _, e := range t.entries {
		check := known[e.name]
		if check == nil {
			d.unknown(e, "key", names(known))
		} else if set := check(d, name+"."+e.name, e.value); set != nil {
			sets = append(sets, set)
		}
	}
	return sets.apply
}

// apply applies all settings of a layer.
func (l layer) apply(s *Settings) {
	for _, set := range l {
		set(s)
	}
}
