module quire

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/ncruces/go-strftime v1.1.0
	github.com/pelletier/go-toml/v2 v2.4.3
	github.com/rivo/uniseg v0.4.7
	github.com/rogpeppe/go-internal v1.16.0
	github.com/yuin/gopher-lua v1.1.2
	golang.org/x/net v0.62.0
	golang.org/x/sys v0.49.0
)

require golang.org/x/tools v0.26.0 // indirect

// The commands live for milliseconds: none needs to follow the quota of processors of
// its cgroup, and to prepare for it takes a thirtieth of the start of one.
godebug (
	containermaxprocs=0
	updatemaxprocs=0
)
