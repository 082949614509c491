//! Writes the table of the files that the binary carries: charts, ready-made layers, examples, image builds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folders at the crate's root that are embedded, in the order of their names: the table is searched by path.
const FOLDERS: [&str; 4] = ["charts", "examples", "images", "values"];

/// Folders below these that are left out.
const BUILT: [&str; 2] = ["__pycache__", "target"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let mut files = Vec::new();
    for folder in FOLDERS {
        // Cargo looks at a folder's whole content, so that a new file is noticed too.
        println!("cargo::rerun-if-changed={folder}");
        collect(&root.join(folder), &mut files)?;
    }

    let mut rows = Vec::with_capacity(files.len());
    for file in &files {
        rows.push((name_inside(&root, file)?, file));
    }
    rows.sort();

    let mut table = String::from("&[\n");
    for (name, file) in rows {
        writeln!(table, "    ({name:?}, include_str!({file:?})),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    fs::write(
        Path::new(&variable("OUT_DIR")?).join("embedded_files.rs"),
        table,
    )
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

/// Adds every file below `folder`; a folder that is not there holds none.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            // What cargo and Python leave behind is not text, and no part of the project.
            if !BUILT.iter().any(|name| path.ends_with(name)) {
                collect(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The file's path from the crate's root, with `/` on every platform.
fn name_inside(root: &Path, file: &Path) -> io::Result<String> {
    let inside = file.strip_prefix(root).map_err(io::Error::other)?;
    let segments: Option<Vec<&str>> = inside.iter().map(|segment| segment.to_str()).collect();
    match segments {
        Some(segments) => Ok(segments.join("/")),
        None => Err(io::Error::other(format!("{}: not UTF-8", file.display()))),
    }
}
