package config

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"quire/lib/glob"
	"quire/lib/runlog"
	"quire/lib/text"
)

// A Secret is a value, or a file that contains one.
type Secret struct {
	Value string
	File  string   // absolute; "" for a Secret with a Value
	Refs  []string // patterns of the refs whose runs may have it; nil: all

	readable bool // Value is in a config file that is readable by other users
}

const (
	othersRead fs.FileMode = 0o004

	// maxSecret is the size of the largest file of a secret, in bytes.
	maxSecret = 1 << 20
)

// secrets checks the table "secrets".
func secrets(d *document, name string, v value) func(*Settings) {
	d.hiding = true
	defer func() { d.hiding = false }()
	t, ok := d.asTable(name, v)
	if !ok {
		return nil
	}
	found := map[string]Secret{}
	for _, e := range t.entries {
		d.declared[e.name] = true
		if s, ok := d.secret(e); ok {
			found[e.name] = s
		}
	}
	return func(s *Settings) {
		maps.Copy(s.declared, found)
		maps.Copy(s.Secrets, found)
	}
}

// secret checks one secret: a string, or a table with a value or a file and optional refs.
func (d *document) secret(e entry) (Secret, bool) {
	name := "secret '" + e.name + "'"
	if !utf8.ValidString(e.name) {
		d.report(e.at, "", "the name of a secret must be UTF-8")
		return Secret{}, false
	}
	if s, ok := e.value.v.(string); ok {
		return Secret{Value: s, readable: d.readable}, true
	}
	t, ok := e.value.v.(*table)
	if !ok {
		d.report(e.value.at, "", "%s must be a string or a table with file or value, not %s", name, e.value.kind())
		return Secret{}, false
	}
	var s Secret
	good, sources := true, 0
	for _, field := range t.entries {
		text, isString := field.value.v.(string)
		if field.name != "refs" {
			sources++
		}
		switch {
		case field.name == "refs":
			s.Refs = d.refs(name, field.value)
		case field.name != "file" && field.name != "value":
			d.unknown(field, "key", []string{"file", "refs", "value"})
			good = false
		case !isString:
			d.report(field.value.at, "", "%s of %s must be a string, not %s", field.name, name, field.value.kind())
			good = false
		case field.name == "value":
			s.Value, s.readable = text, d.readable
		case text == "":
			d.report(field.value.at, "", "file of %s is empty", name)
			good = false
		case filepath.IsAbs(text):
			s.File = text
		default:
			s.File = filepath.Join(filepath.Dir(d.file), text)
		}
	}
	if good && sources != 1 {
		d.report(e.at, "", "%s must have either a file or a value", name)
		good = false
	}
	return s, good
}

// refs checks the refs of a secret. An empty list is an error: no run could have the secret.
func (d *document) refs(name string, v value) []string {
	list, ok := d.strings("refs of "+name, v, refPattern)
	if ok && len(list) == 0 {
		d.report(v.at, "", "refs of %s is empty: no run could have it", name)
	}
	return list
}

// isFor reports whether runs of a ref may have the secret. If the secret has Refs, ref must
// also be a valid name of a ref.
func (s Secret) isFor(ref string) bool {
	return s.Refs == nil || isRef(ref) && slices.ContainsFunc(s.Refs, func(pattern string) bool { return glob.Match(pattern, ref) })
}

// HasMoreSecrets reports whether runs of ref may have a secret that runs of the ref other
// may not have.
func (s Settings) HasMoreSecrets(ref, other string) bool {
	for _, secret := range s.Secrets {
		if secret.isFor(ref) && !secret.isFor(other) {
			return true
		}
	}
	return false
}

// RunSecrets are the secrets of one run.
type RunSecrets struct {
	Values   map[string]string
	Withheld map[string]string // names without a value, and why, such as "is not for this ref"
	Warnings []string          // about secrets that are not safe or cannot be read, without their values
}

// ReadSecrets reads the secrets that a run of ref may have, and no others. A secret that
// cannot be read is withheld, so that only the jobs that use it fail.
func (s Settings) ReadSecrets(ref string) RunSecrets {
	r := RunSecrets{Values: map[string]string{}, Withheld: map[string]string{}}
	warn := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		secret := s.Secrets[name]
		if !secret.isFor(ref) {
			r.Withheld[name] = "is not for this ref"
			continue
		}
		value, readable, err := secret.read()
		if err != nil {
			r.Withheld[name] = "cannot be read: " + err.Error()
			warn("secret '%s' cannot be read: %s", name, err)
			continue
		}
		if readable != "" {
			warn("secret '%s': %s is readable by other users", name, readable)
		}
		if len(value) < runlog.MinSecret {
			warn("secret '%s' is shorter than %d bytes and will not be redacted", name, runlog.MinSecret)
		}
		r.Values[name] = value
	}
	return r
}

// read returns the value. readable says which file is readable by other users, "" if none is.
// Neither readable nor the error contains a path, because pushers read them in logs.
func (s Secret) read() (value, readable string, err error) {
	if s.File == "" {
		if s.readable {
			readable = "the config file"
		}
		return s.Value, readable, nil
	}
	f, err := os.Open(s.File)
	if err != nil {
		return "", "", text.Cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", "", text.Cause(err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", "", text.Cause(err)
	}
	if len(data) > maxSecret {
		return "", "", fmt.Errorf("its file is larger than %d KiB", maxSecret>>10)
	}
	if info.Mode()&othersRead != 0 {
		readable = "its file"
	}
	value, cut := strings.CutSuffix(string(data), "\n")
	if cut {
		value = strings.TrimSuffix(value, "\r")
	}
	return value, readable, nil
}
