package fennel

// A special is the compiler of a special form. The list is the whole form, its
// own name first.
type special func(c *compiler, l *List, s *scope, b *block, w want) result

// specials are the special forms by name, builtins the built-in macros. They are filled by
// init because the functions in them refer to them.
var (
	specials map[string]special
	builtins map[string]builtin
)

func init() {
	specials = map[string]special{
		".":              specialDot,
		":":              specialMethod,
		"lua":            specialLua,
		"comment":        specialComment,
		"let":            specialLet,
		"local":          binding("local", declareLocal),
		"var":            binding("var", declareVar),
		"set":            binding("set", setVar),
		"set-forcibly!":  binding("set-forcibly!", setForcibly),
		"global":         binding("global", setGlobal),
		"tset":           specialTset,
		"do":             specialDo,
		"if":             specialIf,
		"values":         specialValues,
		"pick-values":    specialPickValues,
		"tail!":          specialTail,
		"fn":             specialFn,
		"hashfn":         specialHashfn,
		"include":        specialInclude,
		"each":           specialEach,
		"for":            specialFor,
		"while":          specialWhile,
		"macros":         specialMacros,
		"require-macros": specialRequireMacros,
		"import-macros":  specialImportMacros,
		"eval-compiler":  specialEvalCompiler,
		"quote":          specialQuote,
		"unquote":        specialUnquote,

		"+":      operation(operator{"+", "0", "0"}),
		"-":      operation(operator{"-", "", ""}),
		"*":      operation(operator{"*", "1", "1"}),
		"/":      operation(operator{"/", "", "1"}),
		"%":      operation(operator{"%", "", "="}),
		"^":      operation(operator{"^", "", "="}),
		"..":     operation(operator{"..", "", "="}),
		"//":     floorDivision,
		"=":      comparison("=="),
		"not=":   comparison("~="),
		"~=":     comparison("~="),
		"<":      comparison("<"),
		"<=":     comparison("<="),
		">":      comparison(">"),
		">=":     comparison(">="),
		"and":    logic("and", "true"),
		"or":     logic("or", "false"),
		"not":    unary("not "),
		"length": unary("#"),
		"#":      unary("#"),
		"band":   noBits("-1"),
		"bor":    noBits("0"),
		"bxor":   noBits("0"),
		"bnot":   noBits(""),
		"lshift": noBits(""),
		"rshift": noBits(""),
	}
	builtins = map[string]builtin{
		"macro":       macroMacro,
		"macrodebug":  macroMacrodebug,
		"icollect":    collectSequence("each", 2),
		"fcollect":    collectSequence("for", 3),
		"collect":     macroCollect,
		"accumulate":  fold("each"),
		"faccumulate": fold("for"),
		"when":        macroWhen,
		"->":          thread(1),
		"->>":         thread(-1),
		"-?>":         threadMaybe("-?>", 1),
		"-?>>":        threadMaybe("-?>>", -1),
		"?.":          macroMaybeDot,
		"doto":        macroDoto,
		"with-open":   macroWithOpen,
		"lambda":      macroLambda,
		"λ":           macroLambda,
		"partial":     macroPartial,
		"pick-args":   macroPickArgs,
		"assert-repl": macroAssertRepl,
		"case":        func(c *compiler, l *List, s *scope) Node { return c.matching(l, s, false) },
		"match":       func(c *compiler, l *List, s *scope) Node { return c.matching(l, s, true) },
		"case-try":    matchTry("case"),
		"match-try":   matchTry("match"),
	}
}
