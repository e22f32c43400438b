package fennel

import "strings"

// specialInclude compiles a module into the output, so that require finds it.
func specialInclude(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) == 2, l, "expected one argument")
	at := c.lineOf(l)
	name := c.moduleName(l.Items[1], s)
	if c.included == nil {
		c.included = map[string]bool{}
	}
	done, seen := c.included[name]
	c.check(!seen || done, l, "circular include of module %s", name)
	if !seen {
		c.included[name] = false
		c.include(name, l)
		c.included[name] = true
	}
	return values(&luaCall{at, &luaName{at, "require"}, []luaExpr{&luaString{at, name}}})
}

// include puts the loader of a module before the top-level form that includes it, so the
// module sees the locals that the chunk has declared by then.
func (c *compiler) include(name string, at *List) {
	src := c.readModule(name, at)
	f := &luaFunction{vararg: true, body: &block{}, file: src.name}
	if isLuaFile(src.name) {
		f.body.add(&statRaw{luaRaw{0, src.text + "\n"}})
	} else {
		forms := c.parse(src)
		main, module, errs := c.main, c.module, len(c.errs)
		c.main, c.module = src, name
		defer func() { c.main, c.module = main, module }()
		root := newFunctionScope(nil, &function{vararg: true})
		c.body(forms, root, f.body, wantTail)
		if len(c.errs) > errs {
			panic(bail{})
		}
	}
	preload := c.fields(&luaName{0, "package"}, []string{"preload", name}, 0)
	c.preload.add(&statAssign{0, []luaExpr{preload}, []luaExpr{&luaBinary{0, "or", []luaExpr{preload, f}}}})
}

func isLuaFile(name string) bool { return strings.HasSuffix(name, ".lua") }

// readModule finds a module by its name.
func (c *compiler) readModule(name string, at Node) *source {
	if c.opts.Macros == nil {
		c.fail(at, "module not found: %s", name)
	}
	file, text, err := c.opts.Macros(name)
	if err != nil {
		c.fail(at, "module not found: %s: %s", name, oneLine(err.Error()))
	}
	src := &source{file, string(text)}
	if c.sources == nil {
		c.sources = map[string]*source{}
	}
	c.sources[file] = src
	return src
}

// parse reads a module. If it cannot be read, the current form fails.
func (c *compiler) parse(src *source) []Node {
	r := newReader(src, c.opts.Bound)
	forms := r.forms()
	if len(r.errs) > 0 {
		c.errs = append(c.errs, r.errs...)
		panic(bail{})
	}
	return forms
}
