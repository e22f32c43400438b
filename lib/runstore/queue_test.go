package runstore

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/push"
)

// Locks belong to open files, so drivers in one process queue up as processes do.

func drive(t *testing.T, r *Run) *Driver {
	t.Helper()
	d, err := r.Drive()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Unlock)
	return d
}

func perRepo(n int) Limits { return Limits{Repo: func(string) int { return n }} }

func TestTurn(t *testing.T) {
	at := func(repo, id string) queueRun { return queueRun{id: id, repo: repo, dir: id} }
	me := func(repo, id string) *Run { return &Run{Facts: Facts{Facts: push.Facts{ID: id, Repo: repo}}} }
	for _, tt := range []struct {
		name             string
		run              *Run
		limits           Limits
		running, waiting []queueRun
		want             []holder
	}{
		{"alone", me("a", "3"), Limits{Root: 1}, nil, []queueRun{at("a", "3")}, nil},
		{"no limits", me("a", "3"), Limits{}, []queueRun{at("a", "1"), at("a", "2")}, nil, nil},
		{"full", me("a", "3"), Limits{Root: 1}, []queueRun{at("b", "1")}, nil, []holder{{"1", driverByte}}},
		{"room", me("a", "3"), Limits{Root: 2}, []queueRun{at("b", "1")}, nil, nil},
		{"an older one goes first", me("a", "3"), Limits{Root: 2}, []queueRun{at("b", "1")}, []queueRun{at("b", "2"), at("a", "3")},
			[]holder{{"1", driverByte}, {"2", waitingByte}}},
		{"a newer one does not", me("a", "3"), Limits{Root: 2}, []queueRun{at("b", "1")}, []queueRun{at("a", "3"), at("b", "4")}, nil},
		{"behind the one before in the repository", me("a", "3"), Limits{Root: 1}, []queueRun{at("b", "0")},
			[]queueRun{at("a", "1"), at("a", "2")}, []holder{{"2", waitingByte}}},
		{"repository full", me("a", "3"), perRepo(1), []queueRun{at("b", "0"), at("a", "1")}, nil, []holder{{"1", driverByte}}},
		{"another repository full", me("a", "3"), perRepo(1), []queueRun{at("b", "0")}, []queueRun{at("b", "1")}, nil},
	} {
		got := turn(tt.run, tt.limits, tt.running, tt.waiting)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(holder{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Runs begin in the order of their ids, never more at once than allowed.
func TestQueue(t *testing.T) {
	for _, limit := range []int{1, 2} {
		order, most := queueUp(t, limit)
		if most != limit {
			t.Errorf("%d were active at once, want %d", most, limit)
		}
		// The newest asked first, and began at once. Two runs that begin at once may
		// report it in any order.
		if limit == 1 && !slices.IsSorted(order[1:]) {
			t.Errorf("order %v", order)
		}
	}
}

// queueUp begins and ends runs, with the newest asking first. It returns their ids in the
// order they began, and how many were active at once.
func queueUp(t *testing.T, limit int) (order []string, most int) {
	s := open(t)
	runs := create(t, s, eightFacts()...)
	var mu sync.Mutex
	active := 0
	begun := make(chan chan struct{}, len(runs))
	var all sync.WaitGroup
	for i, r := range slices.Backward(runs) {
		d := drive(t, r)
		all.Go(func() {
			defer d.Unlock()
			if err := d.Begin(context.Background(), Limits{Root: limit}, Change{State: Active}, nil); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, r.ID)
			active++
			most = max(most, active)
			mu.Unlock()
			end := make(chan struct{})
			begun <- end
			<-end
			mu.Lock()
			active--
			mu.Unlock()
			if err := r.Transition(Change{State: Complete}); err != nil {
				t.Error(err)
			}
		})
		awaitQueued(t, s, len(runs)-i)
	}
	var held []chan struct{} // as many as may be active wait here
	for range runs {
		if held = append(held, <-begun); len(held) == limit {
			close(held[0])
			held = held[1:]
		}
	}
	for _, end := range held {
		close(end)
	}
	all.Wait()
	return order, most
}

// awaitQueued returns once n runs are active or wait for their turn.
func awaitQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	for {
		all, err := s.queue()
		if err != nil {
			t.Fatal(err)
		}
		if len(all.running)+len(all.waiting) >= n {
			return
		}
	}
}

// A waiter that is killed, cancelled or told to stop does not hold up the others. A
// killed active run frees its slot. Each wakes a waiter within 50 ms.
func TestQueueContinuesWithoutAKilledDriver(t *testing.T) {
	s := open(t)
	runs := create(t, s, eightFacts()[:4]...)
	one := Limits{Root: 1}
	first := drive(t, runs[0])
	if err := first.Begin(context.Background(), one, Change{State: Active}, nil); err != nil {
		t.Fatal(err)
	}
	begin := func(i int, ctx context.Context) (*Driver, chan error) {
		d := drive(t, runs[i])
		done := make(chan error, 1)
		go func() { done <- d.Begin(ctx, one, Change{State: Active}, nil) }()
		awaitQueued(t, s, i+1)
		return d, done
	}
	stop, cancel := context.WithCancelCause(context.Background())
	killed, _ := begin(1, context.Background())
	_, stopped := begin(2, stop)
	_, last := begin(3, context.Background())

	killed.Unlock() // as the kernel does
	reason := errors.New("stopped")
	cancel(reason)
	if err := <-stopped; !errors.Is(err, reason) {
		t.Errorf("stopped: %v", err)
	}
	select {
	case err := <-last:
		t.Fatalf("began beside an active run: %v", err)
	default:
	}
	first.Unlock() // killed while active
	if err := <-last; err != nil {
		t.Fatal(err)
	}
	if status, err := runs[2].Status(); err != nil || status.State != Pending {
		t.Errorf("the stopped one: %+v, %v", status, err)
	}
}

// Waiting runs that another process makes active do not wait for each other.
func TestQueueWithRunsMadeActive(t *testing.T) {
	s := open(t)
	runs := create(t, s, eightFacts()[:4]...)
	first := drive(t, runs[0])
	if err := first.Begin(context.Background(), Limits{Root: 1}, Change{State: Active}, nil); err != nil {
		t.Fatal(err)
	}
	var waiting []chan error
	for i, r := range runs[1:] {
		d := drive(t, r)
		done := make(chan error, 1)
		waiting = append(waiting, done)
		go func() {
			defer d.Unlock()
			done <- d.Begin(context.Background(), Limits{Root: 1}, Change{State: Active}, nil)
		}()
		awaitQueued(t, s, 1+i+1)
	}
	change(t, runs[1], Change{State: Active})
	change(t, runs[2], Change{State: Active})
	change(t, runs[0], Change{State: Complete})
	first.Unlock()
	for i, done := range waiting[:2] {
		if err := <-done; !errors.As(err, new(*StateError)) {
			t.Errorf("run %d: %v", i+1, err)
		}
	}
	if err := <-waiting[2]; err != nil {
		t.Errorf("the one behind them: %v", err)
	}
}

func TestDriverContext(t *testing.T) {
	s := open(t)
	r := create(t, s, facts("a", "r"))[0]
	d := drive(t, r)
	if _, err := r.Drive(); !errors.Is(err, ErrBusy) {
		t.Errorf("driven twice: %v", err)
	}
	ctx, stop := d.Context(context.Background())
	defer stop()
	change(t, r, Change{State: Failed, Reason: "cancelled"})
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, ErrEnded) {
		t.Errorf("cause %v", err)
	}
	waited := make(chan error, 1)
	go func() { waited <- r.AwaitDriver() }()
	d.Unlock()
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

func TestReconcile(t *testing.T) {
	s := open(t)
	runs := create(t, s, eightFacts()[:5]...)
	change(t, runs[0], Change{State: Active})                                           // orphaned
	drive(t, runs[1]).Begin(context.Background(), Limits{}, Change{State: Active}, nil) // driven
	drive(t, runs[2])                                                                   // about to begin
	change(t, runs[4], Change{State: Complete})                                         // ended, but still in live/
	if err := relink(s, runs[4]); err != nil {
		t.Fatal(err)
	}
	report, err := s.Reconcile(0)
	if err != nil || len(report.Failures) > 0 {
		t.Fatal(err, report.Failures)
	}
	ids := func(runs []*Run) []string {
		var ids []string
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		return ids
	}
	if diff := cmp.Diff([]string{runs[0].ID}, ids(report.Orphaned)); diff != "" {
		t.Errorf("orphaned (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{runs[3].ID}, ids(report.Pending)); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	sound(t, s)
	status, err := runs[0].Status()
	if err != nil || status.Reason != "orphaned" {
		t.Errorf("status %+v, %v", status, err)
	}
}

// A run whose driver was killed has its slot until its processes have ended. A driver
// that needs the slot ends them.
func TestBeginEndsOrphans(t *testing.T) {
	for name, end := range map[string]*Change{
		"active": nil, "cancelled meanwhile": {State: Failed, Reason: "cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			runs := create(t, s, eightFacts()[:3]...)
			first := drive(t, runs[0])
			one := Limits{Root: 1, Grace: 100 * time.Millisecond}
			if err := first.Begin(context.Background(), one, Change{State: Active}, nil); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sleep", "60")
			cmd.Env = append(os.Environ(), "QUIRE_RUN="+runs[0].ID)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				_ = cmd.Wait()
				close(ended)
			}()
			if end != nil {
				if err := runs[0].Transition(*end); err != nil {
					t.Fatal(err)
				}
			}
			first.file.Close() // as if it was killed
			second := drive(t, runs[1])
			if err := second.Begin(context.Background(), one, Change{State: Active}, nil); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ended:
			case <-time.After(time.Second):
				t.Error("the process of the first run lives when the second begins")
				_ = cmd.Process.Kill()
			}
			status, err := runs[0].Status()
			if err != nil || status.State != Failed || end == nil && status.Reason != "orphaned" {
				t.Errorf("the first run is %v, %v", status, err)
			}
			if left, err := runs[0].Abandoned(); err != nil || left {
				t.Errorf("it is abandoned: %v, %v", left, err)
			}
		})
	}
}

// A run whose place a dispatcher holds is waited for before it has a driver. The wait
// ends when the place is free or the dispatcher is gone.
func TestBeginWaitsForPlaces(t *testing.T) {
	for name, end := range map[string]func(*Places, *Run) error{
		"place freed":     func(p *Places, r *Run) error { return p.Free(r.ID) },
		"dispatcher gone": func(p *Places, _ *Run) error { p.Close(); return nil },
		"run cancelled": func(p *Places, r *Run) error {
			return errors.Join(r.Transition(Change{State: Failed, Reason: "cancelled"}), p.Free(r.ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			runs := create(t, s, eightFacts()[:3]...)
			places, err := s.HoldPlaces(runs[0].ID, runs[1].ID)
			if err != nil {
				t.Fatal(err)
			}
			defer places.Close()
			if why, err := runs[1].Explain(); err != nil || why != "waits for its turn behind "+runs[0].ID {
				t.Errorf("why %q, %v", why, err)
			}
			if report, err := s.Reconcile(0); err != nil || len(report.Pending) != 1 || report.Pending[0].ID != runs[2].ID {
				t.Errorf("reconcile hands out %v, %v", report, err)
			}
			begun := make(chan error, 1)
			late := drive(t, runs[2])
			go func() { begun <- late.Begin(context.Background(), Limits{Root: 2}, Change{State: Active}, nil) }()
			select {
			case <-begun:
				t.Fatal("a younger run overtook two that have places")
			case <-time.After(100 * time.Millisecond):
			}
			if err := end(places, runs[0]); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-begun:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(5 * time.Second):
				t.Error("it still waits")
			}
		})
	}
}
