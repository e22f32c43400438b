// Package fennel compiles Fennel to Lua 5.1. It knows nothing of CI.
//
// # The way of a source
//
// The reader (read.go, read_token.go, read_string.go) turns text into a tree of
// nodes (ast.go), each with its line and column. It goes on after an error, so that
// one go shows all that cannot be read.
//
// The compiler (compile.go) walks the tree. A list whose head is a macro is
// replaced by what the macro makes of it (macro.go) until it is none; a list whose
// head is a special form goes to the function of that form (forms.go, special_*.go,
// operators.go); any other is a call (call.go). What comes out is a tree of Lua
// (lua_tree.go), each piece of which carries the line it comes from. Each form is
// compiled for a want: its value is returned, assigned to places, needed once, or not
// needed at all. Forms that are statements in Lua, such as if and let, so become
// plain statements wherever they can, and a local or a function called on the spot
// where they cannot (special_control.go).
//
// limits.go counts what Lua 5.1 limits: locals, captured variables, levels of syntax,
// registers.
//
// The printer (emit.go, emit_expr.go) writes the tree of Lua, every piece on the
// line of its form and never further up. So a run-time error or a traceback of Lua names
// the line of the Fennel source, and nothing has to be mapped back. The text is the only
// output: it is what Program.Load loads. It is plain Lua 5.1. What gopher-lua does
// otherwise is the business of package vm.
//
// # Names
//
// A scope (scope.go) maps Fennel names to locals of Lua. A local gets a Lua name
// (mangle.go) that is unique in all scopes around it, so nothing is ever hidden by
// accident, and becomes visible only after its initialiser. Past 50 locals in one
// function the names go into a table, since Lua allows no more than 200 and a
// function no more than 60 from around it (limits.go). With Options.Globals
// every name that is neither bound nor known is an error.
//
// # Patterns
//
// destructure.go gives values to patterns for let, local, var, set, global, fn and
// each. match.go turns case and match into if and let, from trees to trees, as all
// built-in macros are (macro_*.go); they are written in Go, so a source that defines no
// macro never starts a Lua state for compiling.
//
// # Macros of the source
//
// compiletime.go runs user macros in a sandboxed state (package vm) that sees forms
// as the tables the language's reference describes (compiletime_tree.go) and the
// functions it names (compiletime_env.go). Macro modules come through
// Options.Macros alone. A form that a macro made has the position of the macro's
// call; one that it was given keeps its own. Time is bounded for all macros of a
// source together.
//
// # Errors
//
// All errors are diagnostics with a place (errors.go). A form that cannot be compiled
// is left out and the next one is tried; names it may have been about to bind are
// forgiven, so that one mistake is not reported as ten. The messages use the terms
// of the language's own compiler, for whoever looks them up.
//
// # Order of evaluation
//
// Arguments are evaluated from left to right, with one exception, which is that of
// the language: a form that has to become statements runs before the expressions
// to its left in the same call or table, unless it is the last one there and can give
// any number of values. and, or and the branches of if never run what is not asked
// for. In a comparison of more than two operands, those in the middle that are not
// names or literals are evaluated first.
//
// # Versions
//
// The language is that of Fennel 1.5.1. Where 1.6.1 is knowingly followed instead:
// escapes in strings are those of Lua 5.4 on every Lua (\x, \u, \z), unknown escapes
// are refused, strings with a backslash come out right, data can be quoted at
// run time, numbers are exact, a wrong token is reported where it begins, the key of a
// destructuring pattern must be a literal, and a global whose name is no identifier of
// Lua is a field of _G.
//
// Knowingly different from both: bit operators are refused, since Lua 5.1 has none;
// // is compiled to math.floor; rest patterns work in case and match; a table in { } with
// number keys keeps one value for each; docstrings and metadata are dropped; macros
// have no files, clock or environment; errors point at the exact form.
package fennel
