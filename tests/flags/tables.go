package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// tables are by file, name, and what is the same over several minor versions.
type tables map[string]map[string]map[int]*entry

// entry is what one minor version has under a name.
type entry struct {
	// Feature gates: whether it is locked, and to what; which programs have it.
	locked   string
	programs []string
}

func (t tables) at(table, name string, minor int) *entry {
	if t[table] == nil {
		t[table] = map[string]map[int]*entry{}
	}
	if t[table][name] == nil {
		t[table][name] = map[int]*entry{}
	}
	if t[table][name][minor] == nil {
		t[table][name][minor] = &entry{}
	}
	return t[table][name][minor]
}

func (t tables) add(table, name string, minor int) {
	t.at(table, name, minor)
}

func (t tables) addGate(table, name string, specified specification, program string, minor int) {
	gate := t.at(table, name, minor)
	gate.locked = "free"
	if specified.lockToDefault {
		gate.locked = fmt.Sprint(specified.byDefault)
	}
	gate.programs = append(gate.programs, program)
}

// text is what follows the versions in a line.
func (e entry) text() string {
	if e.locked == "" {
		return ""
	}
	programs := strings.Join(e.programs, ",")
	if programs == strings.Join(servers, ",") || programs == "etcd" {
		return "\t" + e.locked
	}
	return "\t" + e.locked + "\t" + programs
}

// write writes lines of name, first and last minor version; sorted, so that they can be searched.
func (t tables) write(folder string) error {
	for table, names := range t {
		var lines []string
		for name, minors := range names {
			lines = append(lines, ranges(name, minors)...)
		}
		sort.Strings(lines)
		text := strings.Join(lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(folder, table+".tsv"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "releases.tsv"), []byte(releases()), 0o644)
}

// releases are what was read: program, minor version and patch release.
func releases() string {
	text := ""
	for _, one := range etcd {
		text += fmt.Sprintf("etcd\t%d\t%s\n", one.minor, one.patch)
	}
	for _, version := range kubernetes {
		parts := strings.Split(version, ".")
		text += fmt.Sprintf("kubernetes\t%s\t%s\n", parts[1], parts[2])
	}
	return text
}

// ranges are the lines of one name: one for each run of minor versions that are the same.
func ranges(name string, minors map[int]*entry) []string {
	var sorted []int
	for minor := range minors {
		sorted = append(sorted, minor)
	}
	sort.Ints(sorted)
	var lines []string
	for start := 0; start < len(sorted); {
		end := start
		text := minors[sorted[start]].text()
		for end+1 < len(sorted) && sorted[end+1] == sorted[end]+1 && minors[sorted[end+1]].text() == text {
			end++
		}
		lines = append(lines, fmt.Sprintf("%s\t%d\t%d%s", name, sorted[start], sorted[end], text))
		start = end + 1
	}
	return lines
}
