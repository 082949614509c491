package main

import "strings"

// release is one of etcd: the module of its server, and the numbers behind its 3.
type release struct {
	module, version string
	minor           int
	patch           string
}

var etcd = []release{
	// By its commit: etcd was no proper module yet.
	{"go.etcd.io/etcd", "v0.5.0-alpha.5.0.20200910180754-dd1b699fc489", 4, "13"},
	{"go.etcd.io/etcd/server/v3", "v3.5.35", 5, "35"},
	{"go.etcd.io/etcd/server/v3", "v3.6.16", 6, "16"},
	{"go.etcd.io/etcd/server/v3", "v3.7.3", 7, "3"},
}

func (t tables) addEtcd(release release) error {
	modules, err := withLibraries(release.module, release.version)
	if err != nil {
		return err
	}
	program := programOf(newLoader(modules).closure(release.module))
	flags, err := program.flags(etcdTakes)
	if err != nil {
		return err
	}
	for flag := range flags {
		t.add("etcd", flag, release.minor)
	}
	for gate, specified := range program.gates(release.minor) {
		t.addGate("etcd-feature-gates", gate, specified, "etcd", release.minor)
	}
	return nil
}

// etcdTakes: the server's flags are the standard library's; the commands beside it (gateway, grpc-proxy) use pflag.
func etcdTakes(declared declaration) bool {
	return declared.by.Pkg().Path() == "flag" && receiver(declared.by) != nil && strings.Contains(declared.place.Filename, "go.etcd.io/etcd")
}
