package runstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// A held is a run whose driver holds its turn until told to continue.
type held struct {
	driver    *Driver
	preparing chan struct{} // gets a value for each turn
	goOn      chan error    // what prepare returns
	done      chan error    // what Begin returned
}

// beginHeld starts to drive a run with a prepare that waits.
func beginHeld(t *testing.T, r *Run, limits Limits) *held {
	t.Helper()
	h := &held{drive(t, r), make(chan struct{}, 8), make(chan error), make(chan error, 1)}
	go func() {
		h.done <- h.driver.Begin(context.Background(), limits, Change{State: Active}, func(context.Context) error {
			h.preparing <- struct{}{}
			return <-h.goOn
		})
	}()
	return h
}

func isState(t *testing.T, r *Run, want State) {
	t.Helper()
	status, err := r.Status()
	ok(t, err)
	if status.State != want {
		t.Errorf("run %s is %s, want %s", r.ID, status.State, want)
	}
}

// A run whose driver prepares is pending. Whatever happens to it then, the limit holds
// and the run behind it gets its turn.
func TestTurnIsHeld(t *testing.T) {
	broken := errors.New("broken configuration")
	for name, end := range map[string]func(t *testing.T, r *Run, h *held){
		"it begins and ends": func(t *testing.T, r *Run, h *held) {
			h.goOn <- nil
			ok(t, <-h.done)
			isState(t, r, Active)
			ok(t, r.Transition(Change{State: Complete}))
			h.driver.Unlock()
		},
		"it gives the turn back": func(t *testing.T, r *Run, h *held) {
			h.goOn <- broken
			if err := <-h.done; !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
			isState(t, r, Pending)
			h.driver.Unlock()
		},
		"it is killed": func(t *testing.T, r *Run, h *held) {
			h.driver.file.Close() // as the kernel does
			isState(t, r, Pending)
		},
		"it is cancelled": func(t *testing.T, r *Run, h *held) {
			ok(t, r.Transition(Change{State: Failed, Reason: "cancelled"}))
			h.goOn <- nil
			if err := <-h.done; !errors.As(err, new(*StateError)) {
				t.Errorf("got %v", err)
			}
			h.driver.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			runs := create(t, s, eightFacts()[:2]...)
			one := Limits{Root: 1}
			first := beginHeld(t, runs[0], one)
			<-first.preparing
			second := beginHeld(t, runs[1], one)
			awaitQueued(t, s, 2)
			select {
			case <-second.preparing:
				t.Fatal("two have the turn")
			default:
			}
			end(t, runs[0], first)
			<-second.preparing
			second.goOn <- nil
			ok(t, <-second.done)
			isState(t, runs[1], Active)
		})
	}
}

// An older run that arrives while a younger one prepares goes first. The younger one must
// wait again, and then prepares again: its preparation is out of date.
func TestOlderRunTakesTheTurn(t *testing.T) {
	s := open(t)
	runs := create(t, s, eightFacts()[:2]...)
	one := Limits{Root: 1}
	young := drive(t, runs[1])
	prepared := 0
	var old *held
	begun := make(chan error)
	err := young.Begin(context.Background(), one, Change{State: Active}, func(context.Context) error {
		if prepared++; prepared > 1 {
			isState(t, runs[0], Complete)
			return nil
		}
		old = beginHeld(t, runs[0], one)
		<-old.preparing
		go func() {
			old.goOn <- nil
			err := <-old.done
			if err == nil {
				isState(t, runs[1], Pending)
				begun <- nil
				err = runs[0].Transition(Change{State: Complete})
			}
			old.driver.Unlock()
			begun <- err
		}()
		return <-begun // the older one is active
	})
	ok(t, errors.Join(err, <-begun))
	isState(t, runs[1], Active)
}

// If drivers prepare, fail and retry, the limit is never exceeded and all runs begin.
func TestTurnsAtOnce(t *testing.T) {
	const limit = 2
	s := open(t)
	var active, most atomic.Int32
	var all sync.WaitGroup
	for i, r := range create(t, s, eightFacts()...) {
		all.Go(func() {
			for try := 0; ; try++ {
				d, err := r.Drive()
				if err != nil {
					t.Error(err)
					return
				}
				err = d.Begin(context.Background(), Limits{Root: limit}, Change{State: Active}, func(context.Context) error {
					if try < i%3 {
						return ErrBusy
					}
					return nil
				})
				if errors.Is(err, ErrBusy) {
					d.Unlock()
					continue
				}
				if err != nil {
					t.Error(err)
				}
				for n := active.Add(1); n > most.Load(); {
					most.Store(n)
				}
				active.Add(-1)
				if err := r.Transition(Change{State: Complete}); err != nil {
					t.Error(err)
				}
				d.Unlock()
				return
			}
		})
	}
	all.Wait()
	if most.Load() > limit {
		t.Errorf("%d active at once", most.Load())
	}
}

// A waiter waits again for a lock that was released and taken again, for example by a
// second driver after the first was killed.
func TestWaitsForALockAgain(t *testing.T) {
	s := open(t)
	r := create(t, s, eightFacts()[0])[0]
	w := waiter{released: make(chan struct{}, 1), watched: map[holder]bool{}}
	for range 3 {
		d := drive(t, r)
		done := make(chan error, 1)
		go func() { done <- w.wait(t.Context(), []holder{{r.Dir, driverByte}}) }()
		d.Unlock()
		ok(t, <-done)
	}
}
