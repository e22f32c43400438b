package cli

// Go's runtime reserves some 700 MiB of address space, and starts threads, before any Go
// code of a program runs. If the kernel refuses one, the runtime prints its stacks, and
// nothing in the program can prevent that. So low limits are detected earlier.
//
// The kernel starts a program at the function entry, in assembly, if it is linked with -E
// quire/lib/cli.entry, as in the Makefile. It jumps to the runtime if the limits suffice.
// If not, it prints one of these lines and exits with the status Failure.
//
// The limit on processes is on all processes and threads of a user except root, so its value
// says nothing. If it is below 1024, the function starts a chain of 16 processes, each of
// which starts the next one and waits for it (vfork). A program of quire has up to 10
// threads. Programs that start at the same time can still exceed the limit.
var (
	//lint:ignore U1000 the assembly uses it
	littleSpace = "quire: the limit on address space (ulimit -v) is too low: quire needs 1.5 GiB\n"
	//lint:ignore U1000 the assembly uses it
	littleData = "quire: the limit on data (ulimit -d) is too low: quire needs 128 MiB\n"
	//lint:ignore U1000 the assembly uses it
	fewFiles = "quire: the limit on open files (ulimit -n) is too low: quire needs 16\n"
	//lint:ignore U1000 the assembly uses it
	fewProcesses = "quire: the limit on processes (ulimit -u) is too low: quire needs 16 more\n"
)
