package fennel

// A scope is a region of the source with its own names. Scopes nest like the forms of the
// source; a function may contain many of them.
type scope struct {
	parent *scope
	fn     *function // the Lua function that the scope is in

	names  map[string]*local // by Fennel name
	taken  map[string]bool   // Lua names declared here
	count  int               // number of Lua locals that have names
	macros map[string]*macro // nil: none

	spilled string // the table that holds further names, see maxNamed

	// aliased holds the globals that a scope directly inside this one refers to. A local with
	// such a name, declared here afterwards, would silently change the apparent meaning of the
	// reference, and is refused.
	aliased map[string]bool

	// forgiven names are not reported as unknown: a form that failed would have bound them.
	forgiven map[string]bool

	// gensyms are the symbols for names that end in #, in a quote.
	gensyms map[string]string
}

// A function is the Lua function into which code is compiled.
type function struct {
	vararg bool // "..." may be used
	uses   int  // number of uses of "..."
	hashfn bool // made by #( )
	maxArg int  // the highest $n a hashfn uses
	macro  bool // runs at compile time, inside a macro
}

// A local is a name bound by let, local, var, fn, a parameter and so on.
type local struct {
	lua     string
	table   string // the Lua table that it is a field of, "" for a Lua local
	mutable bool
	arg     int       // n for the $n of a hashfn
	of      *function // the hashfn of the $n
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

// lookup returns the local with that name, or nil.
func (s *scope) lookup(name string) *local {
	for ; s != nil; s = s.parent {
		if l := s.names[name]; l != nil {
			return l
		}
	}
	return nil
}

// takes reports whether a Lua name is declared in s or a scope around it.
func (s *scope) takes(lua string) bool {
	for ; s != nil; s = s.parent {
		if s.taken[lua] {
			return true
		}
	}
	return false
}

// locals returns how many Lua locals have names at this point of the function.
func (s *scope) locals() int {
	n := 0
	for p := s; p != nil && p.fn == s.fn; p = p.parent {
		n += p.count
	}
	return n
}

// macro returns the macro with that name, or nil. A nearer scope cannot have a local with
// the same name: binding a macro's name is refused.
func (s *scope) macro(name string) *macro {
	for ; s != nil; s = s.parent {
		if m := s.macros[name]; m != nil {
			return m
		}
	}
	return nil
}

// forgives reports whether a name is unknown because of an earlier error.
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

// bind makes name refer to l in s from here on.
func (s *scope) bind(name string, l *local) {
	if s.names == nil {
		s.names = map[string]*local{}
	}
	s.names[name] = l
}

// useGlobal notes in the scope around s that s refers to a global.
func (s *scope) useGlobal(name string) {
	if p := s.parent; p != nil {
		if p.aliased == nil {
			p.aliased = map[string]bool{}
		}
		p.aliased[name] = true
	}
}
