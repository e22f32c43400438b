package direct

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// NewHash returns the hash whose ids are as long as oid.
func NewHash(oid string) hash.Hash {
	if len(oid) == hex.EncodedLen(sha256.Size) {
		return sha256.New()
	}
	return sha1.New()
}

// ObjectHash returns the hash for the id of an object of that kind and size in bytes. The
// caller writes the object's data to it. oid is any id of the repository.
func ObjectHash(oid, kind string, size int64) hash.Hash {
	h := NewHash(oid)
	fmt.Fprintf(h, "%s %d\x00", kind, size)
	return h
}

// ObjectID returns the id of an object of that kind with that data. oid is any id of the
// repository.
func ObjectID(oid, kind string, data []byte) string {
	h := ObjectHash(oid, kind, int64(len(data)))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// IsID reports whether s can be a full object id.
func IsID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
