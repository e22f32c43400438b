package test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"quire/lib/cli"
)

// machines are the architectures of archives and packages.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// output runs a command and returns its output.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// ordinary matches a line of tar -tv for a file of root that only root can change.
var ordinary = regexp.MustCompile(`^[-d]rw[x-]r-[x-]r-[x-] root/root `)

// checkPrograms checks that the programs in dir are static and for a machine.
func checkPrograms(t *testing.T, dir string, machine elf.Machine) {
	t.Helper()
	for _, name := range cli.Programs {
		path := filepath.Join(dir, name)
		if name == "quire-dispatch" {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("%s: %v, %v", path, info, err)
			}
			continue
		}
		f, err := elf.Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		defer f.Close()
		if f.Machine != machine || f.Section(".interp") != nil {
			t.Errorf("%s is for %v, want %v, interpreter %v", path, f.Machine, machine, f.Section(".interp"))
		}
	}
}

// TestDist unpacks the archives of make dist, and installs this machine's as the README
// says.
func TestDist(t *testing.T) {
	slow(t) // it builds in bin/
	output(t, "make", "-s", "-C", "..", "dist")
	for arch, machine := range machines {
		t.Run(arch, func(t *testing.T) {
			home := t.TempDir()
			name := "quire-" + cli.Version + "-linux-" + arch
			output(t, "tar", "-C", home, "-xzf", "../bin/"+name+".tar.gz")
			dir := filepath.Join(home, name)
			local := filepath.Join(home, ".local")
			output(t, filepath.Join(dir, "contrib/install"), local)
			checkPrograms(t, filepath.Join(local, "bin"), machine)
			for _, path := range []string{"share/man/man7/quire.7", "share/quire/launchers/bwrap", "share/bash-completion/completions/quire-ci"} {
				read(t, filepath.Join(local, path))
			}
			if hook := read(t, filepath.Join(local, "share/quire/hooks/post-receive")); !strings.Contains(hook, local+"/bin") {
				t.Errorf("the hook does not name %s:\n%s", local, hook)
			}
			if arch == runtime.GOARCH {
				if got := output(t, filepath.Join(local, "bin/quire-ci"), "--version"); got != "quire-ci "+cli.Version+"\n" {
					t.Errorf("quire-ci --version prints %q", got)
				}
			}
		})
	}
}

// TestDeb checks the packages of make deb. This machine's is installed over an older one,
// upgraded and removed in its own root, which dpkg --root creates.
func TestDeb(t *testing.T) {
	slow(t) // it builds in bin/
	needsRoot(t)
	needs(t, "dpkg", "dpkg-deb")
	output(t, "make", "-s", "-C", "..", "deb")
	for arch, machine := range machines {
		t.Run(arch, func(t *testing.T) {
			deb := "../bin/quire_" + cli.Version + "_" + arch + ".deb"
			dir := t.TempDir()
			output(t, "dpkg-deb", "-R", deb, dir)
			checkPrograms(t, filepath.Join(dir, "usr/bin"), machine)
			if got, want := output(t, "dpkg-deb", "-f", deb, "Package", "Version", "Architecture"), "Package: quire\nVersion: "+cli.Version+"\nArchitecture: "+arch+"\n"; got != want {
				t.Errorf("the package is\n%swant\n%s", got, want)
			}
			for line := range strings.Lines(output(t, "dpkg-deb", "-c", deb)) {
				if !ordinary.MatchString(line) {
					t.Errorf("owner or mode: %s", line)
				}
			}
			if hook := read(t, filepath.Join(dir, "usr/share/quire/hooks/post-receive")); !strings.Contains(hook, "PATH=$PATH:/usr/bin ") {
				t.Errorf("the hook does not name /usr/bin:\n%s", hook)
			}
			if arch == runtime.GOARCH {
				upgrade(t, dir, deb)
			}
		})
	}
}

// upgrade installs an older package, built from the unpacked one in dir, then deb over
// it, and removes deb.
func upgrade(t *testing.T, dir, deb string) {
	root := t.TempDir()
	for _, path := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(root, "var/lib/dpkg/status"), "")
	write(filepath.Join(root, "etc/keep"), "mine\n")
	dpkg := func(args ...string) string {
		t.Helper()
		return output(t, "dpkg", append([]string{"--root=" + root, "--force-depends"}, args...)...) // git is not installed in it
	}
	version := func() string {
		t.Helper()
		return output(t, "chroot", root, "/usr/bin/quire-ci", "--version")
	}

	control := filepath.Join(dir, "DEBIAN/control")
	write(control, strings.Replace(read(t, control), "Version: "+cli.Version, "Version: 0.0.1", 1))
	write(filepath.Join(dir, "usr/share/quire/gone"), "")
	older := filepath.Join(t.TempDir(), "older.deb")
	output(t, "dpkg-deb", "-Znone", "--root-owner-group", "--build", dir, older)
	dpkg("-i", older)
	read(t, filepath.Join(root, "usr/share/quire/gone"))
	dpkg("-i", deb)
	if _, err := os.Stat(filepath.Join(root, "usr/share/quire/gone")); err == nil {
		t.Error("a file of the older package is still there")
	}
	if got := version(); got != "quire-ci "+cli.Version+"\n" {
		t.Errorf("quire-ci --version prints %q", got)
	}
	if status := dpkg("-s", "quire"); !strings.Contains(status, "Status: install ok installed\n") {
		t.Errorf("dpkg says\n%s", status)
	}
	dpkg("-r", "quire")
	if _, err := os.Stat(filepath.Join(root, "usr")); err == nil {
		t.Errorf("dpkg -r leaves\n%s", strings.Join(filesBelow(t, filepath.Join(root, "usr")), "\n"))
	}
	read(t, filepath.Join(root, "etc/keep"))
}
