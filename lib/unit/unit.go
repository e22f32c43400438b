// Package unit parses durations and sizes as people write them: in options, in the
// configuration and in pipelines.
package unit

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// DurationForm and SizeForm describe what ParseDuration and ParseSize accept, for the
// hint of an error.
const (
	DurationForm = "a number and a unit, ms, s, m, h or d, and more such: '90s', '1h30m', '7d'"
	SizeForm     = "a whole number and a unit, KiB, MiB, GiB or TiB: '64KiB', '256MiB'"
)

var (
	errDuration         = errors.New("not " + DurationForm)
	errNegativeDuration = errors.New("negative")
	errLongDuration     = errors.New("longer than 290 years")
	errSize             = errors.New("not " + SizeForm)
	errLargeSize        = errors.New("too large")
)

// ParseDuration parses durations like time.ParseDuration, and also the unit d, which is 24
// hours. A negative duration is an error.
func ParseDuration(s string) (time.Duration, error) {
	if strings.HasPrefix(s, "-") {
		if _, err := ParseDuration(s[1:]); err != nil {
			return 0, err
		}
		return 0, errNegativeDuration
	}
	if !strings.Contains(s, "d") {
		return parseGo(s)
	}
	var sum time.Duration
	for rest := s; rest != ""; {
		number := strings.TrimLeft(rest, "0123456789.")
		unit := strings.TrimLeft(number, "abcdefghijklmnopqrstuvwxyzµμ")
		part, scale := rest[:len(rest)-len(unit)], time.Duration(1)
		if days, ok := strings.CutSuffix(part, "d"); ok {
			part, scale = days+"h", 24
		}
		d, err := parseGo(part)
		if err != nil {
			return 0, err
		}
		if d > (math.MaxInt64-sum)/scale {
			return 0, errLongDuration
		}
		sum += d * scale
		rest = unit
	}
	return sum, nil
}

// parseGo parses a duration without days, as package time does.
func parseGo(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errDuration
	}
	return d, nil
}

// ParseSize parses a size in bytes: a whole number and one of the units KiB, MiB, GiB
// and TiB, which are powers of 1024 (IEC 80000-13), or 0.
func ParseSize(s string) (uint64, error) {
	if s == "0" {
		return 0, nil
	}
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		number, ok := strings.CutSuffix(s, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if errors.Is(err, strconv.ErrRange) {
			return 0, errLargeSize
		} else if err != nil {
			return 0, errSize
		}
		shift := 10 * (i + 1)
		if bits.Len64(n)+shift > 63 {
			return 0, errLargeSize
		}
		return n << shift, nil
	}
	return 0, errSize
}

// FormatSize returns a size in bytes in the largest unit that makes it at least 1, with one
// digit after the point unless that is 0: 512 bytes, 1.5KiB, 2GiB.
func FormatSize(n uint64) string {
	if n < 1<<10 {
		return strconv.FormatUint(n, 10) + " bytes"
	}
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	i := min((bits.Len64(n)-1)/10, len(units)) - 1
	text := strconv.FormatFloat(float64(n)/float64(uint64(1)<<(10*(i+1))), 'f', 1, 64)
	return strings.TrimSuffix(text, ".0") + units[i]
}
