package process

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Umask is the umask for jobs and the files of workspaces, whatever the umask of the pusher
// or of cron: the same commit always gets the same modes.
const Umask = 0o022

// SetUmask sets the umask of this process, and so of the processes it starts, to Umask, once.
var SetUmask = sync.OnceFunc(func() { unix.Umask(Umask) })
