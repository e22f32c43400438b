package vm

import lua "github.com/yuin/gopher-lua"

// threads are idle Lua threads for reuse: the frame table of a thread is expensive to
// allocate. Nothing of its last use is left on an idle thread, and no Lua value refers
// to it.
type threads []*lua.LState

// take returns an idle thread for t, or a new one with room for so many frames. The caller
// holds the Lua lock.
func (s *threads) take(v *VM, frames int, t *call) *lua.LState {
	n := len(*s)
	if n == 0 {
		return v.thread(frames, t)
	}
	l := (*s)[n-1]
	*s = (*s)[:n-1]
	l.SetContext(t)
	return l
}

func (s *threads) put(l *lua.LState) { *s = append(*s, l) }

// thread returns a new Lua thread that runs for t, which may be nil if it is not known yet.
func (v *VM) thread(frames int, t *call) *lua.LState {
	v.root.Options = lua.Options{ // NewThread copies them
		CallStackSize:       frames,
		RegistrySize:        registryStart,
		RegistryGrowStep:    frames * registryFrame / registrySteps,
		RegistryMaxSize:     frames * registryFrame,
		MinimizeStackMemory: true,
		SkipOpenLibs:        true,
	}
	l, _ := v.root.NewThread()
	if t != nil {
		l.SetContext(t)
	}
	return l
}
