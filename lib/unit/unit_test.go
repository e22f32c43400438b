package unit

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		text string
		want time.Duration
		err  error
	}{
		{"0", 0, nil},
		{"90s", 90 * time.Second, nil},
		{"1h30m", 90 * time.Minute, nil},
		{"500ms", 500 * time.Millisecond, nil},
		{"7d", 7 * day, nil},
		{"1d12h", 36 * time.Hour, nil},
		{"12h1d", 36 * time.Hour, nil},
		{"1.5d", 36 * time.Hour, nil},
		{"1d1d", 2 * day, nil},
		{"106751d", 106751 * day, nil},
		{"0d", 0, nil},
		{"-1h", 0, errNegativeDuration},
		{"-7d", 0, errNegativeDuration},
		{"--7d", 0, errNegativeDuration},
		{"106752d", 0, errLongDuration},
		{"106751d24h", 0, errLongDuration},
		{"9999999h", 0, errDuration},
		{"", 0, errDuration},
		{"d", 0, errDuration},
		{".d", 0, errDuration},
		{"7", 0, errDuration},
		{"7 d", 0, errDuration},
		{"1d-1h", 0, errDuration},
		{"1d+1h", 0, errDuration},
		{"1d2", 0, errDuration},
		{"7D", 0, errDuration},
		{"1w", 0, errDuration},
		{"fast", 0, errDuration},
		{"1days", 0, errDuration},
	} {
		if got, err := ParseDuration(test.text); got != test.want || err != test.err {
			t.Errorf("%q: got %v, %v; want %v, %v", test.text, got, err, test.want, test.err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, test := range []struct {
		text string
		want uint64
		err  error
	}{
		{"0", 0, nil},
		{"64KiB", 64 << 10, nil},
		{"256MiB", 256 << 20, nil},
		{"10GiB", 10 << 30, nil},
		{"1TiB", 1 << 40, nil},
		{"0MiB", 0, nil},
		{"8388607TiB", 8388607 << 40, nil},
		{"8388608TiB", 0, errLargeSize},
		{"99999999999999999999KiB", 0, errLargeSize},
		{"", 0, errSize},
		{"256", 0, errSize},
		{"256MB", 0, errSize},
		{"256M", 0, errSize},
		{"256mib", 0, errSize},
		{"1.5GiB", 0, errSize},
		{"-1GiB", 0, errSize},
		{"+1GiB", 0, errSize},
		{"1 GiB", 0, errSize},
		{"KiB", 0, errSize},
		{"1KiBMiB", 0, errSize},
		{"0x10MiB", 0, errSize},
	} {
		if got, err := ParseSize(test.text); got != test.want || err != test.err {
			t.Errorf("%q: got %v, %v; want %v, %v", test.text, got, err, test.want, test.err)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 bytes", 1023: "1023 bytes", 1024: "1KiB", 1536: "1.5KiB", 1<<20 - 1: "1024KiB",
		256 << 20: "256MiB", 10 << 30: "10GiB", 10<<30 + 1: "10GiB", 3 << 40: "3TiB", 1 << 62: "4194304TiB",
	} {
		if got := FormatSize(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// FuzzParseDuration compares ParseDuration with time.ParseDuration for texts without days,
// and checks that no result is negative.
func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"1h30m", "7d", "1.5d12h", "-1d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseDuration(text)
		if got < 0 {
			t.Errorf("%q: %v", text, got)
		}
		want, wantErr := time.ParseDuration(text)
		if wantErr == nil && text[0] != '-' && (err != nil || got != want) {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	})
}
