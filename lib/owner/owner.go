// Package owner says who owns a file.
package owner

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Of returns the id of the user who owns the file that info describes.
func Of(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }

// Name returns the name of a user, or the id as text if the system has no name for it.
func Name(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// Foreign returns the name of the user who owns path, or "" if it is the user of this
// process.
func Foreign(path string) (name string, err error) {
	info, err := os.Stat(path)
	if err != nil || Of(info) == os.Geteuid() {
		return "", err
	}
	return Name(Of(info)), nil
}
