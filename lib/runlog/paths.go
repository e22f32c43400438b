package runlog

import (
	"fmt"
	"path"
	"strings"
)

// LogPath returns the path of the log of command n of a job, relative to the
// directory of the run and with slashes.
func LogPath(job string, n int) string {
	return path.Join(JobsDir, JobPath(job), fmt.Sprintf("sh-%d.log", n))
}

// OutputPath returns the path of the file for a large output of a job, relative to
// the directory of the run and with slashes.
func OutputPath(job string) string { return path.Join(JobsDir, JobPath(job), "output.json") }

// ScratchDir is the directory next to EventsFile for files that only the jobs of a run need,
// such as their own workspaces. It is removed when the run ends, and never copied.
const ScratchDir = "scratch"

// ArtifactsPath returns the path of the directory of a job's artifacts, relative to the
// directory of the run and with slashes.
func ArtifactsPath(job string) string { return path.Join(JobsDir, JobPath(job), "artifacts") }

// JobPath returns the id of a job as a relative path without "." and ".." in it.
func JobPath(job string) string {
	var b strings.Builder
	for _, c := range []byte(job) {
		if c < ' ' || c == 0x7f || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	parts := strings.Split(b.String(), "/")
	for i, part := range parts {
		if part == "." || part == ".." {
			parts[i] = strings.ReplaceAll(part, ".", "%2E")
		}
	}
	return strings.Join(parts, "/")
}
