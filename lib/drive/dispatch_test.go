package drive

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/push"
	"quire/lib/runstore"
)

// A scene has one task for each run. A task begins its run, and ends with the next proceed.
type scene struct {
	*testing.T
	store   *runstore.Store
	tasks   []Task
	begun   chan int // the index of a task
	proceed chan bool
}

func newScene(t *testing.T, repos ...string) *scene {
	store, err := runstore.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, store: store, begun: make(chan int, 9), proceed: make(chan bool)}
	for i, repo := range repos {
		runs, err := store.Create(runstore.Facts{Facts: push.Facts{Repo: repo, GitDir: "/none", Ref: fmt.Sprint("refs/heads/", i), SHA: fmt.Sprintf("%040d", 1)}})
		if err != nil {
			t.Fatal(err)
		}
		s.tasks = append(s.tasks, newTask(runs[0], func() error {
			if err := runs[0].Transition(runstore.Change{State: runstore.Active}); err != nil {
				return err
			}
			s.begun <- i
			<-s.proceed
			return runs[0].Transition(runstore.Change{State: runstore.Complete})
		}))
	}
	slices.Reverse(s.tasks) // Dispatch sorts them
	return s
}

// dispatch runs Dispatch in the background. The limits of repositories that are not named
// are 0.
func (s *scene) dispatch(ctx context.Context, root int, repos map[string]int) <-chan error {
	result := make(chan error, 1)
	limits := runstore.Limits{Root: root, Repo: func(name string) int { return repos[name] }}
	go func() { result <- Dispatch(ctx, s.store, s.tasks, limits) }()
	return result
}

// begin returns the n tasks that begin while none ends. It fails if more begin.
func (s *scene) begin(n int) (tasks []int) {
	for range n {
		select {
		case i := <-s.begun:
			tasks = append(tasks, i)
		case <-time.After(10 * time.Second):
			s.Fatalf("only %v begin", tasks)
		}
	}
	select {
	case i := <-s.begun:
		s.Fatalf("%d begins besides %v", i, tasks)
	case <-time.After(50 * time.Millisecond):
	}
	return tasks
}

func TestDispatch(t *testing.T) {
	for name, test := range map[string]struct {
		repos []string // of the runs, in the order of their ids
		root  int      // the limit of the root
		repo  map[string]int
		want  [][]int // which runs run at the same time, by their index
	}{
		"one at a time":                   {[]string{"a", "a", "a"}, 1, nil, [][]int{{0}, {1}, {2}}},
		"two at a time":                   {[]string{"a", "a", "a"}, 2, nil, [][]int{{0, 1}, {2}}},
		"limit of a repository":           {[]string{"a", "a", "a"}, 3, map[string]int{"a": 2}, [][]int{{0, 1}, {2}}},
		"a repository waits for no other": {[]string{"a", "a", "b", "b"}, 3, map[string]int{"a": 1}, [][]int{{0, 2, 3}, {1}}},
		"limit of the root":               {[]string{"a", "a", "b", "c"}, 2, map[string]int{"a": 1}, [][]int{{0, 2}, {1, 3}}},
		"limit above that of the root":    {[]string{"a", "a", "a"}, 2, map[string]int{"a": 9}, [][]int{{0, 1}, {2}}},
		"nothing to do":                   {nil, 2, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, test.repos...)
			result := s.dispatch(t.Context(), test.root, test.repo)
			for _, want := range test.want {
				got := s.begin(len(want))
				slices.Sort(got) // runs of two repositories begin in any order
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
				// A value ends any one of the tasks, so send one value for each.
				for range want {
					s.proceed <- true
				}
			}
			if err := <-result; err != nil {
				t.Error(err)
			}
		})
	}
}

// When the context ends, runs that have not begun are not driven and lose their places in the
// queue.
func TestDispatchIsCancelled(t *testing.T) {
	s := newScene(t, "a", "a", "a")
	ctx, cancel := context.WithCancel(t.Context())
	result := s.dispatch(ctx, 1, nil)
	s.begin(1)
	waiting := func() (n int) {
		for _, task := range s.tasks[:2] {
			why, err := task.Explain()
			if err != nil {
				t.Fatal(err)
			}
			if why != "nobody drives it; reconcile hands it out" {
				n++
			}
		}
		return n
	}
	if n := waiting(); n != 2 {
		t.Errorf("%d runs keep their places before the context ends", n)
	}
	cancel()
	<-s.tasks[0].driven.Done()
	<-s.tasks[1].driven.Done()
	if n := waiting(); n != 0 {
		t.Errorf("%d runs keep their places after the context has ended", n)
	}
	s.proceed <- true
	if err := <-result; err != nil {
		t.Error(err)
	}
	s.begin(0)
}
