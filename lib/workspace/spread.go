package workspace

import (
	"os"

	"golang.org/x/sys/unix"
)

// topDir is FS_TOPDIR_FL of ioctl_iflags(2).
const topDir = 0x00020000

// spread asks the file system to put what is made in a directory far from it, each by
// its name, rather than next to it: ext4 does, see chattr(1) under "T". One
// without a journal is slow to give out inodes near those that were freed within the
// last minutes, and where one workspace was there were often others.
//
// Where it cannot be asked, nothing is lost but time.
func spread(dir *os.File) {
	conn, err := dir.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) {
		if flags, err := unix.IoctlGetUint32(int(fd), unix.FS_IOC_GETFLAGS); err == nil {
			unix.IoctlSetPointerInt(int(fd), unix.FS_IOC_SETFLAGS, int(flags|topDir))
		}
	})
}
