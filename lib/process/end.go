package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// unkillable is how long a process may live after SIGKILL before quire gives up: a
// process that waits for a dead disk or server cannot be ended.
const unkillable = 10 * time.Second

// maxPidfds is how many processes are waited for at once, each by a descriptor.
const maxPidfds = 256

// If cleanScans scans in a row find no process, none is left, even if processes forked
// between all of them, as on a busy machine.
const cleanScans = 20

// EndDescendants ends every process that this one started, directly or not: by SIGTERM
// and SIGCONT, then after grace by SIGKILL. It finds processes whose parent has ended if
// Subreaper was called before they were started. It returns when none is left, and has
// then reaped the adopted ones.
//
// It spares children in this process's own group, with their descendants: exec.Cmd started
// them and waits for them. A process that Start started cannot join the group, because it
// is in another session.
func EndDescendants(grace time.Duration) error {
	if hasNoChildren() { // the usual case, and one system call instead of a scan of /proc
		return nil
	}
	self, group := os.Getpid(), unix.Getpgrp()
	err := end(grace, func(t table) ([]proc, bool) {
		t.addChildren(self)
		t.reap(self, group) // a process that forks and exits all the time leaves many zombies
		return t.below(func(p proc) bool { return p.parent == self && p.group != group }), true
	})
	t, err2 := readTable()
	t.reap(self, group)
	return errors.Join(err, err2)
}

// EndEnviron ends every process whose program was started with one of the environment
// variable assignments, such as "QUIRE_RUN=id", and every process that descends from one or
// shares its session. It never ends this process or its ancestors. It does not find
// processes of other users, whose environments it cannot read.
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

// end ends the processes that pick finds. It repeats that until pick finds none, and is
// certain that it missed none.
func end(grace time.Duration, pick func(table) (found []proc, all bool)) error {
	type key struct {
		pid   int
		start uint64
	}
	signalled := map[key]bool{}
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
			// A scan of /proc takes time: a process that forks and exits at the right
			// moment is missed, and so is its child. If nothing forked between two
			// scans, nothing was missed.
			if clean++; clean == cleanScans || all && clean > 1 && before != 0 && before == forks() {
				return nil
			}
			if !all {
				time.Sleep(time.Millisecond) // most of the uncertain processes have begun their program by then
			}
			continue
		}
		clean = 0
		now := time.Now()
		if now.After(giveUp) {
			return fmt.Errorf("cannot end process %d and %d others: they ignore SIGKILL", left[0].pid, len(left)-1)
		}
		// Parents first: a shell whose child ends before it does prints that to the log,
		// or starts the next command.
		t.parentsFirst(left)
		for _, p := range left {
			switch k := (key{p.pid, p.start}); {
			case !now.Before(kill):
				p.signal(unix.SIGKILL)
			case !signalled[k]:
				signalled[k] = true
				p.signal(unix.SIGTERM)
				p.signal(unix.SIGCONT)
			}
		}
		// A process that has not handled its signal yet may start others, which must get
		// the signal too. So scan again before the grace period ends.
		await(left[:min(len(left), maxPidfds)], now.Add(pause))
		pause = min(2*pause, time.Second)
		if until := time.Until(kill); until > 0 {
			pause = min(pause, until)
		}
	}
}

// signal sends sig to the process. If another process has its number by now, signal does
// nothing.
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
