package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// TestWithoutLock has many goroutines in one state. Each waits without the lock until all
// others wait too, so they are in there at once, and each finds its own thread, even in a
// coroutine.
func TestWithoutLock(t *testing.T) {
	const n = 8
	v := New(Limits{})
	defer v.Close()
	var all sync.WaitGroup
	all.Add(n)
	v.State().SetGlobal("wait", v.State().NewFunction(func(l *lua.LState) int {
		v.WithoutLock(l, func() {
			all.Done()
			all.Wait()
		})
		l.Push(l.Get(1))
		return 1
	}))
	values, err := v.Run(context.Background(), `return function(x)
		local co = coroutine.wrap(function(y) coroutine.yield(wait(y)) end)
		return x, co(x), pcall(function() error(x, 0) end)
	end`, "test.lua")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			got, err := v.Call(context.Background(), values[0].(*lua.LFunction), lua.LNumber(i))
			if want := fmt.Sprintf("[%d %d false %d]", i, i, i); err != nil || fmt.Sprint(got) != want {
				t.Errorf("got %v, %v; want %s", got, err, want)
			}
		})
	}
	done.Wait()
}

// TestWithoutLockTime checks that processor time without the lock does not count, and that
// the time after it is bounded again.
func TestWithoutLockTime(t *testing.T) {
	v := New(small)
	defer v.Close()
	v.State().SetGlobal("work", v.State().NewFunction(func(l *lua.LState) int {
		v.WithoutLock(l, func() {
			for c := threadClock(); c.elapsed() < 3*small.Time; {
			}
		})
		return 0
	}))
	if _, err := v.Run(context.Background(), "work() for i = 1, 100 do end return 1", "test.lua"); err != nil {
		t.Error(err)
	}
	var limit *LimitError
	if _, err := v.Run(context.Background(), "work() while true do end", "test.lua"); !errors.As(err, &limit) {
		t.Errorf("want a LimitError, got %v", err)
	}
}

// TestTimeIsProcessorTime checks that time while Lua waits does not count.
func TestTimeIsProcessorTime(t *testing.T) {
	v := New(small)
	defer v.Close()
	v.State().SetGlobal("sleep", v.State().NewFunction(func(l *lua.LState) int {
		time.Sleep(3 * small.Time)
		return 0
	}))
	if _, err := v.Run(context.Background(), "sleep() for i = 1, 1000 do end sleep() return 1", "test.lua"); err != nil {
		t.Error(err)
	}
}

// TestCancel ends a call by its context, while it runs Lua and while it waits for the lock.
func TestCancel(t *testing.T) {
	v := New(Limits{Time: time.Hour})
	defer v.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	v.State().SetGlobal("cancel", v.State().NewFunction(func(*lua.LState) int {
		cancel(cause)
		return 0
	}))
	_, err := v.Run(ctx, "pcall(function() cancel() while true do end end) while true do end", "test.lua")
	if !errors.Is(err, cause) || err.Error() != "test.lua:1: enough" {
		t.Error(err)
	}
	v.lock <- struct{}{}
	if _, err := v.Run(ctx, "return 1", "test.lua"); !errors.Is(err, cause) {
		t.Error(err)
	}
	<-v.lock
}

// TestAfterLimits checks that the state is usable after a Call has failed.
func TestAfterLimits(t *testing.T) {
	v := New(small)
	defer v.Close()
	for range 3 {
		if _, err := v.Run(context.Background(), "x = (x or 0) + 1 while true do end", "test.lua"); err == nil {
			t.Fatal("no error")
		}
	}
	got, err := v.Run(context.Background(), "return x", "test.lua")
	if err != nil || got[0] != lua.LNumber(3) {
		t.Error(got, err)
	}
}

// TestAllowedDepth checks that reasonable depths are allowed.
func TestAllowedDepth(t *testing.T) {
	got, err := run(t, Limits{}, "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(150000)")
	if err != nil || got != "150000" {
		t.Error(got, err)
	}
	got, err = run(t, Limits{}, "local function f(n) if n == 0 then return 0 end return f(n - 1) end return f(1000000)")
	if err != nil || got != "0" {
		t.Error(got, err)
	}
}

func TestCoroutines(t *testing.T) {
	for text, want := range map[string]string{
		`local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
		 return select(2, coroutine.resume(co, 1)), select(2, coroutine.resume(co, 5)), coroutine.status(co), coroutine.resume(co)`: "2 10 dead false cannot resume dead coroutine",
		`local t = {} for x in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do t[#t + 1] = x end return table.concat(t, " ")`: "1 2 3",
		`return coroutine.wrap(tostring)(5)`: "5",
		`return coroutine.running(), coroutine.wrap(function() return type(coroutine.running()) end)()`:                                                                   "nil thread",
		`return pcall(coroutine.wrap(function() error("x") end))`:                                                                                                         "false test.lua:1: x",
		`return pcall(coroutine.yield)`:                                                                                                                                   "false attempt to yield from outside a coroutine",
		`return coroutine.wrap(function() return pcall(coroutine.yield) end)()`:                                                                                           "false attempt to yield across metamethod/C-call boundary",
		`local co co = coroutine.create(function() return coroutine.status(co), coroutine.resume(co) end) return coroutine.resume(co)`:                                    "true running false cannot resume running coroutine",
		`local a a = coroutine.create(function() return coroutine.wrap(function() return coroutine.status(a), coroutine.resume(a) end)() end) return coroutine.resume(a)`: "true normal false cannot resume normal coroutine",
	} {
		got, err := run(t, Limits{}, text)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestModules(t *testing.T) {
	v := New(Limits{})
	defer v.Close()
	texts := map[string]string{"a": "made = (made or 0) + 1 return {name = ...}", "self": "return require('self')", "bad": "error('no')"}
	broken := errors.New("x.fnl:1:1: broken")
	v.Search(func(name string) (*lua.LFunction, string, error) {
		if name == "broken" {
			return nil, "", broken
		}
		text, ok := texts[name]
		if !ok {
			return nil, name + ".lua", nil
		}
		fn, err := v.Load(text, name)
		return fn, "", err
	})
	for _, test := range []struct{ text, want string }{
		{`return require("a").name, require("a") == require("a"), made`, "a true 1"},
		{`return pcall(require, "self")`, "false self:1: module 'self' requires itself"},
		{`return pcall(require, "bad")`, "false bad:1: no"},
		{`return pcall(require, "none")`, "false module 'none' not found: no none.lua"},
	} {
		values, err := v.Run(context.Background(), test.text, "test.lua")
		if got := strings.Trim(fmt.Sprint(values), "[]"); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.text, got, err, test.want)
		}
	}
	if _, err := v.Run(context.Background(), "require('broken')", "test.lua"); !errors.Is(err, broken) {
		t.Error(err)
	}
}
