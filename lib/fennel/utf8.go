package fennel

import (
	"iter"
	"math"
	"unicode/utf8"
)

const maxFloat = math.MaxFloat64

// splitUTF8 yields s character by character; a byte that belongs to no valid
// one comes alone.
func splitUTF8(s string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := 0; i < len(s); {
			_, size := utf8.DecodeRuneInString(s[i:])
			if !yield(i, s[i:i+size]) {
				return
			}
			i += size
		}
	}
}
