package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/drive"
	"quire/lib/file"
	"quire/lib/owner"
	"quire/lib/text"
	"quire/lib/unit"
)

// caches checks the caches of the root. Jobs may have replaced a cache by something else.
// most is the limit on the size of all caches in bytes; 0: none.
func (x *exam) caches(most uint64) {
	top := filepath.Join(x.Root, "cache")
	info, err := os.Stat(top)
	switch {
	case err == nil && !info.IsDir(), err != nil && !errors.Is(err, fs.ErrNotExist):
		x.wrong(top, "# move it away", "is not a directory: runs that have a cache fail")
		return
	case err != nil:
		if _, link := os.Lstat(top); link == nil {
			x.wrong(top, "rm "+text.QuoteLine(top), "is a link that leads nowhere: runs that have a cache fail")
		}
		return
	}
	before := len(x.findings)
	x.ours(top)
	var sum uint64
	paths, _ := filepath.Glob(filepath.Join(globQuote(top), "*"))
	for _, repo := range paths {
		if x.cacheDirectory(repo) {
			inside, _ := filepath.Glob(filepath.Join(globQuote(repo), "*"))
			for _, path := range inside {
				if !strings.HasSuffix(path, drive.CacheLock) && x.cacheDirectory(path) {
					size, err := file.DiskSize(top, path, false)
					if err != nil && !errors.Is(err, fs.ErrNotExist) {
						x.wrong(path, "# see who made it unreadable", "cannot be measured: %v", text.Cause(err))
					}
					sum += size
				}
			}
		}
	}
	if most > 0 && sum > most {
		x.wrong(top, "quire-runstate prune", "caches have %s, more than cache-max, %s", unit.FormatSize(sum), unit.FormatSize(most))
	}
	if len(x.findings) == before+1 {
		x.ok(top + " (size)")
	}
}

// cacheDirectory reports whether path is a directory of this user, as a cache must be.
func (x *exam) cacheDirectory(path string) bool {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false // prune was quicker
	}
	if err != nil || !info.IsDir() || owner.Of(info) != os.Geteuid() {
		x.wrong(path, "rm -r "+text.QuoteLine(path), "is no directory of this user: the next run that has this cache replaces it")
		return false
	}
	return true
}
