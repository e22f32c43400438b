package file

import (
	"os"

	"golang.org/x/sys/unix"
)

// Sync makes the content of files durable, or the names in directories. Write-back of
// all files starts before the first fsync, so that one journal commit of the file system
// covers them all.
func Sync(names ...string) error {
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for _, name := range names {
		f, err := Open(name)
		if err != nil {
			return err
		}
		files = append(files, f)
		_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE) // a hint
	}
	for _, f := range files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// SyncData makes the content and the length of f durable, but not its times.
func SyncData(f *os.File) error {
	return os.NewSyscallError("fdatasync", control(f, unix.Fdatasync))
}

// SyncAll makes the whole file system of the directory dir durable. It also waits for the
// writes of other programs.
func SyncAll(dir string) error {
	f, err := Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return os.NewSyscallError("syncfs", control(f, unix.Syncfs))
}
