//! The build files of the images as a folder, to build them from.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::named;
use crate::chart::embedded;
use crate::cli::failure::Failure;
use crate::files::{folder_of, remove_file, write_new};

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
        make_way(&path).with_context(|| format!("cannot write {}", path.display()))?;
        write_new(&path, text, mode)?;
    }
    let own = folder.join(OWN_BINARY);
    copy_own_binary(&own).with_context(|| format!("cannot write {}", own.display()))?;
    let build = folder.join("tools/build.sh");
    Ok(format!(
        "The first lines of each build.sh say how to call it, for example {}\n",
        build.display()
    ))
}

/// It may be the one that is there already.
fn copy_own_binary(path: &Path) -> io::Result<()> {
    let half = path.with_extension("new");
    make_way(&half)?;
    fs::copy(std::env::current_exe()?, &half)?;
    fs::set_permissions(&half, fs::Permissions::from_mode(0o755))?;
    fs::rename(half, path)
}

/// Creates the folder of a new file. A file that exists is removed and not written to: it may be a link, or a program
/// that runs.
fn make_way(path: &Path) -> io::Result<()> {
    fs::create_dir_all(folder_of(path))?;
    remove_file(path).map_err(|error| error.reason)
}
