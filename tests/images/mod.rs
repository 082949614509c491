//! Images without a container engine: what the scripts below `images/` put together.

mod oci;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{program, project};

/// A script below `images/` that is written in Python.
fn python(script: &str) -> Option<Command> {
    let python = program("python3", "python3-minimal")?;
    let mut command = Command::new(python);
    command.arg(project().join("images").join(script));
    command.env_remove("SOURCE_DATE_EPOCH");
    Some(command)
}

/// Writes files into a folder: each by its path there and its text.
fn write(folder: &Path, files: &[(&str, &str)]) -> PathBuf {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder.to_owned()
}

fn json(path: &Path) -> serde_json::Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}
