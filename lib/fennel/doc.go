// Package fennel compiles Fennel to Lua 5.1. It knows nothing of CI.
//
// # From source to Lua
//
// The reader (read.go, read_token.go, read_string.go) turns text into a tree of
// nodes (ast.go), each with its line and column. It continues after an error, so that
// one run shows all syntax errors.
//
// The compiler (compile.go) walks the tree. A list whose head is a macro is replaced by
// its expansion (macro.go) until the head is not a macro; a list whose head is a special
// form is passed to the function of that form (forms.go, special_*.go, operators.go); any
// other is a call (call.go). The result is a Lua tree (lua_tree.go), whose nodes have the
// line of their form. Each form is compiled for a want: its value is returned, assigned,
// used once, or not used. Forms that are statements in Lua, such as if and let, become
// statements if possible, and otherwise a local, or a function that is called at once
// (special_control.go).
//
// limits.go checks the limits of Lua 5.1: locals, captured variables, levels of syntax,
// registers.
//
// The printer (emit.go, emit_expr.go) writes the Lua tree, every node on the line of its
// form and never above it. So a run-time error or a traceback of Lua names the line of the
// Fennel source, and no mapping is needed. The text is the only output: Program.Load loads
// it. It is Lua 5.1. Package vm handles the differences of gopher-lua.
//
// # Names
//
// A scope (scope.go) maps Fennel names to Lua locals. A local gets a Lua name (mangle.go)
// that is unique in all scopes around it, so no name is hidden by accident, and becomes
// visible only after its initialiser. After 50 locals in one function, further names go
// into a table: Lua allows 200 locals, and a function may capture 60 (limits.go). With
// Options.Globals every name that is neither bound nor known is an error.
//
// # Patterns
//
// destructure.go assigns values to patterns for let, local, var, set, global, fn and
// each. match.go turns case and match into if and let. Like all built-in macros
// (macro_*.go) they are written in Go and turn trees into trees, so a source that defines
// no macro never starts a Lua state for compiling.
//
// # Macros of the source
//
// compiletime.go runs user macros in a sandboxed state (package vm). They see forms as the
// tables that the language's reference describes (compiletime_tree.go), and the functions
// that it names (compiletime_env.go). Macro modules come only through Options.Macros. A form
// that a macro made has the position of the macro's call; a form that was passed to the
// macro keeps its own. One time limit holds for all macros of a source together.
//
// # Errors
//
// All errors are diagnostics with a position (errors.go). A form that cannot be compiled is
// skipped. The names that it might have bound are forgiven, so that one mistake is not
// reported ten times. The messages use the words of the reference compiler, so that users
// can look them up.
//
// # Order of evaluation
//
// Arguments are evaluated from left to right, with the same exception as in the reference
// compiler: a form that must become statements runs before the expressions to its left in
// the same call or table, unless it is the last one there and can have any number of values.
// and, or and if evaluate only the operands and branches that the language requires. In a
// comparison of more than two operands, the middle ones that are not names or literals are
// evaluated first.
//
// # Versions
//
// The language is Fennel 1.5.1. These differences deliberately follow 1.6.1:
// strings have the escapes of Lua 5.4 on every Lua (\x, \u, \z), unknown escapes
// are refused, strings with a backslash are compiled correctly, data can be quoted at
// run time, numbers are exact, a wrong token is reported at its beginning, the key of a
// destructuring pattern must be a literal, and a global whose name is not a Lua identifier
// is a field of _G.
//
// Deliberately different from both: bit operators are refused, since Lua 5.1 has none;
// // is compiled to math.floor; rest patterns work in case and match; a table in { } with
// number keys keeps one value for each; docstrings and metadata are dropped; macros
// have no files, clock or environment; errors point at the exact form.
package fennel
