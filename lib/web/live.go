package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"quire/lib/runstore"
)

// streamTime is the duration of a stream of a growing log. Then the browser requests the
// rest, so a process of the web server is never busy for long.
const streamTime = 60 * time.Second

// batch is the number of lines in one event.
const batch = 500

// A liveData tells the script of a page how to follow the combined log.
type liveData struct {
	URL   string // relative to the page, with the byte from which to follow
	Lines int    // the number of the last line on the page; 0: lines have no numbers
}

// liveTail is the position in the log, from the end, from which the page of an active run
// shows it. An incomplete first line is left out.
const liveTail = -8 << 10

// follow sends the combined log from a byte on as it grows, as server-sent events (HTML
// Living Standard, 9.2). The id of an event is the position of the next event in the log. The
// event "end" means that the run has ended.
func (v *visit) follow(run *runstore.Run, start string) error {
	at, err := strconv.ParseInt(start, 10, 64)
	if last := v.r.Header.Get("Last-Event-ID"); last != "" {
		at, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil {
		return errNotFound
	}
	w, err := runstore.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	head := v.w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Accel-Buffering", "no") // nginx passes data on at once
	v.w.WriteHeader(http.StatusOK)
	ctx, cancel := context.WithTimeout(v.r.Context(), streamTime)
	defer cancel()
	flush := http.NewResponseController(v.w).Flush
	var style style
	if _, err := fmt.Fprint(v.w, "retry: 1000\n\n"); err != nil {
		return nil // the visitor has left
	}
	for {
		for _, name := range []string{".", "history", runstore.LogFile} {
			if err := w.Add(filepath.Join(run.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				v.Log(err)
				return nil
			}
		}
		// The status is read before the log, so that no line before the end is missed.
		status, err := run.Status()
		if err != nil {
			v.Log(err)
			return nil
		}
		for more := true; more; {
			if more, err = v.send(run, &at, &style, status.State.Final()); err != nil {
				return nil
			}
		}
		if status.State.Final() {
			fmt.Fprintf(v.w, "event: end\ndata: %s\n\n", status.State)
		}
		if err := flush(); err != nil || status.State.Final() || w.Wait(ctx) != nil {
			return nil
		}
	}
}

// send sends lines of the log from *at on, and reports whether more may follow. An error
// means that the connection failed.
func (v *visit) send(run *runstore.Run, at *int64, style *style, final bool) (more bool, err error) {
	f, err := os.Open(filepath.Join(run.Dir, runstore.LogFile))
	if err != nil {
		return false, nil // the run has no log yet
	}
	defer f.Close()
	part := *at < 0 // the first line may be incomplete
	if part {
		if info, err := f.Stat(); err == nil {
			*at = max(0, info.Size()+*at)
		}
		part = *at > 0
	}
	if _, err := f.Seek(*at, 0); err != nil {
		return false, nil
	}
	var lines []line
	end, err := combined(f, final, batch, func(l rawLine) {
		if part {
			part = false
			return
		}
		lines = append(lines, style.line(shownLine(string(l.text))))
	})
	if err != nil || end == 0 {
		return false, nil
	}
	*at += end
	data, err := json.Marshal(lines)
	if err != nil {
		return false, nil
	}
	_, err = fmt.Fprintf(v.w, "id: %d\ndata: %s\n\n", *at, data)
	return len(lines) > 0, err
}
