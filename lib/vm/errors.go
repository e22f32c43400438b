package vm

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// A LimitKind says which limit was reached.
type LimitKind int

// The limits. Depth limits nested calls; it cannot be set.
const (
	Time LimitKind = iota
	Memory
	Depth
)

// A LimitError says that Lua exceeded a limit. Lua cannot catch it.
type LimitError struct {
	Kind   LimitKind
	Limits Limits // that were in force
}

func (e *LimitError) Error() string {
	switch e.Kind {
	case Time:
		return fmt.Sprintf("ran longer than %s", e.Limits.Time)
	case Memory:
		return "used more than " + size(e.Limits.Memory)
	}
	return "recursed too deep"
}

func size(n uint64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// An Error is a run-time error of Lua.
type Error struct {
	Message string // without the position that Lua puts in front
	File    string // the chunk's name, "" if no Lua was running
	Line    int    // 1-based
	Cause   error  // a *LimitError, the cause of a context, or nil
}

func (e *Error) Error() string {
	if e.File == "" {
		return e.Message
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
}

func (e *Error) Unwrap() error { return e.Cause }

// A SyntaxError says that a text is not Lua.
type SyntaxError struct {
	File    string
	Line    int // 1-based
	Column  int // 1-based, 0 if unknown
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
}

// maxTraceback bounds the cost of an error: a program may raise and catch many, and
// gopher-lua walks from the top for each frame.
const maxTraceback = 12

// A frame is the position of one call in progress.
type frame struct {
	file string // the chunk's name
	line int
}

// traceback returns the innermost Lua frames of l and of the threads that wait for l in
// pcall, at most maxTraceback.
func traceback(l *lua.LState) []frame {
	var frames []frame
	for ; l != nil; l = below(l) {
		for level := 0; len(frames) < maxTraceback && level < 4*maxTraceback; level++ {
			dbg, ok := l.GetStack(level)
			if !ok {
				break
			}
			if f, ok := frameAt(l, dbg); ok {
				frames = append(frames, f)
			}
		}
	}
	return frames
}

// below returns the thread in whose pcall l runs, or nil.
func below(l *lua.LState) *lua.LState {
	threads := callOf(l).threads
	for i := len(threads) - 1; i > 0; i-- {
		if threads[i].thread == l && threads[i].coroutine != l {
			return threads[i-1].thread
		}
	}
	return nil
}

// Caller returns the position in Lua that called the running Go function, or that resumed
// the coroutine which called it. It returns "" and 0 if no Lua did.
func Caller(l *lua.LState) (file string, line int) {
	threads := callOf(l).threads
	for i := len(threads) - 1; i >= 0; i-- {
		l := threads[i].thread
		for level := 0; ; level++ {
			dbg, ok := l.GetStack(level)
			if !ok {
				break
			}
			if f, ok := frameAt(l, dbg); ok {
				return f.file, f.line
			}
		}
	}
	return "", 0
}

// where returns the position at a level of the stack as "FILE:LINE: ", or "" for a Go
// function. Level 0 is the running function.
func where(l *lua.LState, level int) string {
	dbg, ok := l.GetStack(level)
	if !ok || isProtected(l, dbg) {
		outer := below(l)
		if outer == nil {
			return ""
		}
		// The outermost function of a thread is protected. In PUC Lua that is pcall.
		depth := sort.Search(nestedFrames, func(n int) bool {
			dbg, ok := l.GetStack(n)
			return !ok || isProtected(l, dbg)
		})
		return where(outer, level-depth)
	}
	f, ok := frameAt(l, dbg)
	if !ok {
		return ""
	}
	return f.file + ":" + strconv.Itoa(f.line) + ": "
}

func isProtected(l *lua.LState, dbg *lua.Debug) bool {
	fn, _ := l.GetInfo("f", dbg, lua.LNil)
	return fn == lua.LValue(callOf(l).vm.protector)
}

// frameAt returns the frame of a level of the stack. It returns false for a Go function and
// for quire's own Lua functions.
func frameAt(l *lua.LState, dbg *lua.Debug) (f frame, ok bool) {
	if _, err := l.GetInfo("Sl", dbg, lua.LNil); err != nil || dbg.CurrentLine < 1 || dbg.Source == bodyName {
		return frame{}, false
	}
	return frame{dbg.Source, dbg.CurrentLine}, true
}

// describe returns an Error for a value that was raised in l.
func describe(l *lua.LState, value lua.LValue) *Error {
	e := &Error{Message: message(value)}
	frames := traceback(l)
	if len(frames) > 0 {
		e.File, e.Line = frames[0].file, frames[0].line
	}
	if file, line, rest, ok := cutPosition(e.Message); ok && slices.ContainsFunc(frames, func(f frame) bool { return f.file == file }) {
		e.File, e.Line, e.Message = file, line, rest
	}
	if strings.TrimSpace(e.Message) == "" {
		e.Message = EmptyMessage
	}
	return e
}

// EmptyMessage replaces an empty message.
const EmptyMessage = "error has an empty message"

// message returns a text for a raised value. It does not call a table's __tostring, because
// the call of Lua is ending.
func message(value lua.LValue) string {
	switch value := value.(type) {
	case lua.LString:
		return string(value)
	case lua.LNumber:
		return value.String()
	case *lua.LTable:
		for _, key := range []string{"message", "msg", "error"} {
			if s, ok := value.RawGetString(key).(lua.LString); ok {
				return string(s)
			}
		}
	}
	return fmt.Sprintf("error value is a %s, not a string", value.Type())
}

// cutPosition splits a message into the position "FILE:LINE: " that Lua's error put in front
// and the rest. If error was given a level, the position is not the innermost one. FILE may
// contain colons.
func cutPosition(s string) (file string, line int, rest string, ok bool) {
	head, rest, ok := strings.Cut(s, ": ")
	colon := strings.LastIndexByte(head, ':')
	if !ok || colon < 1 {
		return "", 0, "", false
	}
	line, err := strconv.Atoi(head[colon+1:])
	return head[:colon], line, rest, err == nil
}
