package fennel

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/yuin/gopher-lua/parse"

	"quire/lib/vm"
)

// BuiltOtherwise says how what is built of a program differs from what gopher-lua parses
// out of its text, to the last row; "" where they are the same, or where nothing is built.
func (p *Program) BuiltOtherwise() string {
	built, ok := build(p.chunk, p.file)
	if !ok {
		return ""
	}
	text, lines := printLua(p.chunk, p.file)
	parsed, err := parse.Parse(strings.NewReader(text), p.file)
	if err != nil {
		return err.Error() + "\n" + text
	}
	want := vm.Chunk{Name: p.file, Stmts: parsed, Lines: lines}
	if diff := difference(reflect.ValueOf(want), reflect.ValueOf(built)); diff != "" {
		return diff + "\n" + text
	}
	return ""
}

// difference says where two values are not alike, "" where they are. It is linear, which
// a difference that is good to read is not: these trees can have 100,000 nodes.
func difference(want, got reflect.Value) string {
	if want.IsValid() != got.IsValid() || want.IsValid() && want.Type() != got.Type() {
		return fmt.Sprintf(": want %v, got %v", want, got)
	}
	within := func(where string, a, b reflect.Value) string {
		if diff := difference(a, b); diff != "" {
			return where + diff
		}
		return ""
	}
	switch want.Kind() {
	case reflect.Invalid:
	case reflect.Interface, reflect.Pointer:
		return within("", want.Elem(), got.Elem())
	case reflect.Struct:
		for i := range want.NumField() {
			if diff := within("."+want.Type().Field(i).Name, want.Field(i), got.Field(i)); diff != "" {
				return diff
			}
		}
	case reflect.Slice:
		if want.Len() != got.Len() {
			return fmt.Sprintf(": want %v, got %v", want, got)
		}
		for i := range want.Len() {
			if diff := within(fmt.Sprintf("[%d]", i), want.Index(i), got.Index(i)); diff != "" {
				return diff
			}
		}
	default:
		if !want.Equal(got) {
			return fmt.Sprintf(": want %v, got %v", want, got)
		}
	}
	return ""
}
