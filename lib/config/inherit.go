package config

import "maps"

// inheritKey is the setting of a repository that says which secrets it inherits from the
// global settings and from less specific tables.
const inheritKey = "inherit-secrets"

// inheritSecrets checks the setting: true, false, or a list of names.
func inheritSecrets(d *document, name string, v value) func(*Settings) {
	if all, ok := v.v.(bool); ok {
		return func(s *Settings) { s.inherit(func(string) bool { return all }) }
	}
	list, ok := d.strings(name, v, notEmpty)
	if !ok {
		d.problems[len(d.problems)-1].Hint = "or true for all of them, false for none"
		return nil
	}
	accepted := map[string]bool{}
	for i, e := range v.elements() {
		accepted[list[i]] = true
		if list[i] != "" { // "" is already reported
			d.inherited = append(d.inherited, entry{name: list[i], at: e.at})
		}
	}
	return func(s *Settings) { s.inherit(func(name string) bool { return accepted[name] }) }
}

// inherit resets the secrets to the ones declared so far that accept accepts, including
// secrets that a less specific table dropped.
func (s *Settings) inherit(accept func(name string) bool) {
	s.Secrets = maps.Clone(s.declared)
	maps.DeleteFunc(s.Secrets, func(name string, _ Secret) bool { return !accept(name) })
}

// checkInherited reports inherited names that are not declared.
func (d *document) checkInherited() {
	for _, e := range d.inherited {
		if !d.declared[e.name] {
			d.report(e.at, "", "%s: there is no secret '%s'", inheritKey, e.name)
		}
	}
}
