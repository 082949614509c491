//! The build files of the images as a folder, to build them from.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::named;
use crate::chart::embedded;
use crate::cli::failure::Failure;

/// Where a build script looks for kubefarm's binary.
const OWN_BINARY: &str = "tools/kubefarm";

#[derive(Debug, Args)]
pub struct Images {
    /// The file: tools/build.sh.
    #[arg(conflicts_with = "output_dir")]
    name: Option<String>,
    /// Write all of them into this folder, and this kubefarm as tools/kubefarm.
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Write them even if the folder has files; files of the same names are replaced.
    #[arg(long, requires = "output_dir")]
    force: bool,
}

impl Images {
    /// What is to be printed.
    pub fn run(self) -> Result<String, Failure> {
        match self.output_dir {
            Some(folder) => write_all(&folder, self.force),
            None => named("image build file", self.name, embedded::under("images/")),
        }
    }
}

fn write_all(folder: &Path, force: bool) -> Result<String, Failure> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    if !force && entries.next().is_some() {
        return Err(Failure::Usage(format!(
            "{} is not empty; nothing was written: name a new folder, or use --force",
            folder.display()
        )));
    }
    for (name, text) in embedded::under("images/") {
        let path = folder.join(name);
        // What starts like a script is one.
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        write(&path, text, mode).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let own = folder.join(OWN_BINARY);
    copy_own_binary(&own).with_context(|| format!("cannot write {}", own.display()))?;
    let build = folder.join("tools/build.sh");
    Ok(format!(
        "The first lines of each build.sh say how to call it, for example {}\n",
        build.display()
    ))
}

/// Anew and not into a file that is there, which may be a link, or a program that runs.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    make_way(path)?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())
}

/// It may be the one that is there already.
fn copy_own_binary(path: &Path) -> io::Result<()> {
    let half = path.with_extension("new");
    make_way(&half)?;
    fs::copy(std::env::current_exe()?, &half)?;
    fs::set_permissions(&half, fs::Permissions::from_mode(0o755))?;
    fs::rename(half, path)
}

/// Makes the folder of a file that is to be written, and removes one that is there.
fn make_way(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
