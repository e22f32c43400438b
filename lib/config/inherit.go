package config

import "maps"

// inheritKey is the setting of a repository that says which of the secrets it has
// that are declared for more repositories.
const inheritKey = "inherit-secrets"

// inheritSecrets checks it: true, false, or the names of some.
func inheritSecrets(d *document, name string, v value) func(*Settings) {
	if all, ok := v.v.(bool); ok {
		return func(s *Settings) { s.inherit(func(string) bool { return all }) }
	}
	list, ok := d.strings(name, v, notEmpty)
	if !ok {
		d.problems[len(d.problems)-1].Hint = "or true for all of them, false for none"
		return nil
	}
	taken := map[string]bool{}
	for i, e := range v.elements() {
		taken[list[i]] = true
		if list[i] != "" { // which has been reported
			d.inherited = append(d.inherited, entry{name: list[i], at: e.at})
		}
	}
	return func(s *Settings) { s.inherit(func(name string) bool { return taken[name] }) }
}

// inherit makes the repository's secrets those that were declared so far, as far
// as they are taken. What less specific tables left out counts again.
func (s *Settings) inherit(taken func(name string) bool) {
	s.Secrets = maps.Clone(s.declared)
	maps.DeleteFunc(s.Secrets, func(name string, _ Secret) bool { return !taken(name) })
}

func (d *document) declare(name string) {
	if d.declared == nil {
		d.declared = map[string]bool{}
	}
	d.declared[name] = true
}

// checkInherited reports names that no secret has.
func (d *document) checkInherited() {
	for _, e := range d.inherited {
		if !d.declared[e.name] {
			d.report(e.at, "", "%s: there is no secret '%s'", inheritKey, e.name)
		}
	}
}
