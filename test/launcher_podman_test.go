package test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// podmanImage is an image that has busybox and nothing else.
const podmanImage = "localhost/quire-test:1"

// TestLauncherPodman runs the scripts of the launcher podman.
func TestLauncherPodman(t *testing.T) {
	t.Parallel()
	slow(t)
	needs(t, "podman", "busybox")
	launcherScripts(t, "podman", findPodman(t).setup)
}

// A podmanKind is a configuration that podman may work with.
type podmanKind struct {
	driver, runtime string // the storage driver, and the OCI runtime that starts processes
	image           []byte // its root file system, an archive
}

// findPodman returns a kind that works here. That depends on the kernel, on its control
// groups, and on the container, if any, of the test itself.
func findPodman(t *testing.T) podmanKind {
	t.Helper()
	var why error
	for _, driver := range []string{"overlay", "vfs"} {
		for _, runtime := range []string{"runc", "crun"} {
			p := podmanKind{driver, runtime, busyboxImage(t)}
			store, err := p.store(t.TempDir())
			if err == nil {
				err = store.run("", "run", "--rm", "--network", "none", podmanImage, "true")
				store.remove()
			}
			if err == nil {
				t.Logf("podman works with %s and %s", driver, runtime)
				return p
			}
			why = errors.Join(why, fmt.Errorf("%s and %s: %w", driver, runtime, err))
		}
	}
	t.Skipf("podman can start no container here: %v", why)
	panic("not reached")
}

// setup gives a script its own store, in the directory $CONTAINERS.
func (p podmanKind) setup(env *testscript.Env) error {
	dir := filepath.Join(env.WorkDir, "containers")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	store, err := p.store(dir)
	env.Defer(store.remove)
	for _, variable := range store.environ() {
		name, value, _ := strings.Cut(variable, "=")
		env.Setenv(name, value)
	}
	return err
}

// A podmanStore is a directory for all of podman's files, with configuration files that
// say so.
type podmanStore struct{ dir, driver string }

// store creates a store that has podmanImage.
func (p podmanKind) store(dir string) (podmanStore, error) {
	s := podmanStore{dir, p.driver}
	for name, text := range map[string]string{
		"storage.conf": fmt.Sprintf("[storage]\ndriver = %q\ngraphroot = %q\nrunroot = %q\n",
			p.driver, filepath.Join(dir, "graph"), filepath.Join(dir, "run")),
		// podman's default limits exceed ours
		"containers.conf": fmt.Sprintf("[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n"+
			"[engine]\nruntime = %q\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nlock_type = \"file\"\ntmp_dir = %q\n",
			p.runtime, filepath.Join(dir, "tmp")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return s, err
		}
	}
	return s, s.run(string(p.image), "import", "--quiet", "-", podmanImage)
}

func (s podmanStore) environ() []string {
	return []string{
		"CONTAINERS=" + s.dir,
		"CONTAINERS_CONF=" + filepath.Join(s.dir, "containers.conf"),
		"CONTAINERS_STORAGE_CONF=" + filepath.Join(s.dir, "storage.conf"),
	}
}

func (s podmanStore) run(stdin string, args ...string) error {
	cmd := exec.Command("podman", args...)
	cmd.Env = append(os.Environ(), s.environ()...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("podman %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// remove ends remaining processes and unmounts podman's own mounts for the store.
func (s podmanStore) remove() {
	_ = s.run("", "rm", "--force", "--all", "--time", "0")
	_ = syscall.Unmount(filepath.Join(s.dir, "graph", s.driver), 0)
}

// busyboxImage returns the root file system of an image as a tar archive.
func busyboxImage(t *testing.T) []byte {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var image bytes.Buffer
	w := tar.NewWriter(&image)
	add := func(h tar.Header, data []byte) {
		h.Size = int64(len(data))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	add(tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}, nil)
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, program)
	for _, name := range []string{"sh", "cat", "grep", "id", "ls", "mkdir", "setsid", "sleep", "touch", "true", "wc"} {
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox"}, nil)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return image.Bytes()
}
