package fennel

// A scope is one region of names. Scopes nest as the forms of the source do,
// which is finer than Lua's functions; fn tells which of those a scope is in.
type scope struct {
	parent *scope
	fn     *function

	names  map[string]*local // by Fennel name
	taken  map[string]bool   // Lua names declared here
	count  int               // of Lua locals that hold names
	macros map[string]*macro // nil: none

	spilled string // the table that names of a crowded function go into

	// aliased holds the globals that a scope right below this one refers to.
	// A local of the same name declared here afterwards would silently change
	// what the reference seems to mean, and is refused.
	aliased map[string]bool

	// forgiven names are not reported as unknown: a form that failed would
	// have bound them.
	forgiven map[string]bool

	// gensyms are the symbols that names ending in # stand for, in a quote.
	gensyms map[string]string
}

// A function is the Lua function that code is being compiled into.
type function struct {
	vararg bool // "..." may be used
	uses   int  // how often it was
	hashfn bool // made by #( )
	maxArg int  // the highest $n a hashfn uses
	macro  bool // runs at compile time, inside a macro
}

// A local is a name bound by let, local, var, fn, a parameter and so on.
type local struct {
	lua     string
	table   string // the Lua table it is a field of, "" for a local of Lua
	mutable bool
	arg     int       // n for the $n of a hashfn
	of      *function // whose $n it is
}

// newScope returns a scope inside s, in the same function.
func newScope(s *scope) *scope {
	n := &scope{parent: s}
	if s != nil {
		n.fn = s.fn
	}
	return n
}

// newFunctionScope returns a scope inside s that begins a function.
func newFunctionScope(s *scope, f *function) *scope {
	n := newScope(s)
	n.fn = f
	return n
}

// lookup finds the local of that name.
func (s *scope) lookup(name string) *local {
	for ; s != nil; s = s.parent {
		if l := s.names[name]; l != nil {
			return l
		}
	}
	return nil
}

// takes reports whether a Lua name is declared in s or around it.
func (s *scope) takes(lua string) bool {
	for ; s != nil; s = s.parent {
		if s.taken[lua] {
			return true
		}
	}
	return false
}

// locals is how many Lua locals hold names at this point of the function.
func (s *scope) locals() int {
	n := 0
	for p := s; p != nil && p.fn == s.fn; p = p.parent {
		n += p.count
	}
	return n
}

// macro finds the macro of that name. A local of the same name in a nearer
// scope cannot be: binding a macro's name is refused.
func (s *scope) macro(name string) *macro {
	for ; s != nil; s = s.parent {
		if m := s.macros[name]; m != nil {
			return m
		}
	}
	return nil
}

// forgives reports whether an unknown name is the fault of an earlier error.
func (s *scope) forgives(name string) bool {
	for ; s != nil; s = s.parent {
		if s.forgiven[name] {
			return true
		}
	}
	return false
}

// take declares a Lua name in s.
func (s *scope) take(lua string) {
	if s.taken == nil {
		s.taken = map[string]bool{}
	}
	s.taken[lua] = true
	s.count++
}

// bind makes l what name means in s from here on.
func (s *scope) bind(name string, l *local) {
	if s.names == nil {
		s.names = map[string]*local{}
	}
	s.names[name] = l
}

// useGlobal remembers for the scope around s that s refers to a global.
func (s *scope) useGlobal(name string) {
	if p := s.parent; p != nil {
		if p.aliased == nil {
			p.aliased = map[string]bool{}
		}
		p.aliased[name] = true
	}
}
