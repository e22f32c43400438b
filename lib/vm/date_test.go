package vm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDates expects the output of PUC Lua 5.1.5 with the GNU C library.
func TestDates(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`print(os.date("!%a %A %b %B %c|%d %H %I %j %m %M %p %S %U %w %W %x %X %y %Y %Z %%|%C %D %e %F %g %G %h %n%R %r%t%T %u %V %z %Ey %Q", 951782400))`,
			"Tue Tuesday Feb February Tue Feb 29 00:00:00 2000|29 00 12 060 02 00 AM 00 09 2 09 02/29/00 00:00:00 00 2000 GMT %|" +
				"20 02/29/00 29 2000-02-29 00 2000 Feb \n00:00 12:00:00 AM\t00:00:00 2 09 +0000 %Ey %Q\n"},
		{`local t = os.date("!*t", 951782400) print(t.year, t.month, t.day, t.hour, t.min, t.sec, t.wday, t.yday, t.isdst)`, "2000\t2\t29\t0\t0\t0\t3\t60\tfalse\n"},
		{`print(pcall(os.time, {year = 2020})) print(pcall(os.time, {year = 2020, month = 1, day = "x"})) print(pcall(os.date, 1, "x"))`,
			"false\tfield 'day' missing in date table\nfalse\tfield 'day' missing in date table\nfalse\tbad argument #2 to '?' (number expected, got string)\n"},
	} {
		if diff := cmp.Diff(test.want, printed(t, test.text)); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
}

func TestTimeZones(t *testing.T) {
	const text = `print(os.date("%F %T %Z %z", 1720000000), os.date("*t", 1720000000).isdst, os.time{year=2024,month=7,day=3,hour=12},
		os.time{year=2024,month=7,day=3,hour=12,isdst=false}, os.time{year=2024,month=14,day=-3,hour=30})`
	for tz, want := range map[string]string{
		"EST5EDT,M3.2.0,M11.1.0":      "2024-07-03 05:46:40 EDT -0400\ttrue\t1720022400\t1720026000\t1738148400\n",
		"<+0330>-3:30":                "2024-07-03 13:16:40 +0330 +0330\tfalse\t1719995400\t1719995400\t1738117800\n",
		"NZST-12NZDT,M9.5.0,M4.1.0/3": "2024-07-03 21:46:40 NZST +1200\tfalse\t1719964800\t1719964800\t1738083600\n",
	} {
		t.Setenv("TZ", tz)
		if diff := cmp.Diff(want, printed(t, text)); diff != "" {
			t.Errorf("%s: %s", tz, diff)
		}
	}
}
