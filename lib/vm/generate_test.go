package vm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGeneratedPrograms compares what generated programs print with lua5.1, for two
// seconds or for the duration in QUIRE_TEST_DIFFERENTIAL.
func TestGeneratedPrograms(t *testing.T) {
	// The same programs each time, or new ones for longer.
	duration, firstSeed := 2*time.Second, uint64(0)
	if s := os.Getenv("QUIRE_TEST_DIFFERENTIAL"); s != "" {
		firstSeed = rand.Uint64()
		var err error
		if duration, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exec.LookPath("lua5.1"); err != nil {
		t.Skip("lua5.1 is not installed")
	}
	seed, programs := firstSeed, 0
	for end := time.Now().Add(duration); time.Now().Before(end); seed++ {
		const batch = 50
		var text strings.Builder
		for i := range uint64(batch) {
			// Each program is a function, so that one process runs many.
			fmt.Fprintf(&text, "print('program', %d)\nprint(select(2, pcall(function()\n%s\nend)))\n", i, generate(seed*batch+i))
		}
		programs += batch
		want, got := pucPrints(t, text.String()), printed(t, text.String())
		if got == want {
			continue
		}
		for i := range uint64(batch) {
			text := generate(seed*batch + i)
			if diff := cmp.Diff(pucPrints(t, text), printed(t, text)); diff != "" {
				t.Fatalf("seed %d: lua5.1 is -, this is +:\n%s\n%s", seed*batch+i, diff, text)
			}
		}
		t.Fatalf("programs from seed %d on differ only together", seed*batch)
	}
	t.Logf("%d programs", programs)
}

// A generator writes a random program. All its loops end. It nests calls less deep than the
// limits. It prints no addresses, no error of an operator, because those name other
// variables, and no sign of a zero, because PUC Lua has one constant for both zeros in a
// function. It converts no text without a digit to a number, because PUC Lua also reads the
// words for infinities and NaN.
type generator struct {
	*rand.Rand
	b         strings.Builder
	variables []string // the visible ones; each may hold any value
	depth     int
}

func generate(seed uint64) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	g.line("local show = function(v) if type(v) == 'table' or type(v) == 'function' then return type(v) end return v == 0 and '0' or tostring(v) end")
	g.line("local text = function(v) if type(v) == 'string' then return v:sub(1, 50) end if type(v) == 'number' then return v == 0 and 0 or v end return type(v) end")
	g.line("local num = function(v) if type(v) == 'string' and not v:find('%%d') then return 3 end return tonumber(v) or 3 end")
	g.line("local tab = function(v) if type(v) == 'table' then return v end return {v, x = v} end")
	g.line("local calls = 0")
	g.line("local call = function(f, ...) calls = calls + 1")
	g.line("if type(f) == 'function' and calls < 20 then local ok, a, b = pcall(f, ...) return ok and a, b end return f end")
	g.declare(g.value())
	g.block(6 + g.IntN(8))
	for _, name := range g.variables {
		g.line("print('%s', show(%s))", name, name)
	}
	return g.b.String()
}

func (g *generator) line(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

// variable returns a variable, or nil before the first one is declared.
func (g *generator) variable() string {
	if len(g.variables) == 0 {
		return "nil"
	}
	return g.pick(g.variables...)
}

func (g *generator) declare(value string) {
	name := fmt.Sprintf("v%d", len(g.variables))
	g.line("local %s = %s", name, value)
	g.variables = append(g.variables, name)
}

func (g *generator) block(n int) {
	visible := len(g.variables)
	g.depth++
	for range n {
		g.statement()
	}
	g.depth--
	if g.depth > 0 {
		g.variables = g.variables[:visible]
	}
}

func (g *generator) statement() {
	kind := g.IntN(14)
	if g.depth > 3 {
		kind = g.IntN(8)
	}
	switch kind {
	case 0:
		g.declare(g.value())
	case 1, 2:
		g.line("%s = %s", g.variable(), g.value())
	case 3:
		g.line("%s, %s = %s, %s", g.variable(), g.variable(), g.value(), g.value())
	case 4:
		g.line("%s = %s .. %s", g.variable(), g.text(), g.text())
	case 5:
		g.line("print(%s)", g.shown())
	case 6:
		g.line("do local t = tab(%s) t.x, t[1] = %s, %s %s = t end", g.variable(), g.value(), g.value(), g.variable())
	case 7:
		g.line("%s = (call(%s, %s))", g.variable(), g.variable(), g.value())
	case 8:
		g.line("if %s then", g.condition())
		g.block(1 + g.IntN(3))
		g.line("else")
		g.block(1 + g.IntN(2))
		g.line("end")
	case 9:
		name := fmt.Sprintf("v%d", len(g.variables))
		g.line("for %s = %s, %s, %s do", name, g.pick("1", `"2"`, "-1", "0.5"), g.pick("3", "4", `"3"`), g.pick("1", "2", `"1"`, "0.75"))
		g.variables = append(g.variables, name)
		g.block(1 + g.IntN(3))
		g.variables = g.variables[:len(g.variables)-1]
		g.line("end")
	case 10, 11:
		g.function()
	case 12:
		g.line("print(pcall(function()")
		g.block(1 + g.IntN(3))
		g.line("error(%s, 0) end))", g.pick(`"e"`, g.text(), "12"))
	case 13:
		g.line("local co = coroutine.wrap(function(a)")
		g.block(1 + g.IntN(2))
		g.line("a = coroutine.yield(%s) %s = a %s end)", g.shown(), g.variable(), g.pick("", "return "+g.shown(), "error('c', 0)"))
		g.line("print(pcall(co, 1)) print(pcall(co, %s))", g.shown())
	}
}

// function declares a function whose last parameter is often assigned to.
func (g *generator) function() {
	outer := g.variables
	name, first, second := fmt.Sprintf("v%d", len(outer)), fmt.Sprintf("v%d", len(outer)+1), fmt.Sprintf("v%d", len(outer)+2)
	dots := g.pick("", ", ...")
	g.line("local %s = function(%s, %s%s)", name, first, second, dots)
	g.variables = append(append([]string{}, outer...), first, second)
	// The function does not see itself: there is no recursion without end.
	g.block(1 + g.IntN(3))
	if g.IntN(2) == 0 {
		g.line("%s = %s", second, g.pick("(call("+first+", 2))", g.text()+" .. text("+second+")", g.value()))
	}
	if dots != "" {
		g.line("local rest = {%s, k = (...), n = select('#', ...), ...} print(#rest, rest.k, rest.n)", g.pick("1", "'a', 'b'"))
	}
	g.line("return %s, %s end", g.pick(first, second, g.shown()), g.pick(second, g.variable()))
	g.variables = append(outer, name)
	g.line("print(select('#', call(%s, %s, %s)))", name, g.value(), g.value())
}

// value returns an expression that raises no error.
func (g *generator) value() string {
	switch g.IntN(9) {
	case 0, 1:
		return g.variable()
	case 2:
		return g.number()
	case 3:
		return g.text()
	case 4:
		return fmt.Sprintf("{%s, %s, x = %s}", g.simple(), g.simple(), g.pick(g.simple(), "tostring(1)", "(tostring(2))"))
	case 5:
		return fmt.Sprintf("tab(%s)[%s]", g.variable(), g.pick("1", "'x'", "2", "#'ab' % 2 + 1"))
	case 6:
		return fmt.Sprintf("(%s %s %s)", g.logical(), g.pick("and", "or"), g.logical())
	case 7:
		return "not " + g.simple()
	}
	return g.simple()
}

// logical returns an operand of 'and' or 'or'. No variable g is declared.
func (g *generator) logical() string {
	switch g.IntN(6) {
	case 0:
		return "g"
	case 1:
		return fmt.Sprintf("tab(%s).x", g.variable())
	case 2:
		return fmt.Sprintf("%s %s %s", g.simple(), g.pick("and", "or", "==", "~="), g.simple())
	case 3:
		return "(" + g.condition() + ")"
	}
	return g.simple()
}

func (g *generator) simple() string {
	return g.pick("nil", "true", "false", "1", "-2.5", `"a"`, `"7"`, `""`, g.variable(), g.variable())
}

// number returns an expression whose value is a number.
func (g *generator) number() string {
	switch g.IntN(5) {
	case 0, 1:
		return g.pick("0", "1", "-3", "2.5", "7", "1e3", "-0.25", "100", `num("0x1F")`, `num(" 12 ")`)
	case 2:
		return fmt.Sprintf("num(%s)", g.variable())
	case 3:
		return fmt.Sprintf("(%s %s %s)", g.operand(), g.pick("+", "-", "*"), g.operand())
	}
	return fmt.Sprintf("(%s %% %s)", g.operand(), g.pick("3", "-3", "7", "2.5", "0.1", "math.huge", g.operand()))
}

func (g *generator) operand() string {
	return g.pick("4", "-7", "0.5", `"6"`, "14", "-21", "num("+g.variable()+")", "math.floor("+g.pick("2.7", "-2.7", `"3.9"`)+")")
}

// text returns an expression whose value is a string or a number.
func (g *generator) text() string {
	switch g.IntN(7) {
	case 0:
		return g.pick(`"a"`, `"bc"`, `""`, `"^a"`, `"12"`, "5", "2.5")
	case 1, 2:
		return fmt.Sprintf("text(%s)", g.variable())
	case 3:
		return fmt.Sprintf("(%s .. %s)", g.pick(`"x"`, "1", "text("+g.variable()+")"), g.pick(`"y"`, "2.5", "text("+g.variable()+")"))
	case 4:
		return fmt.Sprintf("string.sub(text(%s), %s, %s)", g.variable(), g.pick("1", "2", `"-2"`, "0"), g.pick("-1", `"3"`, "2.9"))
	case 5:
		return fmt.Sprintf("string.format(%q, %s)", g.pick("%d", "%5.1f", "%+d", "%u", "%g", "%x", "% d", "%-4d|", "%s"), g.pick("7", `"12"`, "3", "255"))
	}
	return fmt.Sprintf("(string.gsub(text(%s), %q, %q))", g.variable(), g.pick("%d", "a", ".", "^%w", "", "%s*", "[a-z]+", "(.)(.)"), g.pick("x", "%0%0", "<%1>", ""))
}

func (g *generator) condition() string {
	switch g.IntN(4) {
	case 0:
		return g.simple()
	case 1:
		return fmt.Sprintf("%s %s %s", g.number(), g.pick("<", "<=", "==", "~=", ">"), g.number())
	case 2:
		return fmt.Sprintf("num(%s) %% %s == %s", g.variable(), g.pick("2", "3"), g.pick("0", "1"))
	}
	return fmt.Sprintf("%s == %s", g.simple(), g.simple())
}

func (g *generator) shown() string { return "show(" + g.value() + ")" }
