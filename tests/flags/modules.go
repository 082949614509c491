package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// module is the source of one Go module, as the module proxy has it.
type module struct {
	Path, Version, Dir, Error string
}

// Modules that declare flags, or whose types are needed to read the calls that do. Others are taken to be empty.
var read = []string{
	"k8s.io/",
	"github.com/spf13/pflag",
	"github.com/spf13/cobra",
	"github.com/google/cadvisor",
	"go.etcd.io/etcd",
	"sigs.k8s.io/apiserver-network-proxy",
}

// Modules beside those that no program is linked from.
var unused = []string{"k8s.io/sample-", "k8s.io/code-generator", "k8s.io/gengo"}

// download fetches modules, given as path@version, into Go's module cache, and says of each why not where it cannot.
func download(wanted []string) ([]module, error) {
	command := exec.Command("go", append([]string{"mod", "download", "-json"}, wanted...)...)
	// A module that cannot be had is in the output as well, and makes the exit code 1.
	output, err := command.Output()
	if len(output) == 0 && err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	var modules []module
	for decoder := json.NewDecoder(bytes.NewReader(output)); decoder.More(); {
		var one module
		if err := decoder.Decode(&one); err != nil {
			return nil, err
		}
		modules = append(modules, one)
	}
	return modules, nil
}

// downloadAll fetches modules. Of one that the proxy lacks at this patch release, it takes another of the same minor.
func downloadAll(wanted []string) ([]module, error) {
	modules, err := download(wanted)
	if err != nil {
		return nil, err
	}
	for index, one := range modules {
		minor := one.Version[:strings.LastIndex(one.Version, ".")+1]
		for patch := 30; patch >= 0 && modules[index].Error != ""; patch-- {
			other, err := download([]string{fmt.Sprintf("%s@%s%d", one.Path, minor, patch)})
			if err != nil {
				return nil, err
			}
			modules[index] = other[0]
		}
		if modules[index].Error != "" {
			return nil, fmt.Errorf("%s@%s: %s", one.Path, one.Version, one.Error)
		}
		if modules[index].Version != one.Version {
			fmt.Fprintf(os.Stderr, "%s@%s in place of %s\n", one.Path, modules[index].Version, one.Version)
		}
	}
	return modules, nil
}

// withLibraries fetches a module at a version, and what it requires of the modules to read. The longest path is first.
func withLibraries(path, version string) ([]module, error) {
	own, err := downloadAll([]string{path + "@" + version})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(own[0].Dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	required := requirements(string(text))
	var wanted []string
	for library, at := range required {
		if library == path || !startsWithAny(library, read) || startsWithAny(library, unused) {
			continue
		}
		// Kubernetes' own libraries are in its repository, and published beside it: v0.37.2 with v1.37.2.
		if at == "v0.0.0" {
			at = "v0" + strings.TrimPrefix(version, "v1")
		}
		wanted = append(wanted, library+"@"+at)
	}
	libraries, err := downloadAll(wanted)
	if err != nil {
		return nil, err
	}
	modules := append(own, libraries...)
	sort.Slice(modules, func(a, b int) bool { return len(modules[a].Path) > len(modules[b].Path) })
	return modules, nil
}

// requirements are the versions that a go.mod asks for, after its replacements; v0.0.0 is one beside it.
func requirements(text string) map[string]string {
	versions := map[string]string{}
	block := ""
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[1] == "(":
			block = fields[0]
			continue
		case len(fields) == 1 && fields[0] == ")":
			block = ""
			continue
		case block != "" && len(fields) > 0:
			fields = append([]string{block}, fields...)
		}
		switch {
		case len(fields) == 3 && fields[0] == "require":
			versions[fields[1]] = fields[2]
		case len(fields) == 5 && fields[0] == "replace" && versions[fields[1]] != "":
			versions[fields[1]] = fields[4]
		}
	}
	return versions
}

func startsWithAny(text string, starts []string) bool {
	for _, start := range starts {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}
