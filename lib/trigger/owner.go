package trigger

import (
	"fmt"

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
	if name, err := owner.Foreign(root); err == nil && name != "" {
		return &ForeignRootError{root, name}
	}
	return nil
}
