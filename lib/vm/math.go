package vm

import (
	"math"
	"math/rand/v2"

	lua "github.com/yuin/gopher-lua"
)

// mathFunctions take one number.
var mathFunctions = []struct {
	name string
	f    func(float64) float64
}{
	{"abs", math.Abs}, {"acos", math.Acos}, {"asin", math.Asin}, {"atan", math.Atan}, {"ceil", math.Ceil}, {"cos", math.Cos},
	{"cosh", math.Cosh}, {"deg", degrees}, {"exp", math.Exp}, {"floor", math.Floor}, {"log", math.Log},
	{"log10", math.Log10}, {"rad", radians}, {"sin", math.Sin}, {"sinh", math.Sinh}, {"sqrt", math.Sqrt},
	{"tan", math.Tan}, {"tanh", math.Tanh},
}

func degrees(x float64) float64 { return x / (math.Pi / 180) }
func radians(x float64) float64 { return x * (math.Pi / 180) }

func (v *VM) mathLibrary() *lua.LTable {
	table := v.library([]function{
		{"atan2", binary(math.Atan2)}, {"fmod", binary(math.Mod)}, {"frexp", mathFrexp}, {"ldexp", mathLdexp},
		{"max", mathMax}, {"min", mathMin}, {"mod", binary(math.Mod)}, {"modf", mathModf}, {"pow", binary(math.Pow)},
		{"random", v.mathRandom}, {"randomseed", v.mathRandomSeed},
	})
	for _, m := range mathFunctions {
		table.RawSetString(m.name, v.root.NewFunction(func(l *lua.LState) int {
			return Push(l, lua.LNumber(m.f(float64(checkNumber(l, 1)))))
		}))
	}
	table.RawSetString("pi", lua.LNumber(math.Pi))
	table.RawSetString("huge", lua.LNumber(math.Inf(1)))
	return table
}

// binary returns a function of two numbers.
func binary(f func(x, y float64) float64) lua.LGFunction {
	return func(l *lua.LState) int {
		return Push(l, lua.LNumber(f(float64(checkNumber(l, 1)), float64(checkNumber(l, 2)))))
	}
}

func mathFrexp(l *lua.LState) int {
	fraction, exponent := math.Frexp(float64(checkNumber(l, 1)))
	return Push(l, lua.LNumber(fraction), lua.LNumber(exponent))
}

func mathLdexp(l *lua.LState) int {
	return Push(l, lua.LNumber(math.Ldexp(float64(checkNumber(l, 1)), checkInt(l, 2))))
}

// mathModf returns a fraction of 0 for infinities, as C does; Go's is NaN.
func mathModf(l *lua.LState) int {
	n := float64(checkNumber(l, 1))
	whole, fraction := math.Modf(n)
	if math.IsInf(n, 0) {
		whole, fraction = n, math.Copysign(0, n)
	}
	return Push(l, lua.LNumber(whole), lua.LNumber(fraction))
}

func mathMax(l *lua.LState) int {
	return extreme(l, func(x, best lua.LNumber) bool { return x > best })
}
func mathMin(l *lua.LState) int {
	return extreme(l, func(x, best lua.LNumber) bool { return x < best })
}

func extreme(l *lua.LState, better func(x, best lua.LNumber) bool) int {
	best := checkNumber(l, 1)
	for i := 2; i <= l.GetTop(); i++ {
		if x := checkNumber(l, i); better(x, best) {
			best = x
		}
	}
	return Push(l, best)
}

// mathRandom returns numbers that differ from run to run until math.randomseed.
func (v *VM) mathRandom(l *lua.LState) int {
	if v.random == nil {
		v.random = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	r := lua.LNumber(v.random.Float64())
	low, high := lua.LNumber(1), lua.LNumber(0)
	switch l.GetTop() {
	case 0:
		return Push(l, r)
	case 1:
		high = lua.LNumber(checkInt(l, 1))
	case 2:
		low, high = lua.LNumber(checkInt(l, 1)), lua.LNumber(checkInt(l, 2))
	default:
		raiseError(l, "wrong number of arguments")
	}
	if low > high {
		argError(l, l.GetTop(), "interval is empty")
	}
	return Push(l, lua.LNumber(math.Floor(float64(r*(high-low+1))))+low)
}

func (v *VM) mathRandomSeed(l *lua.LState) int {
	v.random = rand.New(rand.NewPCG(uint64(checkInt(l, 1)), 0))
	return 0
}
