package runstore

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// idLength is the length of an id, as text.
const idLength = 36

// lastID has the time and the counter of the last id that this process created.
var lastID struct {
	sync.Mutex
	stamp uint64 // 48 bits of milliseconds since 1970, 12 bits of counter
}

// NewID returns a new UUID version 7 in lower case. The ids of one process ascend
// strictly: the 12 bits after the time count (RFC 9562, section 6.2, method 1), from a
// random start that leaves room for 2,048 in a millisecond; more borrow from the next
// one.
func NewID(now time.Time) string { return newIDAfter("", now) }

// newIDAfter is NewID for an id greater than floor, whatever the clock says. The time in
// it may then be later than now. A floor at the end of time is ignored.
func newIDAfter(floor string, now time.Time) string {
	b := random()
	seed := uint64(binary.BigEndian.Uint16(b[6:])) & 0x7ff
	least := uint64(0)
	if at, ok := stampOf(floor); ok && at < maxStamp {
		least = at + 1
	}

	lastID.Lock()
	lastID.stamp = max(uint64(now.UnixMilli())<<12|seed, lastID.stamp+1, least)
	stamp := lastID.stamp
	lastID.Unlock()

	binary.BigEndian.PutUint64(b[:8], stamp>>12<<16|7<<12|stamp&0xfff)
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}

// maxStamp leaves room above it for as many ids as there will ever be.
const maxStamp = 1<<60 - 1<<40

// stampOf returns the stamp in an id, see lastID.
func stampOf(id string) (uint64, bool) {
	if !IsID(id) {
		return 0, false
	}
	stamp, err := strconv.ParseUint(id[:8]+id[9:13]+id[15:18], 16, 64)
	return stamp, err == nil
}

// timeOf returns the time in an id: when it was created by the clock of that moment, or
// later if another id was greater.
func timeOf(id string) time.Time {
	stamp, _ := stampOf(id)
	return time.UnixMilli(int64(stamp >> 12))
}

// random returns unpredictable bytes from getrandom(2): linking crypto/rand takes longer
// than a short command takes to start. So few bytes are never cut short, and Linux has
// had the call since 3.17.
func random() (b [16]byte) {
	for {
		_, err := unix.Getrandom(b[:], 0)
		if err == nil {
			return b
		}
		if !errors.Is(err, unix.EINTR) {
			panic("getrandom: " + err.Error())
		}
	}
}

// IsID reports whether s has the form of an id from NewID.
func IsID(s string) bool {
	if len(s) != idLength {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isHex(s[i]) {
				return false
			}
		}
	}
	return s[14] == '7'
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
