package doctor

import (
	"testing"
	"time"

	"quire/lib/config"
)

func TestOverdue(t *testing.T) {
	now := time.Now()
	for _, test := range []struct{ age, timeout, grace, want time.Duration }{
		{2 * time.Hour, time.Hour, 10 * time.Second, time.Hour - 10*time.Second - maxClockSkew},
		{time.Hour + 30*time.Second, time.Hour, 10 * time.Second, 0}, // its processes are still being ended
		{time.Hour, 0, time.Second, 0},                               // no timeout
		{2 * time.Hour, time.Hour, time.Hour, 0},
		{-time.Hour, time.Minute, 0, 0}, // the clock was set back
	} {
		got := overdue(now.Add(-test.age), config.Settings{Timeout: test.timeout, Grace: test.grace}, now)
		if got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}
