package runlog

import (
	"path/filepath"
	"testing"
	"time"
)

// The combined log has the time of each of its lines, also if several processes wrote it.
func TestRunLogTimes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var begun []time.Time
	for range 2 {
		l, err := OpenRunLog(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			begun = append(begun, time.Now())
			l.Note("12345678%c", '9') // ten bytes
			time.Sleep(timesEvery)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	begun = append(begun, time.Now())
	times, err := OpenTimes(path)
	if err != nil {
		t.Fatal(err)
	}
	defer times.Close()
	for i, began := range begun[:len(begun)-1] {
		for _, offset := range []int64{10 * int64(i), 10*int64(i) + 9} {
			at, err := time.Parse(LineTime, times.At(offset))
			if err != nil || at.Before(began.Add(-timesEvery)) || at.After(begun[i+1]) {
				t.Errorf("byte %d: %v after it was about to be written, %v", offset, at.Sub(began), err)
			}
		}
	}
}
