package vm

import (
	"context"
	"testing"
)

// BenchmarkNew measures the first cost of each command that reads a pipeline.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Limits{}).Close()
	}
}

// BenchmarkRun measures a loop whose every instruction checks the call.
func BenchmarkRun(b *testing.B) {
	v := New(Limits{})
	defer v.Close()
	fn, err := v.Load("local n = 0 for i = 1, 100000 do n = n + i end return n", "bench")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := v.Call(context.Background(), fn); err != nil {
			b.Fatal(err)
		}
	}
}
