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
	l.Push(lua.LNumber(processClock.read().Seconds()))
	return 1
}

func osDifftime(l *lua.LState) int {
	l.Push(checkNumber(l, 1) - lua.LNumber(optInt(l, 2, 0)))
	return 1
}

// conversions are those of C99's strftime, and what the GNU C library adds.
const conversions = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%"

// osDate formats a time in the C locale. As in PUC Lua, a conversion has one letter: the
// modifiers E and O are printed as they are.
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
		l.Push(dateTable(l, now))
		return 1
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
	l.Push(lua.LString(b.String()))
	return 1
}

// convert returns what a conversion stands for, or the conversion if it is none.
func convert(conversion string, t time.Time) string {
	switch letter := conversion[1:]; {
	case letter == "Y":
		return strconv.Itoa(t.Year()) // Go has four digits for the year 99
	case letter == "Z" && t.Location() == time.UTC:
		return "GMT" // as gmtime has it
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

// osTime returns the time that a table is of. Fields may be out of their range.
func osTime(l *lua.LState) int {
	if l.Get(1) == lua.LNil {
		l.Push(lua.LNumber(time.Now().Unix()))
		return 1
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
		if n != int(int32(n)) { // C's struct tm has no more
			l.Push(lua.LNil)
			return 1
		}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, sec, 0, zone())
	if dst := l.GetField(table, "isdst"); dst != lua.LNil {
		t = withDST(t, lua.LVAsBool(dst))
	}
	return pushNumber(l, lua.LNumber(t.Unix()), t.Unix() != -1) // C's mktime fails with -1
}

// withDST returns the time that t shows on a clock with, or without, daylight saving
// time. In a zone that has no such time within a year or so, it is an hour, as the GNU C
// library has it.
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

// zone returns the local time zone. Go knows the names of files; the variable TZ may
// also hold a rule, in the form of POSIX: EST5EDT,M3.2.0,M11.1.0.
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

// ruleFile returns a time zone file in the form of RFC 8536 that consists of a rule. Its
// one local time, UTC, holds only if Go cannot read the rule.
func ruleFile(rule string) []byte {
	header := func(abbreviations byte) string {
		counts := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, abbreviations}
		return "TZif2" + strings.Repeat("\x00", 15) + string(counts) + strings.Repeat("\x00", 6) + "UTC\x00"
	}
	return []byte(header(4) + header(4) + "\n" + rule + "\n")
}
