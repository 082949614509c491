package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// function says what a function does, as far as flags and admission plugins go.
type function struct {
	of *types.Func
	// The functions that it mentions. A method of an interface stands for any type's.
	mentions []*types.Func
	declares []declaration
	calls    []call
	// The tables of feature gates that it uses.
	features []*types.Var
	// Those that it holds itself.
	gates []map[string]gate
}

// declaration is one flag.
type declaration struct {
	name  name
	by    *types.Func
	place token.Position
}

// name is a text that may have the enclosing function's parameters in it; none where it is computed otherwise.
type name []part

// part is a constant text, or the parameter at a position.
type part struct {
	text      string
	parameter int
}

// constantPart is in place of a parameter's position.
const constantPart = -1

func constantName(text string) name {
	return name{{text, constantPart}}
}

// constant is the text of a name that has no parameters.
func (n name) constant() (string, bool) {
	whole := ""
	for _, part := range n {
		if part.parameter != constantPart {
			return "", false
		}
		whole += part.text
	}
	return whole, n != nil
}

// call is a call with what is known of its arguments.
type call struct {
	of, from  *types.Func
	arguments map[int]name
}

func summarise(of *library, files []*ast.File, info *types.Info, positions *token.FileSet) {
	for _, file := range files {
		for _, declaration := range file.Decls {
			of.gatesIn(declaration, info)
			// Variables are initialised, and init functions run, in every program.
			var key *types.Func
			if declared, ok := declaration.(*ast.FuncDecl); ok && (declared.Recv != nil || declared.Name.Name != "init") {
				key, _ = info.Defs[declared.Name].(*types.Func)
			}
			if of.functions[key] == nil {
				of.functions[key] = &function{of: key}
			}
			_, body := declaration.(*ast.FuncDecl)
			ast.Inspect(declaration, reader{of.functions[key], key, body, info, positions}.node)
		}
	}
}

type reader struct {
	into      *function
	of        *types.Func
	body      bool
	info      *types.Info
	positions *token.FileSet
}

func (r reader) node(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.Ident:
		if used, ok := r.info.Uses[node].(*types.Func); ok {
			r.into.mentions = append(r.into.mentions, used.Origin())
		}
		if used, ok := r.info.Uses[node].(*types.Var); ok && specifies(used.Type()) {
			r.into.features = append(r.into.features, used)
		}
	case *ast.CompositeLit:
		if of := r.info.Types[node].Type; r.body && of != nil && specifies(of) {
			r.into.gates = append(r.into.gates, gatesOf(node, r.info))
		}
	case *ast.CallExpr:
		if called := r.called(node); called != nil {
			r.call(node, called)
		}
	}
	return true
}

// called is the function that a call is of, where it is not a variable's.
func (r reader) called(call *ast.CallExpr) *types.Func {
	name := call.Fun
	if selector, ok := name.(*ast.SelectorExpr); ok {
		name = selector.Sel
	}
	if ident, ok := name.(*ast.Ident); ok {
		if called, ok := r.info.Uses[ident].(*types.Func); ok {
			return called.Origin()
		}
	}
	return nil
}

func (r reader) call(node *ast.CallExpr, called *types.Func) {
	arguments := map[int]name{}
	for index, argument := range node.Args {
		if name := r.name(argument); name != nil {
			arguments[index] = name
		}
	}
	r.into.calls = append(r.into.calls, call{called, r.of, arguments})
	if at := nameOfFlag(called); at >= 0 && at < len(node.Args) {
		found := declaration{arguments[at], called, r.positions.Position(node.Pos())}
		r.into.declares = append(r.into.declares, found)
	}
}

// name reads a constant, a parameter, a sum of such, or such in a format of %s.
func (r reader) name(expression ast.Expr) name {
	if value := r.info.Types[expression].Value; value != nil && value.Kind() == constant.String {
		return constantName(constant.StringVal(value))
	}
	switch expression := expression.(type) {
	case *ast.Ident:
		if at := r.parameter(expression); at >= 0 {
			return name{{"", at}}
		}
	case *ast.BinaryExpr:
		left, right := r.name(expression.X), r.name(expression.Y)
		if expression.Op == token.ADD && left != nil && right != nil {
			return append(append(name{}, left...), right...)
		}
	case *ast.CallExpr:
		called := r.called(expression)
		if called == nil || called.FullName() != "fmt.Sprintf" || len(expression.Args) == 0 {
			return nil
		}
		format, ok := r.name(expression.Args[0]).constant()
		pieces := strings.Split(format, "%s")
		if !ok || len(pieces) != len(expression.Args) {
			return nil
		}
		whole := constantName(pieces[0])
		for index, piece := range pieces[1:] {
			argument := r.name(expression.Args[index+1])
			if argument == nil {
				return nil
			}
			whole = append(append(whole, argument...), part{piece, constantPart})
		}
		return whole
	}
	return nil
}

// parameter is the position of the enclosing function's parameter that a name is of, or -1.
func (r reader) parameter(ident *ast.Ident) int {
	if r.of == nil {
		return -1
	}
	parameters := r.of.Type().(*types.Signature).Params()
	for index := 0; index < parameters.Len(); index++ {
		if r.info.Uses[ident] == parameters.At(index) {
			return index
		}
	}
	return -1
}

// nameOfFlag is the position of a flag's name among the arguments of a function that declares one, or -1.
func nameOfFlag(called *types.Func) int {
	if called.Pkg() == nil {
		return -1
	}
	path, parameter := called.Pkg().Path(), "name"
	switch {
	case path == "flag", path == "github.com/spf13/pflag":
	// An interface that both kinds of flag sets have.
	case path == "k8s.io/component-base/logs/api/v1" && called.Type().(*types.Signature).Recv() != nil:
	// Takes a flag over that a library declared.
	case path == "k8s.io/kubernetes/cmd/kubelet/app/options", path == "k8s.io/component-base/cli/globalflag":
		parameter = "globalName"
	default:
		return -1
	}
	// Declares, unlike Lookup, Set, Changed, GetString, MarkHidden.
	declares := parameter == "globalName" || called.Name() == "Func"
	for _, kind := range []string{"Bool", "Int", "Uint", "Float", "String", "Duration", "IP", "Count", "Bytes", "Text", "Var", "Time"} {
		declares = declares || strings.HasPrefix(called.Name(), kind)
	}
	parameters := called.Type().(*types.Signature).Params()
	for index := 0; declares && index < parameters.Len(); index++ {
		if parameters.At(index).Name() == parameter {
			return index
		}
	}
	return -1
}
