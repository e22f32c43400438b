package direct

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// ObjectID returns the id of an object with the kind and data. oid is any id of the
// repository; its length selects the hash.
func ObjectID(oid, kind string, data []byte) string {
	h := sha1.New()
	if len(oid) == hex.EncodedLen(sha256.Size) {
		h = sha256.New()
	}
	fmt.Fprintf(h, "%s %d\x00", kind, len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// IsID reports whether s can be a full object id.
func IsID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
