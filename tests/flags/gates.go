package main

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strconv"
	"strings"
)

// gate is a feature gate, as its specifications have it: one, or several of which each is from a version on.
type gate []specification

type specification struct {
	minor          int
	byDefault      bool
	lockToDefault  bool
	preReleaseName string
}

// at is the specification that counts in a minor version.
func (g gate) at(minor int) (specification, bool) {
	var found specification
	ok := false
	for _, one := range g {
		if one.minor <= minor {
			found, ok = one, true
		}
	}
	return found, ok
}

// gatesIn reads variables that map features to what is specified of them.
func (l *library) gatesIn(declared ast.Decl, info *types.Info) {
	ast.Inspect(declared, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for index, name := range spec.Names {
			variable, _ := info.Defs[name].(*types.Var)
			if variable == nil || index >= len(spec.Values) || !specifies(variable.Type()) {
				continue
			}
			if literal, ok := spec.Values[index].(*ast.CompositeLit); ok {
				l.gates[variable] = gatesOf(literal, info)
			}
		}
		return false
	})
}

// specifies: a type maps features to specifications.
func specifies(of types.Type) bool {
	mapped, ok := types.Unalias(of).(*types.Map)
	if !ok || typeName(mapped.Key()) != "Feature" {
		return false
	}
	specified := typeName(mapped.Elem())
	return specified == "FeatureSpec" || specified == "VersionedSpecs"
}

func gatesOf(literal *ast.CompositeLit, info *types.Info) map[string]gate {
	found := map[string]gate{}
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok || info.Types[pair.Key].Value == nil {
			continue
		}
		value, ok := pair.Value.(*ast.CompositeLit)
		if !ok {
			continue
		}
		name := constant.StringVal(info.Types[pair.Key].Value)
		if typeName(info.Types[value].Type) == "FeatureSpec" {
			found[name] = gate{specificationOf(value, info)}
			continue
		}
		for _, one := range value.Elts {
			if one, ok := one.(*ast.CompositeLit); ok {
				found[name] = append(found[name], specificationOf(one, info))
			}
		}
	}
	return found
}

func typeName(of types.Type) string {
	if named, ok := types.Unalias(of).(*types.Named); ok {
		return named.Obj().Name()
	}
	return ""
}

func specificationOf(literal *ast.CompositeLit, info *types.Info) specification {
	var found specification
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		field, _ := pair.Key.(*ast.Ident)
		value := info.Types[pair.Value].Value
		switch {
		case field == nil:
		case field.Name == "Version":
			found.minor = minorIn(pair.Value)
		case field.Name == "Default" && value != nil:
			found.byDefault = constant.BoolVal(value)
		case field.Name == "LockToDefault" && value != nil:
			found.lockToDefault = constant.BoolVal(value)
		case field.Name == "PreRelease" && value != nil:
			found.preReleaseName = constant.StringVal(value)
		}
	}
	return found
}

// minorIn reads version.MustParse("1.31") and version.MajorMinor(1, 31).
func minorIn(expression ast.Expr) int {
	call, ok := expression.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return 0
	}
	last, ok := call.Args[len(call.Args)-1].(*ast.BasicLit)
	if !ok {
		return 0
	}
	text := strings.Trim(last.Value, `"`)
	minor, _ := strconv.Atoi(text[strings.Index(text, ".")+1:])
	return minor
}
