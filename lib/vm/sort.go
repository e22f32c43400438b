package vm

import lua "github.com/yuin/gopher-lua"

// A sorter sorts a list by quicksort with the median of three, as PUC Lua does, so that
// equal elements end up in the same order.
type sorter struct {
	l      *lua.LState
	call   *call
	by     *lua.LFunction // nil for '<'
	values []lua.LValue
}

func tableSort(l *lua.LState) int {
	table := checkTable(l, 1)
	s := &sorter{l: l, call: callOf(l)}
	if l.Get(2) != lua.LNil {
		s.by = checkFunction(l, 2)
	}
	s.call.nest(l)
	defer s.call.unnest()
	n := table.Len()
	checkAlloc(l, uint64(n))
	s.values = make([]lua.LValue, n)
	for i := range s.values {
		s.values[i] = table.RawGet(lua.LNumber(i + 1))
	}
	defer func() { // also after an error
		for i, value := range s.values {
			table.RawSet(lua.LNumber(i+1), value)
		}
	}()
	s.sort(0, n-1)
	return 0
}

func (s *sorter) swap(i, j int) { s.values[i], s.values[j] = s.values[j], s.values[i] }

// order swaps two elements if they are in the wrong order. i is less than j.
func (s *sorter) order(i, j int) {
	if s.less(s.values[j], s.values[i]) {
		s.swap(i, j)
	}
}

// sort sorts the elements from low to high. It calls itself for the smaller part.
func (s *sorter) sort(low, high int) {
	for low < high {
		s.order(low, high)
		if high-low == 1 {
			return
		}
		middle := (low + high) / 2
		if s.less(s.values[middle], s.values[low]) {
			s.swap(middle, low)
		} else {
			s.order(middle, high)
		}
		if high-low == 2 {
			return
		}
		end := s.partition(low, middle, high)
		if end-low < high-end {
			s.sort(low, end-1)
			low = end + 1
		} else {
			s.sort(end+1, high)
			high = end - 1
		}
	}
}

// partition moves the elements that are less than the one in the middle before it, and
// returns its new index. The elements at low and high are already in order with it.
func (s *sorter) partition(low, middle, high int) int {
	pivot := s.values[middle]
	s.swap(middle, high-1)
	i, j := low, high-1
	for {
		for i++; s.less(s.values[i], pivot); i++ {
			if i >= high {
				raiseError(s.l, "invalid order function for sorting")
			}
		}
		for j--; s.less(pivot, s.values[j]); j-- {
			if j <= low {
				raiseError(s.l, "invalid order function for sorting")
			}
		}
		if j < i {
			s.swap(high-1, i)
			return i
		}
		s.swap(i, j)
	}
}

func (s *sorter) less(a, b lua.LValue) bool {
	if s.by != nil {
		less := lua.LVAsBool(callOne(s.l, s.by, a, b))
		s.call.spend(s.l, stepsOfValue)
		return less
	}
	x, ok1 := a.(lua.LString)
	y, ok2 := b.(lua.LString)
	if ok1 && ok2 {
		s.call.spend(s.l, stepsOfValue+min(len(x), len(y))/8)
		return x < y
	}
	s.call.spend(s.l, stepsOfValue)
	if !comparable(s.l, a, b) {
		s.l.Error(lua.LString(comparisonError(a.Type().String(), b.Type().String())), 0)
	}
	return s.l.LessThan(a, b)
}

// comparable reports whether '<' can compare two values.
func comparable(l *lua.LState, a, b lua.LValue) bool {
	switch {
	case a.Type() != b.Type():
		return false
	case a.Type() == lua.LTNumber, a.Type() == lua.LTString:
		return true
	}
	return l.GetMetaField(a, "__lt") != lua.LNil
}
