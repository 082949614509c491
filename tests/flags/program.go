package main

import (
	"fmt"
	"go/types"
	"sort"
	"strings"
)

// program is what a program's functions do that can run: those that main, init functions and variables lead to.
type program struct {
	libraries []*library
	functions map[*types.Func]*function
	methods   map[string][]*types.Func
	reached   map[*types.Func]bool
	waiting   []*types.Func
	running   []*function
	calls     map[*types.Func][]call
}

func programOf(libraries []*library) *program {
	p := &program{
		libraries: libraries,
		functions: map[*types.Func]*function{},
		methods:   map[string][]*types.Func{},
		reached:   map[*types.Func]bool{},
		calls:     map[*types.Func][]call{},
	}
	for _, library := range libraries {
		for key, function := range library.functions {
			if key == nil {
				p.run(function)
				continue
			}
			p.functions[key] = function
			if receiver(key) != nil {
				p.methods[key.Name()] = append(p.methods[key.Name()], key)
			}
			if library == libraries[0] && key.Name() == "main" {
				p.reach(key)
			}
		}
	}
	// Init functions mention what was not known yet.
	for _, function := range append([]*function{}, p.running...) {
		p.mention(function)
	}
	for len(p.waiting) > 0 {
		next := p.waiting[len(p.waiting)-1]
		p.waiting = p.waiting[:len(p.waiting)-1]
		p.run(p.functions[next])
		p.mention(p.functions[next])
	}
	return p
}

func receiver(of *types.Func) *types.Var {
	return of.Type().(*types.Signature).Recv()
}

func (p *program) run(function *function) {
	p.running = append(p.running, function)
	for _, call := range function.calls {
		p.calls[call.of] = append(p.calls[call.of], call)
	}
}

func (p *program) mention(function *function) {
	for _, mentioned := range function.mentions {
		if of := receiver(mentioned); of != nil && types.IsInterface(of.Type()) {
			if p.reached[mentioned] {
				continue
			}
			p.reached[mentioned] = true
			for _, method := range p.methods[mentioned.Name()] {
				if hasMethods(receiver(method).Type(), of.Type()) {
					p.reach(method)
				}
			}
			continue
		}
		p.reach(mentioned)
	}
}

func (p *program) reach(function *types.Func) {
	if !p.reached[function] && p.functions[function] != nil {
		p.reached[function] = true
		p.waiting = append(p.waiting, function)
	}
}

// hasMethods: a type has methods of the names that an interface asks for. Their types may be from packages not read.
func hasMethods(of, wanted types.Type) bool {
	asked, ok := wanted.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	if pointer, ok := of.(*types.Pointer); ok {
		of = pointer.Elem()
	}
	for index := 0; index < asked.NumMethods(); index++ {
		method := asked.Method(index)
		found, _, _ := types.LookupFieldOrMethod(types.NewPointer(of), true, method.Pkg(), method.Name())
		if _, ok := found.(*types.Func); !ok {
			return false
		}
	}
	return true
}

// computed are names that a function takes from a list of its own.
var computed = map[string][]string{
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options.addDummyInsecureFlags": {
		"insecure-bind-address", "address", "insecure-port", "port",
	},
	// What is left of klog's flags (KEP-2845).
	"k8s.io/component-base/logs/klogflags.Init": {"v", "vmodule"},
	// Of etcd 0.4, taken and ignored.
	"go.etcd.io/etcd/etcdmain.newConfig":           ignoredByEtcd,
	"go.etcd.io/etcd/server/v3/etcdmain.newConfig": ignoredByEtcd,
}

var ignoredByEtcd = []string{
	"cluster-active-size", "cluster-remove-delay", "cluster-sync-interval", "config", "force", "max-result-buffer",
	"max-retry-attempts", "peer-heartbeat-interval", "peer-election-timeout", "retry-interval", "snapshot", "v", "vv",
}

// deepest is how many calls a name is followed through.
const deepest = 3

// flags are the names of the flags that a program declares and takes. What cannot be read is an error.
func (p *program) flags(takes func(declaration) bool) (map[string]bool, error) {
	found := map[string]bool{}
	var unread []string
	for _, function := range p.running {
		for _, declared := range function.declares {
			if !takes(declared) {
				continue
			}
			texts := p.texts(declared.name, function.of, deepest)
			if texts == nil && function.of != nil {
				texts = computed[function.of.FullName()]
			}
			for _, text := range texts {
				// As Kubernetes' programs take them (component-base/cli/flag, WordSepNormalizeFunc).
				found[strings.ReplaceAll(text, "_", "-")] = true
			}
			if len(texts) == 0 {
				unread = append(unread, declared.place.String())
			}
		}
	}
	if len(unread) > 0 {
		sort.Strings(unread)
		return nil, fmt.Errorf("flags whose names are computed:\n  %s", strings.Join(unread, "\n  "))
	}
	return found, nil
}

// plugins are the names that admission plugins register with.
func (p *program) plugins() map[string]bool {
	found := map[string]bool{}
	for called, calls := range p.calls {
		if called.FullName() != "(*k8s.io/apiserver/pkg/admission.Plugins).Register" {
			continue
		}
		for _, call := range calls {
			if text, ok := call.arguments[0].constant(); ok {
				found[text] = true
			}
		}
	}
	return found
}

// gates are the feature gates of the tables that it uses, as they are in a minor version.
func (p *program) gates(minor int) map[string]specification {
	tables := map[*types.Var]map[string]gate{}
	for _, library := range p.libraries {
		for variable, gates := range library.gates {
			tables[variable] = gates
		}
	}
	found := map[string]specification{}
	for _, function := range p.running {
		used := append([]map[string]gate{}, function.gates...)
		for _, variable := range function.features {
			used = append(used, tables[variable])
		}
		for _, gates := range used {
			for name, gate := range gates {
				if specified, ok := gate.at(minor); ok {
					found[name] = specified
				}
			}
		}
	}
	return found
}

// texts are what a name in a function can be, by the calls of that function, and of those that call it.
func (p *program) texts(of name, in *types.Func, depth int) []string {
	if text, ok := of.constant(); ok {
		return []string{text}
	}
	if of == nil || depth == 0 {
		return nil
	}
	var found []string
	for _, call := range p.callsOf(in) {
		found = append(found, p.texts(of.with(call.arguments), call.from, depth-1)...)
	}
	return found
}

// callsOf are the calls of a function, and of methods of interfaces that it may stand for.
func (p *program) callsOf(function *types.Func) []call {
	found := p.calls[function]
	if function == nil || receiver(function) == nil {
		return found
	}
	for other, calls := range p.calls {
		if other.Name() == function.Name() && receiver(other) != nil && types.IsInterface(receiver(other).Type()) {
			found = append(found, calls...)
		}
	}
	return found
}

// with puts arguments in place of parameters; none where an argument is computed.
func (n name) with(arguments map[int]name) name {
	whole := name{}
	for _, one := range n {
		replacement := name{one}
		if one.parameter != constantPart {
			replacement = arguments[one.parameter]
		}
		if replacement == nil {
			return nil
		}
		whole = append(whole, replacement...)
	}
	return whole
}
