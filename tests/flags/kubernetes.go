package main

import (
	"strconv"
	"strings"
)

// The last patch release of each minor version, the oldest first.
var kubernetes = []string{
	"v1.22.17", "v1.23.17", "v1.24.17", "v1.25.16", "v1.26.15", "v1.27.16", "v1.28.15", "v1.29.15",
	"v1.30.14", "v1.31.14", "v1.32.13", "v1.33.13", "v1.34.4", "v1.35.4", "v1.36.3", "v1.37.2",
}

var servers = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"}

func minorOf(version string) int {
	minor, _ := strconv.Atoi(strings.Split(version, ".")[1])
	return minor
}

func (t tables) addKubernetes(version string) error {
	modules, err := withLibraries("k8s.io/kubernetes", version)
	if err != nil {
		return err
	}
	loader, minor := newLoader(modules), minorOf(version)
	for _, name := range servers {
		program := programOf(loader.closure("k8s.io/kubernetes/cmd/" + name))
		flags, err := program.flags(func(d declaration) bool { return kubernetesTakes(name, minor, d) })
		if err != nil {
			return err
		}
		for flag := range flags {
			t.add(name, flag, minor)
		}
		for plugin := range program.plugins() {
			if name == "kube-apiserver" {
				t.add("admission-plugins", plugin, minor)
			}
		}
		for gate, specified := range program.gates(minor) {
			t.addGate("feature-gates", gate, specified, name, minor)
		}
	}
	return nil
}

// kubernetesTakes: a declaration is one of the command line, and not only of a library's set of flags.
func kubernetesTakes(program string, minor int, declared declaration) bool {
	file := declared.place.Filename
	switch declared.by.Pkg().Path() {
	case "flag":
		global := receiver(declared.by) == nil
		switch {
		// Kubernetes' programs took all of klog's flags until 1.25 (KEP-2845).
		case strings.Contains(file, "k8s.io/klog/v2@"):
			return minor < 26 && strings.HasSuffix(file, "/klog.go")
		case strings.Contains(file, "k8s.io/component-base@"):
			return strings.Contains(file, "/logs/")
		}
		// The others take over by name what libraries declare for all.
		return global && program == "kube-proxy"
	case "github.com/spf13/pflag":
		for _, copies := range []string{
			// The package itself, and cobra's command `completion`.
			"/spf13/pflag@", "/spf13/cobra@*/completions.go",
			// Sets that are made to be printed, and to be parsed once more.
			"/cli/flag/sectioned.go", "/cmd/kubelet/app/server.go",
		} {
			start, end, _ := strings.Cut(copies, "*")
			if strings.Contains(file, start) && strings.HasSuffix(file, end) {
				return false
			}
		}
	}
	return true
}
