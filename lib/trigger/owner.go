package trigger

import (
	"fmt"
	"os"

	"quire/lib/owner"
)

// A ForeignRootError says that another user owns the root, and so makes the runs.
type ForeignRootError struct{ Root, Owner string }

func (e *ForeignRootError) Error() string {
	return fmt.Sprintf("user '%s' owns the root '%s' and makes the runs: the next quire-trigger --missed of that user makes those of this push", e.Owner, e.Root)
}

// checkOwner returns a *ForeignRootError if another user owns the root. A root that cannot
// be examined is reported when it is opened.
func checkOwner(root string) error {
	info, err := os.Stat(root)
	if err != nil || owner.Of(info) == os.Geteuid() {
		return nil
	}
	return &ForeignRootError{root, owner.Name(owner.Of(info))}
}
