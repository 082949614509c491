// Program registry runs Distribution's registry with the storage that the tests have: a folder.
//
// Its own command has the storages of three clouds, and with them their libraries.
package main

import (
	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	// It ends the program itself where a command fails.
	_ = registry.RootCmd.Execute()
}
