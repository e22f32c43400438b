// Package fennel compiles Fennel to Lua 5.1.
package fennel
