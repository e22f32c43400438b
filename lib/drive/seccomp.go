package drive

import (
	"bytes"
	"encoding/binary"
	"runtime"

	"golang.org/x/sys/unix"
)

// SeccompFilter returns a program for seccomp(2), in the form that bwrap's option --seccomp
// reads. It refuses system calls that namespaces do not confine. The result is empty if quire
// has no filter for this processor.
//
//   - keyctl, add_key, request_key: keyrings(7) of the user belong to no namespace.
//   - socket(AF_VSOCK): the host of a virtual machine is reached from any network namespace.
//   - io_uring: its operations make sockets without a system call that a filter sees.
//   - System calls of another architecture, and of x32: their numbers mean other calls.
//
// A refused call fails with EPERM, a socket with EAFNOSUPPORT, io_uring and x32 with ENOSYS,
// as on a kernel without them. A call of another architecture ends its process with SIGSYS:
// every other call of such a program would be refused too.
func SeccompFilter() []byte {
	var arch uint32
	x32 := false
	switch runtime.GOARCH {
	case "amd64":
		arch, x32 = unix.AUDIT_ARCH_X86_64, true
	case "arm64":
		arch = unix.AUDIT_ARCH_AARCH64
	default:
		return nil
	}
	// Offsets into struct seccomp_data. Both processors are little-endian, so the low half
	// of the first argument comes first. socket(2) uses only that half.
	const number, architecture, argument = 0, 4, 16
	var p []unix.SockFilter
	load := func(offset uint32) {
		p = append(p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset})
	}
	// unless appends a jump over the next n instructions if the comparison with k is false.
	unless := func(compare uint16, k uint32, n uint8) {
		p = append(p, unix.SockFilter{Code: unix.BPF_JMP | compare | unix.BPF_K, Jf: n, K: k})
	}
	answer := func(action uint32) { p = append(p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}) }
	fail := func(errno unix.Errno) { answer(unix.SECCOMP_RET_ERRNO | uint32(errno)) }

	load(architecture)
	p = append(p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: arch})
	answer(unix.SECCOMP_RET_KILL_PROCESS)
	load(number)
	if x32 {
		unless(unix.BPF_JGE, 0x40000000, 1) // __X32_SYSCALL_BIT
		fail(unix.ENOSYS)
	}
	for _, call := range []struct {
		number uint32
		errno  unix.Errno
	}{
		{unix.SYS_KEYCTL, unix.EPERM}, {unix.SYS_ADD_KEY, unix.EPERM}, {unix.SYS_REQUEST_KEY, unix.EPERM},
		{unix.SYS_IO_URING_SETUP, unix.ENOSYS}, {unix.SYS_IO_URING_ENTER, unix.ENOSYS}, {unix.SYS_IO_URING_REGISTER, unix.ENOSYS},
	} {
		unless(unix.BPF_JEQ, call.number, 1)
		fail(call.errno)
	}
	unless(unix.BPF_JEQ, unix.SYS_SOCKET, 3)
	load(argument)
	unless(unix.BPF_JEQ, unix.AF_VSOCK, 1)
	fail(unix.EAFNOSUPPORT)
	answer(unix.SECCOMP_RET_ALLOW)

	var text bytes.Buffer
	_ = binary.Write(&text, binary.NativeEndian, p) // cannot fail: fixed-size values into memory
	return text.Bytes()
}
