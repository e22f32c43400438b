package pipeline

import (
	"slices"
	"strings"

	"quire/lib/fennel"
)

// ShOptions are the options of sh.
var ShOptions = []string{"check", "cwd", "env", "stdin", "timeout"}

// checkFunction looks at the source of a run-fn in Fennel, as far as it is written out:
// its parameter names primitives, and calls of sh have options.
func (r *registry) checkFunction(c call, written fennel.Node) {
	fn, params := c.file.function(written)
	if fn == nil || len(params.Items) == 0 {
		return
	}
	table, ok := params.Items[0].(*fennel.Table)
	if !ok {
		return
	}
	names := map[string]string{} // of primitives, by what the function calls them
	for i, key := range table.Keys {
		primitive, ok := key.(*fennel.String)
		if !ok {
			continue
		}
		if !slices.Contains(Primitives, primitive.Value) {
			d := c.problemAt(key, "unknown primitive %s", brief(primitive.Value))
			d.Hint = "the primitives are " + strings.Join(Primitives, ", ")
			r.report(d)
		}
		if name, ok := table.Values[i].(*fennel.Symbol); ok {
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
		for _, key := range options.Keys {
			if name, ok := key.(*fennel.String); ok && !slices.Contains(ShOptions, name.Value) {
				d := c.problemAt(key, "unknown option %s of sh", brief(name.Value))
				d.Hint = "the options are " + strings.Join(ShOptions, ", ")
				r.report(d)
			}
		}
	case "secret":
		if name, ok := l.Items[1].(*fennel.String); ok {
			r.secrets = append(r.secrets, Secret{name.Value, c.problemAt(name, "")})
		}
	}
}

// function returns the fn or lambda that is written at a node, or that a name of the file
// stands for, and its parameters; nil if there is none.
func (f *file) function(n fennel.Node) (fn *fennel.List, params *fennel.Sequence) {
	if name, ok := n.(*fennel.Symbol); ok {
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

// isName says whether a node is a symbol of one of the names.
func isName(n fennel.Node, names ...string) bool {
	s, ok := n.(*fennel.Symbol)
	return ok && slices.Contains(names, s.Name)
}
