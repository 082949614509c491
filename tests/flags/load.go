package main

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
)

// library is one Go package of the modules that are read.
type library struct {
	path    string
	types   *types.Package
	imports []string
	// What its functions do; what its variables and init functions do is under nil.
	functions map[*types.Func]*function
	gates     map[*types.Var]map[string]gate
}

// loader reads packages of modules from source. It compiles nothing, so that old sources need no old Go.
type loader struct {
	modules   []module
	files     *token.FileSet
	context   build.Context
	standard  types.Importer
	libraries map[string]*library
	others    map[string]*types.Package
}

// The standard library is the same for all.
var (
	files    = token.NewFileSet()
	standard = func() types.Importer {
		build.Default.CgoEnabled = false
		return importer.ForCompiler(files, "source", nil)
	}()
)

func newLoader(modules []module) *loader {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", "amd64", false
	return &loader{
		modules:   modules,
		files:     files,
		context:   context,
		standard:  standard,
		libraries: map[string]*library{},
		others:    map[string]*types.Package{},
	}
}

// folder is where the sources of a package are, or empty for a package that is not read.
func (l *loader) folder(path string) string {
	// Generated clients: large, and without flags.
	for _, part := range []string{"/client-go/kubernetes", "/client-go/applyconfigurations", "/client-go/informers", "/client-go/listers", "/openapi/generated", "/pkg/generated/"} {
		if strings.Contains(path, part) {
			return ""
		}
	}
	for _, module := range l.modules {
		if path == module.Path || strings.HasPrefix(path, module.Path+"/") {
			return filepath.Join(module.Dir, strings.TrimPrefix(path, module.Path))
		}
	}
	return ""
}

// Import gives a package's types. What is not read is empty.
func (l *loader) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if folder := l.folder(path); folder != "" {
		return l.load(path, folder).types, nil
	}
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return l.standard.Import(path)
	}
	if l.others[path] == nil {
		empty := types.NewPackage(path, guessedName(path))
		empty.MarkComplete()
		l.others[path] = empty
	}
	return l.others[path], nil
}

func guessedName(path string) string {
	parts := strings.Split(path, "/")
	name := parts[len(parts)-1]
	if len(parts) > 1 && len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = parts[len(parts)-2]
	}
	name, _, _ = strings.Cut(name, ".")
	return strings.ReplaceAll(strings.TrimPrefix(name, "go-"), "-", "")
}

func (l *loader) load(path, folder string) *library {
	if known := l.libraries[path]; known != nil {
		return known
	}
	found := &library{path: path, types: types.NewPackage(path, guessedName(path)), functions: map[*types.Func]*function{}, gates: map[*types.Var]map[string]gate{}}
	l.libraries[path] = found
	var parsed []*ast.File
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".pb.go") || strings.HasPrefix(name, "zz_generated.") {
			continue
		}
		if matches, err := l.context.MatchFile(folder, name); err != nil || !matches {
			continue
		}
		file, err := parser.ParseFile(l.files, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		if file == nil || err != nil {
			continue
		}
		parsed = append(parsed, file)
		for _, spec := range file.Imports {
			found.imports = append(found.imports, strings.Trim(spec.Path.Value, `"`))
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	// Errors come from the packages that are empty.
	config := types.Config{Importer: l, Error: func(error) {}, FakeImportC: true}
	if checked, _ := config.Check(path, l.files, parsed, info); checked != nil {
		found.types = checked
	}
	summarise(found, parsed, info, l.files)
	return found
}

// closure are the packages that a program is linked from.
func (l *loader) closure(path string) []*library {
	seen := map[string]bool{}
	var all []*library
	var visit func(string)
	visit = func(path string) {
		if seen[path] || l.folder(path) == "" {
			return
		}
		seen[path] = true
		library := l.load(path, l.folder(path))
		all = append(all, library)
		for _, imported := range library.imports {
			visit(imported)
		}
	}
	visit(path)
	return all
}
