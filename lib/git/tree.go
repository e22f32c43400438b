package git

import (
	"fmt"
	"io"

	"quire/lib/git/direct"
)

// Trees reads the tree objects of oids and calls each with their contents, in order, for
// ParseTree. It asks for all at once.
func (o *Objects) Trees(oids []string, each func(i int, data []byte) error) error {
	return o.ReadAll(oids, func(i int, in Info, body io.Reader) error {
		if in.Type != "tree" {
			return fmt.Errorf("cannot read tree %s: it is a %s", in.OID, in.Type)
		}
		data := make([]byte, in.Size)
		if _, err := io.ReadFull(body, data); err != nil {
			return fmt.Errorf("cannot read tree %s: %w", in.OID, err)
		}
		if direct.ObjectID(in.OID, in.Type, data) != in.OID { // git itself does not check
			return fmt.Errorf("cannot read tree %s: the object is damaged", in.OID)
		}
		return each(i, data)
	})
}
