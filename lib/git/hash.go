package git

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// newHash returns the hash that makes ids as long as oid.
func newHash(oid string) hash.Hash {
	if len(oid) == hex.EncodedLen(sha256.Size) {
		return sha256.New()
	}
	return sha1.New()
}

// ObjectHash returns the hash that makes ids like oid, of an object of that kind and
// of size bytes, which are still to be written to it.
func ObjectHash(oid, kind string, size int64) hash.Hash {
	h := newHash(oid)
	fmt.Fprintf(h, "%s %d\x00", kind, size)
	return h
}

// isSum reports whether id is that of an object.
func isSum(id, kind string, data []byte) bool {
	h := ObjectHash(id, kind, int64(len(data)))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil)) == id
}
