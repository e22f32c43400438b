package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Secret is a value, or a file that holds one.
type Secret struct {
	Value string
	File  string // absolute; "" where Value counts

	open bool // Value stands in a config file that others may read
}

const (
	othersRead fs.FileMode = 0o004

	// maxSecret bounds the file of a secret, in bytes.
	maxSecret = 1 << 20

	// minSecret is the length from which a secret is redacted. A shorter value is
	// likely to be part of something else.
	minSecret = 8
)

// secrets checks the table of that name.
func secrets(d *document, name string, v value) func(*Settings) {
	d.hiding = true
	defer func() { d.hiding = false }()
	t, ok := d.asTable(name, v)
	if !ok {
		return nil
	}
	found := map[string]Secret{}
	for _, e := range t.entries {
		if s, ok := d.secret(e); ok {
			found[e.name] = s
		}
	}
	return func(s *Settings) { maps.Copy(s.Secrets, found) }
}

// secret checks one secret: a string, or a table with a value or a file.
func (d *document) secret(e entry) (Secret, bool) {
	name := "secret '" + e.name + "'"
	if s, ok := e.value.v.(string); ok {
		return Secret{Value: s, open: d.open}, true
	}
	t, ok := e.value.v.(*table)
	if !ok {
		d.report(e.value.at, "", "%s must be a string or a table with file or value, not %s", name, e.value.kind())
		return Secret{}, false
	}
	var s Secret
	good := true
	for _, field := range t.entries {
		text, isString := field.value.v.(string)
		switch {
		case field.name != "file" && field.name != "value":
			d.unknown(field, "key", []string{"file", "value"})
			good = false
		case !isString:
			d.report(field.value.at, "", "%s of %s must be a string, not %s", field.name, name, field.value.kind())
			good = false
		case field.name == "value":
			s.Value, s.open = text, d.open
		case text == "":
			d.report(field.value.at, "", "file of %s is empty", name)
			good = false
		case filepath.IsAbs(text):
			s.File = text
		default:
			s.File = filepath.Join(filepath.Dir(d.file), text)
		}
	}
	if good && len(t.entries) != 1 {
		d.report(e.at, "", "%s must have either a file or a value", name)
		good = false
	}
	return s, good
}

// ReadSecrets returns the values of all secrets. The warnings name secrets that are
// not safe, never their values. The error is for files that cannot be read; it
// names all of them.
func (s Settings) ReadSecrets() (values map[string]string, warnings []string, err error) {
	values = map[string]string{}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		secret := s.Secrets[name]
		value, open, err := secret.read()
		if err != nil {
			problems = append(problems, fmt.Errorf("cannot read secret '%s': %w", name, err))
			continue
		}
		if open != "" {
			warnings = append(warnings, fmt.Sprintf("secret '%s': others can read %s", name, open))
		}
		if len(value) < minSecret {
			warnings = append(warnings, fmt.Sprintf("secret '%s' is shorter than %d bytes and will not be redacted", name, minSecret))
		}
		values[name] = value
	}
	return values, warnings, errors.Join(problems...)
}

// read returns the value and, where others may read it, the file they can read it
// in.
func (s Secret) read() (value, open string, err error) {
	if s.File == "" {
		if s.open {
			open = "the config file"
		}
		return s.Value, open, nil
	}
	f, err := os.Open(s.File)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", "", err
	}
	if len(text) > maxSecret {
		return "", "", fmt.Errorf("'%s' is larger than %d KiB", s.File, maxSecret>>10)
	}
	if info.Mode()&othersRead != 0 {
		open = "'" + s.File + "'"
	}
	value, cut := strings.CutSuffix(string(text), "\n")
	if cut {
		value = strings.TrimSuffix(value, "\r")
	}
	return value, open, nil
}
