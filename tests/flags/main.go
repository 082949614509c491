// Writes the tables of what the programs of a farm know: flags, admission plugins and feature gates, each with the minor
// versions that have it. The sources come from the Go module proxy.
//
//	go run . ../../src/farm/known/tables
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER")
		os.Exit(1)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(folder string) error {
	all := tables{}
	for _, release := range etcd {
		fmt.Fprintln(os.Stderr, "etcd", release.version)
		if err := all.addEtcd(release); err != nil {
			return fmt.Errorf("etcd %s: %w", release.version, err)
		}
	}
	for _, release := range kubernetes {
		fmt.Fprintln(os.Stderr, "Kubernetes", release)
		if err := all.addKubernetes(release); err != nil {
			return fmt.Errorf("Kubernetes %s: %w", release, err)
		}
	}
	return all.write(folder)
}
