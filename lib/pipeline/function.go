package pipeline

import (
	"slices"
	"strings"

	"quire/lib/fennel"
)

// ShOptions are the options of sh.
var ShOptions = []string{"check", "cwd", "env", "shell", "stdin", "timeout"}

// checkFunction checks the source of a literal run-fn in Fennel: its parameter must name
// primitives, and calls of sh must have options.
func (r *registry) checkFunction(c call, written fennel.Node) {
	fn, params := c.file.function(written)
	if fn == nil || len(params.Items) == 0 {
		return
	}
	table, ok := params.Items[0].(*fennel.Table)
	if !ok {
		return
	}
	names := map[string]string{} // primitives, by their names in the function
	for i, key := range table.Keys {
		primitive, ok := key.(*fennel.String)
		if !ok {
			continue
		}
		if !slices.Contains(primitives, primitive.Value) {
			d := c.problemAt(key, "unknown primitive %s", quoted(primitive.Value))
			d.Hint = "the primitives are " + strings.Join(primitives, ", ")
			r.report(d)
		}
		// A name that the function binds again may not be the primitive.
		if name, ok := table.Values[i].(*fennel.Symbol); ok && bindings(fn, name.Name, false) == 1 {
			names[name.Name] = primitive.Value
		}
	}
	for _, form := range fn.Items {
		walk(form, func(l *fennel.List) { r.checkPrimitive(c, l, names) })
	}
}

// checkPrimitive checks one call in a run-fn.
func (r *registry) checkPrimitive(c call, l *fennel.List, names map[string]string) {
	if len(l.Items) < 2 {
		return
	}
	head, ok := l.Items[0].(*fennel.Symbol)
	if !ok {
		return
	}
	switch names[head.Name] {
	case "sh":
		if len(l.Items) < 3 {
			return
		}
		options, ok := l.Items[2].(*fennel.Table)
		if !ok {
			return
		}
		_, words := l.Items[1].(*fennel.Sequence)
		for i, key := range options.Keys {
			name, ok := key.(*fennel.String)
			if !ok {
				continue
			}
			_, isList := options.Values[i].(*fennel.Sequence) // another value may be nil
			switch {
			case !slices.Contains(ShOptions, name.Value):
				d := c.problemAt(key, "unknown option %s of sh", quoted(name.Value))
				d.Hint = "the options are " + strings.Join(ShOptions, ", ")
				r.report(d)
			case name.Value == "shell" && isList && words:
				d := c.problemAt(key, "option 'shell' of sh is only for a command that is a string")
				d.Hint = "write the shell as the first words of the command, or the command as a string"
				r.report(d)
			}
		}
	case "secret":
		if name, ok := l.Items[1].(*fennel.String); ok {
			r.secrets = append(r.secrets, Secret{name.Value, c.problemAt(name, "")})
		}
	}
}

// function returns the fn or lambda at a node, or the one bound to a name of the file,
// and its parameters; nil if there is none.
func (f *file) function(n fennel.Node) (fn *fennel.List, params *fennel.Sequence) {
	if name, ok := n.(*fennel.Symbol); ok {
		bound := 0
		for _, form := range f.forms {
			bound += bindings(form, name.Name, false)
		}
		if bound != 1 {
			return nil, nil
		}
		for _, form := range f.forms {
			if l, ok := form.(*fennel.List); ok && len(l.Items) > 2 && isName(l.Items[1], name.Name) {
				n = l
			}
		}
	}
	l, ok := n.(*fennel.List)
	if !ok || len(l.Items) < 2 || !isName(l.Items[0], "fn", "lambda", "λ") {
		return nil, nil
	}
	for _, item := range l.Items[1:min(3, len(l.Items))] {
		if params, ok := item.(*fennel.Sequence); ok {
			return l, params
		}
	}
	return nil, nil
}

// bindings returns how often a form may bind a name: how often the name is in brackets or
// braces, or an item of a form that binds. bind says that the form is in one of those.
func bindings(n fennel.Node, name string, bind bool) int {
	count := 0
	switch n := n.(type) {
	case *fennel.Symbol:
		if bind && n.Name == name {
			return 1
		}
	case *fennel.List:
		bind = len(n.Items) > 0 && isName(n.Items[0], "fn", "lambda", "λ", "local", "var", "global", "set", "macro",
			"case", "match", "case-try", "match-try")
		for _, item := range n.Items {
			count += bindings(item, name, bind)
		}
	case *fennel.Sequence:
		for _, item := range n.Items {
			count += bindings(item, name, true)
		}
	case *fennel.Table:
		for i := range n.Values {
			count += bindings(n.Values[i], name, true)
		}
	}
	return count
}

// isName says whether a node is a symbol of one of the names.
func isName(n fennel.Node, names ...string) bool {
	s, ok := n.(*fennel.Symbol)
	return ok && slices.Contains(names, s.Name)
}
