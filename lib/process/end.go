package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// unkillable is how long a process may live on after SIGKILL before it is given
// up: one that waits for a dead disk or server cannot be ended by anybody.
const unkillable = 10 * time.Second

// batch is how many processes are waited for at once, each by a descriptor.
const batch = 256

// enough is how often in a row no process must have been found to believe it, on
// a machine too busy to look at it between two forks.
const enough = 20

// EndDescendants ends every process that this one started, directly or not,
// wherever it went: SIGTERM and SIGCONT, then after grace SIGKILL. Those that a
// parent abandoned are found when Subreaper was called before they were started.
// It returns when none is left, and has then reaped the adopted ones.
//
// Children in this process's own group are spared, with their descendants: they
// were started by plain exec.Cmd and are waited for by it. A process that Start
// started cannot get there, being in another session.
func EndDescendants(grace time.Duration) error {
	if childless() {
		return nil // known for certain, and without looking through /proc
	}
	self, group := os.Getpid(), unix.Getpgrp()
	err := end(grace, func(t table) ([]proc, bool) {
		t.addChildren(self)
		t.reap(self, group) // one that hops leaves a trail of them
		return t.below(func(p proc) bool { return p.parent == self && p.group != group }), true
	})
	t, err2 := readTable()
	t.reap(self, group)
	return errors.Join(err, err2)
}

// EndEnviron ends every process whose program was started with one of the
// environment variable assignments, such as "QUIRE_RUN=id", and whatever descends
// from one or shares its session; but never this process or one it descends from.
// Processes of other users cannot be read, and are not found.
func EndEnviron(grace time.Duration, assignments ...string) error {
	return end(grace, func(t table) ([]proc, bool) {
		spared := t.ancestors(os.Getpid())
		all := true
		marked := t.filter(func(p proc) bool {
			if spared[p.pid] {
				return false
			}
			has, certain := hasEnv(p.pid, assignments)
			all = all && certain
			return has
		})
		if len(marked) == 0 {
			return nil, all
		}
		pids, sessions := map[int]bool{}, map[int]bool{}
		for _, p := range marked {
			pids[p.pid], sessions[p.session] = true, true
		}
		for pid := range spared {
			delete(sessions, t[pid].session)
		}
		found := t.below(func(p proc) bool { return pids[p.pid] || sessions[p.session] })
		return slices.DeleteFunc(found, func(p proc) bool { return spared[p.pid] }), all
	})
}

// end ends the processes that pick finds, again and again until it finds none, and can
// tell that these are all.
func end(grace time.Duration, pick func(table) (found []proc, all bool)) error {
	type key struct {
		pid   int
		start uint64
	}
	told := map[key]bool{}
	kill := time.Now().Add(grace)
	giveUp := kill.Add(unkillable)
	clean, pause := 0, 10*time.Millisecond
	for {
		before := forks()
		t, err := readTable()
		if err != nil {
			return err
		}
		left, all := pick(t)
		if len(left) == 0 {
			// /proc is not read in one instant: a process that forks and
			// exits at the right time is missed with its child. Where nothing
			// forked between two looks, nothing was missed.
			if clean++; clean == enough || all && clean > 1 && before != 0 && before == forks() {
				return nil
			}
			if !all {
				time.Sleep(time.Millisecond) // of processes that begin, the most have begun
			}
			continue
		}
		clean = 0
		now := time.Now()
		if now.After(giveUp) {
			return fmt.Errorf("cannot end process %d and %d others: they ignore SIGKILL", left[0].pid, len(left)-1)
		}
		// Parents first: a shell that outlives what it waits for, be it for a moment,
		// says so in the log, or starts the next command.
		t.parentsFirst(left)
		for _, p := range left {
			switch k := (key{p.pid, p.start}); {
			case !now.Before(kill):
				p.signal(unix.SIGKILL)
			case !told[k]:
				told[k] = true
				p.signal(unix.SIGTERM)
				p.signal(unix.SIGCONT)
			}
		}
		// What is started meanwhile, by a process that has not noticed its
		// signal yet, is to be told too: so look again before the grace is over.
		await(left[:min(len(left), batch)], now.Add(pause))
		pause = min(2*pause, time.Second)
		if until := time.Until(kill); until > 0 {
			pause = min(pause, until)
		}
	}
}

// signal sends sig to the process, or to nobody when its number has gone to
// another one since the table was read.
func (p proc) signal(sig unix.Signal) {
	fd, err := p.open()
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_ = unix.PidfdSendSignal(fd, sig, nil, 0)
}

// open returns a pidfd of the process (pidfd_open(2)).
func (p proc) open() (int, error) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return -1, err
	}
	if now, err := readProc(p.pid); err != nil || now.start != p.start {
		unix.Close(fd)
		return -1, unix.ESRCH
	}
	return fd, nil
}

// await returns once all of the processes have ended, or at the time until.
func await(procs []proc, until time.Time) {
	var fds []unix.PollFd
	for _, p := range procs {
		if fd, err := p.open(); err == nil {
			defer unix.Close(fd)
			fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	for len(fds) > 0 {
		left := time.Until(until)
		if left <= 0 {
			return
		}
		_, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if err == nil {
			fds = slices.DeleteFunc(fds, func(p unix.PollFd) bool { return p.Revents != 0 })
		}
	}
}
