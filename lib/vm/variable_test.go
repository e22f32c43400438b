package vm

import (
	"errors"
	"testing"
)

// TestVariableNames checks that errors name the variable at fault, in the words of PUC Lua.
func TestVariableNames(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"table.pak(1)", "attempt to call field 'pak' (a nil value)"},
		{"local t = {} t.x.y()", "attempt to index field 'x' (a nil value)"},
		{"local t = {x = 5} t.x()", "attempt to call field 'x' (a number value)"},
		{"nothing()", "attempt to call global 'nothing' (a nil value)"},
		{"local f f()", "attempt to call local 'f' (a nil value)"},
		{"local f local function g() f() end g()", "attempt to call upvalue 'f' (a nil value)"},
		{"local t = {} t:go()", "attempt to call method 'go' (a nil value)"},
		{"local t t.x = 1", "attempt to index local 't' (a nil value)"},
		{"print(1, none.x)", "attempt to index global 'none' (a nil value)"},
		{"return table.pak(1)", "attempt to call field 'pak' (a nil value)"},
		{"local a = {} return a.b.c, a.d.e", "attempt to index field 'b' (a nil value)"},
		{"local x = 1 local y = {} print(y.z[x])", "attempt to index field 'z' (a nil value)"},
		{"local s = ('x').y.z", "attempt to index field 'y' (a nil value)"},
		{"(nil)()", "attempt to call what is not a function"},
	} {
		v := New(Limits{})
		fn, err := v.Load(test.text, "t.lua")
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Call(t.Context(), fn)
		var e *Error
		if !errors.As(err, &e) || e.Message != test.want {
			t.Errorf("%s: got %v, want %s", test.text, err, test.want)
		}
		v.Close()
	}
}
