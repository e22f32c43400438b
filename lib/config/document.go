package config

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"quire/lib/diag"
)

// A document is one file while it is read.
type document struct {
	file     string
	text     []byte
	open     bool // others may read the file
	hiding   bool // what is reported is about a secret
	problems diag.List
	warnings diag.List // about what is read, but deprecated

	declared  map[string]bool // the names of all secrets
	inherited []entry         // names of secrets that are taken over, to be looked up at the end
}

// A place is a position in a document, both 1-based, the column in characters.
type place struct{ line, column int }

// A value is one value of a document: a string, an int64, a float64, a bool, a
// []value, a *table, or something else that no setting takes.
type value struct {
	at place
	v  any
}

// A table has its entries in the order of the document.
type table struct{ entries []entry }

type entry struct {
	name  string
	at    place
	value value
}

// report notes what is wrong at a place.
func (d *document) report(at place, hint, format string, args ...any) {
	d.problems = append(d.problems, d.diagnostic(at, hint, format, args...))
}

// warn notes what is wrong at a place but does not keep the file from being used.
func (d *document) warn(at place, hint, format string, args ...any) {
	d.warnings = append(d.warnings, d.diagnostic(at, hint, "warning: "+format, args...))
}

func (d *document) diagnostic(at place, hint, format string, args ...any) diag.Diagnostic {
	result := diag.Diagnostic{
		File: d.file, Line: at.line, Column: at.column, Hint: hint,
		Message: fmt.Sprintf(format, args...), Source: diag.SourceLine(d.text, at.line),
	}
	if d.hiding {
		result.Source = ""
	}
	return result
}

// reportKey notes what is wrong with the key of an entry. It shows the line only
// as far as the key: whatever was meant, the value may be a secret.
func (d *document) reportKey(e entry, hint, format string, args ...any) {
	d.report(e.at, hint, format, args...)
	last := &d.problems[len(d.problems)-1]
	line := []rune(last.Source)
	last.Source = string(line[:min(len(line), e.at.column+utf8.RuneCountInString(e.name))])
}

// withoutSecrets takes the source lines out of diagnostics about a document that
// could not be parsed, where they may hold a secret: pushers read these. It looks
// no closer than for the word.
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

// placeOf returns the place of the byte at an offset.
func (d *document) placeOf(offset int) place {
	before := string(d.text[:min(offset, len(d.text))])
	start := strings.LastIndexByte(before, '\n') + 1
	return place{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])}
}

// elements returns those of a list, none of another value.
func (v value) elements() []value {
	list, _ := v.v.([]value)
	return list
}

// kind names a value in a message. It does not show strings in full: one may be a
// secret that stands in the wrong place.
func (v value) kind() string {
	switch v := v.v.(type) {
	case string:
		return "a string"
	case bool:
		return fmt.Sprint(v)
	case int64, float64:
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
