package config

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"quire/lib/diag"
)

// A document is one file during Load.
type document struct {
	file     string
	text     []byte
	readable bool // by other users
	hiding   bool // diagnostics omit the source line: it may contain a secret
	problems diag.List
	warnings diag.List // about deprecated settings

	declared  map[string]bool // the names of all secrets
	inherited []entry         // the names in all lists inherit-secrets
}

// A position in a document is 1-based. The column is in characters.
type position struct{ line, column int }

// A value is one value of a document: a string, an int64, a float64, a bool, a []value, a
// *table, or something else that no setting accepts.
type value struct {
	at position
	v  any
}

// A table has its entries in the order of the document.
type table struct{ entries []entry }

type entry struct {
	name  string
	at    position
	value value
}

// report adds a problem at a position.
func (d *document) report(at position, hint, format string, args ...any) {
	d.problems = append(d.problems, d.diagnostic(at, hint, format, args...))
}

// warn adds a warning at a position. The file can still be used.
func (d *document) warn(at position, hint, format string, args ...any) {
	d.warnings = append(d.warnings, d.diagnostic(at, hint, "warning: "+format, args...))
}

func (d *document) diagnostic(at position, hint, format string, args ...any) diag.Diagnostic {
	result := diag.Diagnostic{
		File: d.file, Line: at.line, Column: at.column, Hint: hint,
		Message: fmt.Sprintf(format, args...), Source: diag.SourceLine(d.text, at.line),
	}
	if d.hiding {
		result.Source = ""
	}
	return result
}

// reportKey adds a problem with the key of an entry. It shows the line only up to the end of
// the key: the value may be a secret.
func (d *document) reportKey(e entry, hint, format string, args ...any) {
	d.report(e.at, hint, format, args...)
	last := &d.problems[len(d.problems)-1]
	line := []rune(last.Source)
	last.Source = string(line[:min(len(line), e.at.column+utf8.RuneCountInString(e.name))])
}

// withoutSecrets removes source lines from the diagnostics of a document that could not be
// parsed, because pushers read them and they may contain a secret. It removes a line if that
// line or an earlier one of the document contains the word "secret".
func (d *document) withoutSecrets(list diag.List) diag.List {
	for i := range list {
		n := 0
		for line := range strings.Lines(string(d.text)) {
			if n++; n <= list[i].Line && strings.Contains(line, "secret") {
				list[i].Source = ""
			}
		}
	}
	return list
}

// positionOf returns the position of the byte at an offset.
func (d *document) positionOf(offset int) position {
	before := string(d.text[:min(offset, len(d.text))])
	start := strings.LastIndexByte(before, '\n') + 1
	return position{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])}
}

// elements returns the elements of a list, nil for another value.
func (v value) elements() []value {
	list, _ := v.v.([]value)
	return list
}

// quantity returns the text of a duration or a size. The number 0 needs no unit.
func (v value) quantity() (text string, ok bool) {
	if v.v == int64(0) {
		return "0", true
	}
	text, ok = v.v.(string)
	return text, ok
}

// kind describes a value in a message. It does not show strings: one may be a misplaced
// secret.
func (v value) kind() string {
	switch v := v.v.(type) {
	case string:
		return "a string"
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []value:
		return "a list"
	case *table:
		return "a table"
	case nil:
		return "nil"
	}
	return "another kind of value"
}
