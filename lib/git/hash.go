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

// ObjectID returns the id, one like oid, of an object of that kind with that data.
func ObjectID(oid, kind string, data []byte) string {
	h := ObjectHash(oid, kind, int64(len(data)))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}
