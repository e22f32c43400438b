package vm

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-strftime"
	lua "github.com/yuin/gopher-lua"
)

var osLibrary = []function{{"clock", osClock}, {"date", osDate}, {"difftime", osDifftime}, {"time", osTime}}

// osClock returns the processor time of the process in seconds, as C's clock does.
func osClock(l *lua.LState) int {
	return Push(l, lua.LNumber(processClock.read().Seconds()))
}

func osDifftime(l *lua.LState) int {
	return Push(l, checkNumber(l, 1)-lua.LNumber(optInt(l, 2, 0)))
}

// conversions are the letters of C99's strftime and the additions of the GNU C library.
const conversions = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%"

// osDate formats a time in the C locale. As in PUC Lua, a conversion has one letter: the
// modifiers E and O are not interpreted.
func osDate(l *lua.LState) int {
	format, now := optString(l, 1, "%c"), time.Now()
	if l.Get(2) != lua.LNil {
		now = time.Unix(int64(checkInt(l, 2)), 0)
	}
	format, utc := strings.CutPrefix(format, "!")
	if now = now.In(zone()); utc {
		now = now.UTC()
	}
	if format == "*t" {
		return Push(l, dateTable(l, now))
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		text := format[i : i+1]
		if text == "%" && i+1 < len(format) {
			i++
			text += format[i : i+1]
			text = convert(text, now)
		}
		b.WriteString(text)
		checkAlloc(l, uint64(b.Len()))
		callOf(l).spend(l, stepsOfValue)
	}
	return Push(l, lua.LString(b.String()))
}

// convert returns the text for a conversion, or the conversion itself if it is unknown.
func convert(conversion string, t time.Time) string {
	switch letter := conversion[1:]; {
	case letter == "Y":
		return strconv.Itoa(t.Year()) // Go prints four digits for the year 99
	case letter == "Z" && t.Location() == time.UTC:
		return "GMT" // as C's gmtime calls it
	case strings.Contains(conversions, letter):
		return strftime.Format(conversion, t)
	}
	return conversion
}

func dateTable(l *lua.LState, t time.Time) *lua.LTable {
	table := l.CreateTable(0, 9)
	for name, value := range map[string]int{
		"sec": t.Second(), "min": t.Minute(), "hour": t.Hour(), "day": t.Day(), "month": int(t.Month()), "year": t.Year(),
		"wday": int(t.Weekday()) + 1, "yday": t.YearDay(),
	} {
		table.RawSetString(name, lua.LNumber(value))
	}
	table.RawSetString("isdst", lua.LBool(t.IsDST()))
	return table
}

// osTime returns the time that a table describes. Fields may be out of their range.
func osTime(l *lua.LState) int {
	if l.Get(1) == lua.LNil {
		return Push(l, lua.LNumber(time.Now().Unix()))
	}
	table := checkTable(l, 1)
	field := func(name string, otherwise int) int {
		n, ok := toNumber(l.GetField(table, name))
		if !ok && otherwise < 0 {
			raiseError(l, "field '%s' missing in date table", name)
		}
		if !ok {
			return otherwise
		}
		return truncate(n)
	}
	sec, minute, hour := field("sec", 0), field("min", 0), field("hour", 12)
	day, month, year := field("day", -1), field("month", -1), field("year", -1)
	for _, n := range []int{sec, minute, hour, day, month, year} {
		if n != int(int32(n)) { // C's struct tm has 32 bits
			return Push(l, lua.LNil)
		}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, sec, 0, zone())
	if dst := l.GetField(table, "isdst"); dst != lua.LNil {
		t = withDST(t, lua.LVAsBool(dst))
	}
	return pushNumber(l, lua.LNumber(t.Unix()), t.Unix() != -1) // C's mktime fails with -1
}

// withDST reads t as a clock with, or without, daylight saving time would show it. If the
// zone has no such time within about a year, the difference is an hour, as in the GNU C
// library.
func withDST(t time.Time, dst bool) time.Time {
	if t.IsDST() == dst {
		return t
	}
	_, offset := t.Zone()
	const step = 7 * 24 * time.Hour
	for distance := step; distance < 60*step; distance += step {
		for _, near := range []time.Time{t.Add(-distance), t.Add(distance)} {
			if near.IsDST() == dst {
				_, other := near.Zone()
				return t.Add(time.Duration(offset-other) * time.Second)
			}
		}
	}
	if dst {
		return t.Add(-time.Hour)
	}
	return t.Add(time.Hour)
}

// zone returns the local time zone. Go understands only a TZ that names a file; TZ may also
// be a POSIX rule such as EST5EDT,M3.2.0,M11.1.0.
func zone() *time.Location {
	tz := strings.TrimPrefix(os.Getenv("TZ"), ":")
	if tz == "" || strings.HasPrefix(tz, "/") {
		return time.Local
	}
	if _, err := time.LoadLocation(tz); err == nil {
		return time.Local
	}
	if location, err := time.LoadLocationFromTZData(tz, ruleFile(tz)); err == nil {
		return location
	}
	return time.Local
}

// ruleFile returns a time zone file (RFC 8536) that consists of a rule. Its only local time
// type, UTC, applies only if Go cannot read the rule.
func ruleFile(rule string) []byte {
	header := func(abbreviations byte) string {
		counts := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, abbreviations}
		return "TZif2" + strings.Repeat("\x00", 15) + string(counts) + strings.Repeat("\x00", 6) + "UTC\x00"
	}
	return []byte(header(4) + header(4) + "\n" + rule + "\n")
}
