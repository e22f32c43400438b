package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/fennel"
	"quire/lib/vm"
)

// The files that may hold a module, in the order of search.
var (
	moduleFiles = []string{"%s.fnl", "%s.lua", "%s/init.fnl", "%s/init.lua"}
	macroFiles  = []string{"%s.fnlm", "%s/init.fnlm", "%s.fnl", "%s/init-macros.fnl", "%s/init.fnl", "%s.lua"}
)

// A loader makes functions from the pipeline's files.
type loader struct {
	vm      *vm.VM
	limits  vm.Limits // of macros
	tree    *tree
	dir     string   // the directory of the modules
	globals []string // that the pipeline may use; nil for all
}

// Compile returns the Lua that Load loads for a Fennel text. The modules for its macros
// are at the top of a tree. name is the file in diagnostics. If strict is set, the text
// may only use the globals that a pipeline has. An error in the text is a diag.List.
func Compile(ctx context.Context, text []byte, name string, modules Files, strict bool) (lua string, err error) {
	v := vm.New(vm.Limits{})
	defer v.Close()
	l := &loader{vm: v, tree: newTree(modules), dir: "."}
	if strict {
		l.globals = v.Globals()
	}
	bound := v.Bound(ctx)
	defer bound.End()
	program, err := l.compile(bound, &file{name: name, text: withoutMark(text)}, "")
	if err != nil {
		return "", err
	}
	return program.Lua, nil
}

// compile compiles a Fennel file, and keeps its forms. module is the name that require
// uses for it, "" for the main file.
func (l *loader) compile(bound *vm.Bound, f *file, module string) (*fennel.Program, error) {
	return fennel.Compile(f.text, fennel.Options{
		File: f.name, Module: module, Globals: l.globals, Macros: l.macros, Limits: l.limits, Bound: bound, Hint: hintFor(f),
		Forms: func(forms []fennel.Node) { f.forms = forms },
	})
}

// function compiles a file, the module of that name, "" for the main file. An error in
// the file is a diag.List.
func (l *loader) function(ctx context.Context, f *file, module string) (*lua.LFunction, error) {
	fn, err := l.load(ctx, f, module)
	var syntax *vm.SyntaxError
	if errors.As(err, &syntax) {
		if included := l.tree.files[syntax.File]; included != nil {
			f = included
		}
		column := syntax.Column
		if column < 1 || f.isFennel() {
			column = f.indent(syntax.Line)
		}
		return nil, diag.List{f.diagnostic(syntax.Line, column, "%s", syntax.Message)}
	}
	var failed *vm.Error
	if errors.As(err, &failed) && errors.As(err, new(*vm.LimitError)) {
		return nil, diag.List{f.diagnostic(failed.Line, f.indent(failed.Line), "%s", failed.Message)}
	}
	return fn, err
}

// load makes a function from a file. Compiling and loading the Lua count as one stretch
// of Lua.
func (l *loader) load(ctx context.Context, f *file, module string) (*lua.LFunction, error) {
	if !f.isFennel() {
		fn, err := l.vm.Load(string(f.text), f.name)
		if err == nil {
			err = unknownGlobals(f, fn.Proto, l.globals)
		}
		return fn, err
	}
	bound := l.vm.Bound(ctx)
	defer bound.End()
	program, err := l.compile(bound, f, module)
	if err != nil {
		if module == "" && l.isLua(f) {
			d := f.diagnostic(1, 1, "this looks like Lua")
			d.Hint = "name the file " + Lua
			return nil, diag.List{d}
		}
		return nil, err
	}
	return program.Load(l.vm)
}

// searcher returns the vm.Searcher for the pipeline's own modules.
func (l *loader) searcher(ctx context.Context) vm.Searcher {
	return func(name string) (*lua.LFunction, string, error) {
		f, looked, err := l.module(name, moduleFiles)
		if f == nil || err != nil {
			return nil, looked, err
		}
		fn, err := l.function(ctx, f, name)
		return fn, "", err
	}
}

// macros finds modules at compile time.
func (l *loader) macros(name string) (string, []byte, error) {
	f, looked, err := l.module(name, macroFiles)
	if err != nil {
		return "", nil, err
	}
	if f == nil {
		return "", nil, fmt.Errorf("module '%s' not found: no %s", name, looked)
	}
	return f.name, f.text, nil
}

// module finds the file of a module in the loader's directory and nowhere else. Dots in
// the name may stand for slashes. If there is no file, it returns the paths it tried.
func (l *loader) module(name string, patterns []string) (f *file, looked string, err error) {
	base := strings.ReplaceAll(name, ".", "/")
	var tried []string
	for _, pattern := range patterns {
		name := l.dir + "/" + fmt.Sprintf(pattern, base)
		if l.dir == "." {
			name = name[2:] // otherwise not a valid path
		}
		if !fs.ValidPath(name) {
			return nil, fmt.Sprintf("file can have the name '%s'", name), nil
		}
		info, err := l.tree.look(name)
		if err != nil {
			return nil, "", err
		}
		if info != nil {
			f, err := l.tree.open(name, info)
			return f, "", err
		}
		tried = append(tried, "'"+name+"'")
	}
	return nil, strings.Join(tried, ", no "), nil
}

// diagnose turns an error of the top level into diagnostics and adds those found before.
// It returns an error that is not the pipeline's unchanged.
func (t *tree) diagnose(ctx context.Context, err error, found diag.List) error {
	var list diag.List
	var e *vm.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("cannot evaluate pipeline: %w", context.Cause(ctx))
	case errors.As(err, &list):
		return sorted(append(found, list...))
	case !errors.As(err, &e):
		return err
	}
	d := diag.Diagnostic{File: e.File, Line: e.Line, Message: e.Message}
	if f := t.files[e.File]; f != nil {
		d = f.diagnostic(e.Line, f.indent(e.Line), "%s", d.Message)
	}
	d.Hint = errorHint(e.Message)
	if errors.As(err, new(*vm.LimitError)) {
		d.Hint = "the top level of a pipeline only defines jobs; work belongs in their functions"
	}
	return sorted(append(found, d))
}
