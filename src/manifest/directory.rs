//! `--output-dir`: a manifest as a folder with a file for every object, replaced as a whole or not at all.
//!
//! The files are written to a folder beside the target and synced, then the two folders are exchanged in one step. An
//! interrupted run leaves the old content or the new one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::file_names::file_names;
use super::{Manifest, ManifestError, write};
use crate::files::{
    beside, failed, folder_of, keep_owner, remove_folder, replace_folder, sync_folder, write_new,
};

/// The file that marks a folder as output of kubefarm. It lists the other files, one name on each line.
pub const MARKER: &str = ".kubefarm-output";

/// The modes of files, before the umask.
const PUBLIC: u32 = 0o666;
const PRIVATE: u32 = 0o600;

/// Writes each object to a file of its own in `dir`, which is created if it does not exist.
///
/// `dir` has to be new, empty, or an earlier output with nothing else in it; an earlier output is replaced.
///
/// # Errors
/// If `dir` has other files, or a file or folder cannot be written. `dir` then has its old content.
pub fn write_directory(manifest: &Manifest, dir: &Path) -> Result<(), ManifestError> {
    let target = Target::of(dir)?;
    // One run at a time: the folder beside the target has a fixed name, so that a later run finds it after an
    // interruption.
    let parent = File::open(&target.parent).map_err(failed(&target.parent))?;
    parent.lock().map_err(failed(&target.parent))?;

    target.clean_up_interrupted_run()?;
    check_replaceable(&target.dir)?;
    fs::create_dir(&target.staging).map_err(failed(&target.staging))?;
    let written = fill(manifest, &target.staging)
        .and_then(|()| target.keep_owner_and_mode())
        .and_then(|()| target.replace());
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_dir_all(&target.staging);
    }
    written?;
    Ok(sync_folder(&target.parent)?)
}

/// Writes all files into a new folder, and to the disk.
fn fill(manifest: &Manifest, dir: &Path) -> Result<(), ManifestError> {
    let names = file_names(manifest.objects());
    let mut listed: Vec<&str> = names.iter().map(String::as_str).collect();
    listed.sort_unstable();
    let marker = dir.join(MARKER);
    let file = write_new(&marker, &lines(&listed), PUBLIC)?;
    let mut files = vec![(marker, file)];
    for (object, name) in manifest.objects().iter().zip(&names) {
        let is_secret = object.group().is_empty() && object.kind() == "Secret";
        let path = dir.join(name);
        let mode = if is_secret { PRIVATE } else { PUBLIC };
        let file = write_new(&path, &write::document(object), mode)?;
        files.push((path, file));
    }
    // After the last write, so that the disk writes all of them together.
    for (path, file) in &files {
        file.sync_all().map_err(failed(path))?;
    }
    Ok(sync_folder(dir)?)
}

fn lines(names: &[&str]) -> String {
    names.iter().flat_map(|name| [name, "\n"]).collect()
}

/// A folder to be replaced, and the names of the folders beside it.
struct Target {
    dir: PathBuf,
    parent: PathBuf,
    /// The new content while it is written; the old one after the exchange.
    staging: PathBuf,
    /// The old content for a moment, if the file system cannot exchange two folders.
    previous: PathBuf,
}

impl Target {
    fn of(dir: &Path) -> Result<Target, ManifestError> {
        // Resolved, so that a symbolic link is kept.
        let existing = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
        if existing.file_name().is_none() {
            return Err(refused(
                dir,
                "it has no name under which a folder could be replaced",
            ));
        }
        if std::env::current_dir().is_ok_and(|current| current.starts_with(&existing)) {
            return Err(refused(
                dir,
                "the folder you are in cannot be replaced; run this outside of it",
            ));
        }
        let parent = folder_of(&existing);
        fs::create_dir_all(&parent).map_err(failed(&parent))?;
        Ok(Target {
            staging: beside(&existing, "new"),
            previous: beside(&existing, "old"),
            dir: existing,
            parent,
        })
    }

    /// Restores the old content if a run was interrupted between two renames, and removes what it left.
    fn clean_up_interrupted_run(&self) -> Result<(), ManifestError> {
        for left_over in [&self.staging, &self.previous] {
            check_replaceable(left_over)?;
        }
        if self.previous.exists() && !self.dir.exists() {
            fs::rename(&self.previous, &self.dir).map_err(failed(&self.dir))?;
        }
        for left_over in [&self.staging, &self.previous] {
            remove_folder(left_over)?;
        }
        Ok(())
    }

    /// The new folder gets the owner and mode of the old one.
    fn keep_owner_and_mode(&self) -> Result<(), ManifestError> {
        if let Some(old) = keep_owner(&self.dir, &self.staging)? {
            fs::set_permissions(&self.staging, old.permissions()).map_err(failed(&self.staging))?;
        }
        Ok(())
    }

    /// Puts the new folder in the old one's place.
    fn replace(&self) -> Result<(), ManifestError> {
        match replace_folder(&self.dir, &self.staging, Some(&self.previous)) {
            Err(error) if error.reason.kind() == io::ErrorKind::ResourceBusy => Err(refused(
                &self.dir,
                "a mount point cannot be replaced as a whole; name a folder inside it",
            )),
            other => Ok(other?),
        }
    }
}

/// Refuses a folder with files that kubefarm did not write, by the list in its marker file, which is written first.
fn check_replaceable(dir: &Path) -> Result<(), ManifestError> {
    match fs::symlink_metadata(dir) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(refused(dir, "it is not a folder; move it away")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(dir)(error).into()),
    }
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).map_err(failed(dir))? {
        let name = entry.map_err(failed(dir))?.file_name();
        names.insert(name.to_string_lossy().into_owned());
    }
    if names.is_empty() {
        return Ok(());
    }
    let marker = dir.join(MARKER);
    let listed = match fs::read_to_string(&marker) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refused(
                dir,
                "the folder holds files that kubefarm did not write; move it away or name another one",
            ));
        }
        Err(error) => return Err(failed(&marker)(error).into()),
    };
    let ours: BTreeSet<&str> = listed.lines().chain([MARKER]).collect();
    match names.iter().find(|name| !ours.contains(name.as_str())) {
        Some(foreign) => Err(refused(
            &dir.join(foreign),
            "kubefarm did not write this and would remove it; move it away or name another folder",
        )),
        None => Ok(()),
    }
}

fn refused(path: &Path, message: &str) -> ManifestError {
    ManifestError::OutputDir {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}
