//! The rooms of `src` are as `docs/architecture.md` says: each imports only what stands above it, nothing imports in a
//! circle, and no file is long.
//!
//! A file and the files in its folder are one module to others: those of a folder may use what the file above them has,
//! and the other way round. Beside each other, modules import one way only, with everything that is below them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use super::imports::{Modules, Path};
use crate::support::project;

/// The most lines that a file may have.
const LONGEST: [(&str, usize); 2] = [("src", 400), ("tests", 500)];

/// The rooms in the order of the table, each by the name of its module.
fn table() -> Vec<String> {
    let text = fs::read_to_string(project().join("docs/architecture.md")).expect("a paper");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `src/"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split("`, `src/"));
    names
        .map(|name| {
            name.trim_end_matches('`')
                .trim_end_matches(".rs")
                .to_owned()
        })
        .collect()
}

/// Which modules of a folder, if not each other's, import which others of it; the folder is given by its path.
fn beside_each_other(modules: &Modules) -> BTreeMap<Path, BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<Path, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, to) in modules.imports() {
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if let (Some(left), Some(right)) = (from.get(shared), to.get(shared)) {
            let folder = found.entry(from[..shared].to_vec()).or_default();
            let imported = folder.entry(left.clone()).or_default();
            imported.insert(right.clone());
        }
    }
    found
}

#[test]
fn rooms_import_only_rooms_above_them() {
    let modules = Modules::read();
    let rooms = table();
    let row = |room: &str| rooms.iter().position(|name| name == room);
    let top = modules.paths().filter(|path| path.len() == 1);
    let there: BTreeSet<&str> = top.map(|path| path[0].as_str()).collect();
    let listed: BTreeSet<&str> = rooms.iter().map(String::as_str).collect();
    assert_eq!(there, listed, "what is in src, and the table of rooms");
    let beside = beside_each_other(&modules);
    let mut wrong = Vec::new();
    for (from, imported) in &beside[&Path::new()] {
        let below = imported.iter().filter(|to| row(to) > row(from));
        wrong.extend(below.map(|to| format!("{from} imports {to}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A way from a module back to itself, if there is one.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in way
            .last()
            .and_then(|last| imports.get(last))
            .into_iter()
            .flatten()
        {
            let mut further = way.clone();
            further.push(next.clone());
            if next == start {
                return Some(further);
            }
            if seen.insert(next) {
                ways.push(further);
            }
        }
    }
    None
}

#[test]
fn nothing_imports_in_a_circle() {
    let mut circles = Vec::new();
    for (folder, imports) in beside_each_other(&Modules::read()) {
        let first = imports.keys().find_map(|module| circle(&imports, module));
        circles.extend(first.map(|way| format!("{}: {}", folder.join("/"), way.join(" -> "))));
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

/// Every Rust file below a folder of the project.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_file_is_long() {
    let mut long = Vec::new();
    for (folder, most) in LONGEST {
        for file in files(project().join(folder)) {
            let lines = fs::read_to_string(&file)
                .expect("a source file")
                .lines()
                .count();
            if lines > most {
                long.push(format!("{}: {lines} lines, at most {most}", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}
