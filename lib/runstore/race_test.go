package runstore

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain makes the test binary one of many processes that race, if RUNSTORE_TEST_ROLE
// says so.
func TestMain(m *testing.M) {
	roles := map[string]func([]string) error{"change": changeRole, "everything": everythingRole}
	if role, ok := roles[os.Getenv("RUNSTORE_TEST_ROLE")]; ok {
		io.Copy(io.Discard, os.Stdin) // the start of the race
		if err := role(os.Args[1:]); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// racers starts n processes in a role, lets them begin at once, and returns their
// outputs.
func racers(t *testing.T, n int, role string, args func(i int) []string) []string {
	t.Helper()
	gate, release, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, n)
	var all sync.WaitGroup
	var ready sync.WaitGroup
	ready.Add(n)
	for i := range n {
		all.Go(func() {
			cmd := exec.Command(os.Args[0], args(i)...)
			cmd.Env = append(os.Environ(), "RUNSTORE_TEST_ROLE="+role)
			cmd.Stdin = gate
			var text strings.Builder
			cmd.Stdout, cmd.Stderr = &text, &text
			err := cmd.Start()
			ready.Done()
			if err == nil {
				err = cmd.Wait()
			}
			out[i] = text.String()
			if err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out[i])
			}
		})
	}
	ready.Wait()
	gate.Close()
	release.Close()
	all.Wait()
	return out
}

// changeRole asks for a change of some runs, and prints the ids of the runs it won: ROOT
// STATE ID...
func changeRole(args []string) error {
	s, err := Open(args[0], nil)
	if err != nil {
		return err
	}
	for _, id := range args[2:] {
		r, err := s.Find(id)
		if err != nil {
			return err
		}
		err = r.Transition(changes[State(args[1])])
		var refused *StateError
		switch {
		case err == nil:
			fmt.Println(id)
		case !errors.As(err, &refused):
			return err
		}
	}
	return nil
}

// If many processes end the same runs, each run has one winner.
func TestOneWinner(t *testing.T) {
	s := open(t)
	var ids []string
	for _, r := range create(t, s, eightFacts()...) {
		ids = append(ids, r.ID)
	}
	won := map[string]int{}
	ends := []State{Complete, Failed, Superseded}
	for _, out := range racers(t, 24, "change", func(i int) []string {
		return append([]string{s.Root(), string(ends[i%len(ends)])}, ids...)
	}) {
		for id := range strings.FieldsSeq(out) {
			won[id]++
		}
	}
	for _, id := range ids {
		if won[id] != 1 {
			t.Errorf("%d processes ended run %s", won[id], id)
		}
	}
	sound(t, s)
}

// eightFacts returns the facts of eight runs of three repositories.
func eightFacts() []Facts {
	f := make([]Facts, 8)
	for i := range f {
		f[i] = facts(fmt.Sprintf("r%d", i%3), "refs/heads/main")
	}
	return f
}

// sound fails the test if Check finds a problem.
func sound(t *testing.T, s *Store) {
	t.Helper()
	problems, err := s.Check(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Path, p.What)
	}
}

// everythingRole does random operations on runs for a while, and prints the ids of the
// runs it created: ROOT SEED DURATION
func everythingRole(args []string) error {
	s, err := Open(args[0], nil)
	if err != nil {
		return err
	}
	seed, _ := strconv.Atoi(args[1])
	d, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for end := time.Now().Add(d); time.Now().Before(end); {
		if err := anything(s, random); err != nil {
			return err
		}
	}
	return nil
}

func anything(s *Store, random *rand.Rand) error {
	switch random.IntN(10) {
	case 0, 1:
		_, err := s.Create(eightFacts()[:1+random.IntN(3)]...)
		return err
	case 2:
		_, err := s.Reconcile(0)
		return err
	case 3:
		records, err := s.Prunable(Prune{Keep: func(string) int { return 5 }})
		if err == nil {
			err = s.Remove(records, func(Record) {})
		}
		return err
	case 4:
		_, err := s.Check(true)
		return err
	}
	var all []*Run
	for r, err := range s.Live() {
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil
	}
	r := all[random.IntN(len(all))]
	err := r.Transition(changes[States[1+random.IntN(4)]])
	var refused *StateError
	if errors.As(err, &refused) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Processes create, end, reconcile, prune and repair the same store at once. Every
// history stays legal, nothing is lost, and nothing is left to repair.
func TestEverythingAtOnce(t *testing.T) {
	n, d := 8, "2s"
	if os.Getenv("RACES") == "full" {
		n, d = 64, "60s"
	}
	s := open(t)
	create(t, s, eightFacts()...)
	racers(t, n, "everything", func(i int) []string { return []string{s.Root(), strconv.Itoa(i), d} })
	if _, err := s.Reconcile(0); err != nil {
		t.Fatal(err)
	}
	sound(t, s)
	seen := map[string]bool{}
	for _, id := range list(t, s, Filter{}) {
		if seen[id] {
			t.Errorf("run %s is listed twice", id)
		}
		seen[id] = true
	}
}
