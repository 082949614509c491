//! `--chart-dir`: a user's own files over the embedded charts.

use std::fs;
use std::path::{Path, PathBuf};

use super::engine::is_manifest;
use super::{ChartError, NAMES};

/// A file of a chart that was read from a folder.
pub(super) struct OverlayFile {
    /// The path below the folder, with `/`: `kubernetes/templates/etcd.yaml`.
    pub name: String,
    pub path: PathBuf,
    pub text: String,
}

/// Reads every file of the charts below `dir`. Entries whose name starts with a dot are ignored.
pub(super) fn read(dir: &Path) -> Result<Vec<OverlayFile>, ChartError> {
    let mut files = Vec::new();
    let root = resolved(dir)?;
    for (name, path) in entries(dir)? {
        if !NAMES.contains(&name.as_str()) {
            let known = NAMES.join(", ");
            return Err(misplaced(
                path,
                format!("no chart has this name; the charts are {known}"),
            ));
        }
        check_inside(&root, &path)?;
        for (inside, path) in entries(&path)? {
            match inside.as_str() {
                "templates" | "files" => {
                    read_folder(&root, &format!("{name}/{inside}"), &path, &mut files)?
                }
                "Chart.yaml" | "values.yaml" => {
                    files.push(read_file(&root, format!("{name}/{inside}"), path)?)
                }
                _ => {
                    let message = "no chart uses this; a chart has Chart.yaml, values.yaml, templates/ and files/";
                    return Err(misplaced(path, message.to_owned()));
                }
            }
        }
    }
    Ok(files)
}

fn read_folder(
    root: &Path,
    name: &str,
    dir: &Path,
    files: &mut Vec<OverlayFile>,
) -> Result<(), ChartError> {
    check_inside(root, dir)?;
    for (inside, path) in entries(dir)? {
        let name = format!("{name}/{inside}");
        if path.is_dir() {
            read_folder(root, &name, &path, files)?;
        } else if is_manifest(&name) && !name.ends_with(".yaml") {
            // An editor's backup would be rendered beside its original.
            let message = "no chart uses this; the name of a template ends in .yaml";
            return Err(misplaced(path, message.to_owned()));
        } else {
            files.push(read_file(root, name, path)?);
        }
    }
    Ok(())
}

/// Reads a file. Reading anything else, such as a pipe, might never end.
fn read_file(root: &Path, name: String, path: PathBuf) -> Result<OverlayFile, ChartError> {
    check_inside(root, &path)?;
    if !path.is_file() {
        return Err(misplaced(path, "it is not a file".to_owned()));
    }
    match fs::read_to_string(&path) {
        Ok(text) => Ok(OverlayFile { name, path, text }),
        Err(source) => Err(ChartError::Unreadable { path, source }),
    }
}

/// Refuses a link to a file outside of the folder, which would end up in manifests. Links inside the folder are
/// allowed, since volumes of ConfigMaps have them, except to a folder that contains the link: reading that would never
/// end.
fn check_inside(root: &Path, path: &Path) -> Result<(), ChartError> {
    let found = resolved(path)?;
    let message = if !found.starts_with(root) {
        format!("it leads out of the folder, to {}", found.display())
    } else if path
        .parent()
        .is_some_and(|parent| leads_into(&found, parent))
    {
        "it leads back to a folder that it is in".to_owned()
    } else {
        return Ok(());
    };
    Err(misplaced(path.to_owned(), message))
}

fn leads_into(found: &Path, parent: &Path) -> bool {
    fs::canonicalize(parent).is_ok_and(|parent| parent.starts_with(found))
}

/// A path with all links resolved.
fn resolved(path: &Path) -> Result<PathBuf, ChartError> {
    fs::canonicalize(path).map_err(|source| ChartError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// The entries of a folder by name, without the hidden ones.
fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, ChartError> {
    let unreadable = |source| ChartError::Unreadable {
        path: dir.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // The name goes into messages and into comments of the output.
        let name = path.file_name().and_then(|name| name.to_str());
        match name.filter(|name| !name.chars().any(char::is_control)) {
            Some(name) if name.starts_with('.') => {}
            Some(name) => found.push((name.to_owned(), path)),
            None => return Err(misplaced(path, "the name is not printable text".to_owned())),
        }
    }
    found.sort();
    Ok(found)
}

fn misplaced(path: PathBuf, message: String) -> ChartError {
    ChartError::Misplaced { path, message }
}
