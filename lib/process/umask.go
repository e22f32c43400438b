package process

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Umask is the umask of jobs and of the files of workspaces, whatever that of the user
// is who pushes, or of cron: the same commit gives the same modes.
const Umask = 0o022

// SetUmask sets the umask of this process, and so of what it starts, to Umask, once.
var SetUmask = sync.OnceFunc(func() { unix.Umask(Umask) })
