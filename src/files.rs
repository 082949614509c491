//! Atomic writes of files and folders, some of which only their owner may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// A file or folder that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct FileError {
    pub path: PathBuf,
    // Not a `source`, which the message would repeat.
    pub reason: io::Error,
}

/// The error of a file or folder.
pub fn failed(path: &Path) -> impl Fn(io::Error) -> FileError {
    let path = path.to_owned();
    move |reason| FileError {
        path: path.clone(),
        reason,
    }
}

/// The metadata of a path, or `None` if it does not exist.
///
/// # Errors
/// If it cannot be read.
pub fn found(path: &Path) -> Result<Option<fs::Metadata>, FileError> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Writes a new file. It may not be on the disk yet: see [`File::sync_all`].
///
/// # Errors
/// If it exists, or cannot be written.
pub fn write_new(path: &Path, text: &str, mode: u32) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.map_err(failed(path))?;
    file.write_all(text.as_bytes()).map_err(failed(path))?;
    Ok(file)
}

/// Writes a new file that only its owner may read, and to the disk.
///
/// # Errors
/// As [`write_new`].
pub fn write_private(path: &Path, text: &str) -> Result<(), FileError> {
    let file = write_new(path, text, 0o600)?;
    file.sync_all().map_err(failed(path))
}

/// Replaces the content of a file that only its owner may read, in one step. The owner does not change.
///
/// # Errors
/// If it cannot be written. The file then has its old content.
pub fn replace_private(path: &Path, text: &str) -> Result<(), FileError> {
    let new = beside(path, "new");
    // An interrupted run may have left one.
    remove_file(&new)?;
    let written = write_private(&new, text)
        .and_then(|()| keep_owner(path, &new))
        .and_then(|_| fs::rename(&new, path).map_err(failed(path)));
    if let Err(error) = written {
        // Its content is private, and must not be left there.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    sync_folder(&folder_of(path))
}

/// Replaces the content of a file in one step; its owner and mode stay, and so does a link to it. A file that does not
/// exist is created.
///
/// # Errors
/// If it cannot be written. The file then has its old content.
pub fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    let path = match found(path)? {
        Some(_) => fs::canonicalize(path).map_err(failed(path))?,
        None => path.to_owned(),
    };
    let new = beside(&path, "new");
    // An interrupted run may have left one.
    remove_file(&new)?;
    let written =
        write_as(&path, &new, text).and_then(|()| fs::rename(&new, &path).map_err(failed(&path)));
    if let Err(error) = written {
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    sync_folder(&folder_of(&path))
}

/// Writes a new file with the owner and the mode of the old one, if there is one.
fn write_as(old: &Path, new: &Path, text: &str) -> Result<(), FileError> {
    let file = write_new(new, text, 0o644)?;
    if let Some(old) = keep_owner(old, new)? {
        file.set_permissions(old.permissions())
            .map_err(failed(new))?;
    }
    file.sync_all().map_err(failed(new))
}

/// The name of a file or folder beside another: `.NAME.kubefarm-SUFFIX`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.kubefarm-{suffix}"))
}

/// The folder that a file or folder is in.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Creates a folder that only its owner may open, with its parents.
///
/// # Errors
/// If it cannot be created.
pub fn make_private_folder(path: &Path) -> Result<(), FileError> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(failed(path))
}

/// Replaces the folder `path` by `new` in one step, and removes the old one.
///
/// File systems without such a step need two, with `previous` as the old folder's name in between; without that name
/// they return an error.
///
/// # Errors
/// If a folder cannot be renamed or removed.
pub fn replace_folder(path: &Path, new: &Path, previous: Option<&Path>) -> Result<(), FileError> {
    let failed = failed(path);
    if found(path)?.is_none() {
        return fs::rename(new, path).map_err(failed);
    }
    match renameat_with(CWD, new, CWD, path, RenameFlags::EXCHANGE) {
        Ok(()) => remove_folder(new),
        Err(error) => match previous.filter(|_| is_unsupported(error)) {
            Some(previous) => {
                fs::rename(path, previous).map_err(&failed)?;
                fs::rename(new, path).map_err(&failed)?;
                remove_folder(previous)
            }
            None => Err(failed(error.into())),
        },
    }
}

/// The errors of file systems that cannot exchange two names (renameat2(2)).
fn is_unsupported(error: Errno) -> bool {
    [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP].contains(&error)
}

/// Gives `new` the owner of `old`, and returns the metadata of `old`; `None` if it does not exist. So a file that root
/// changes keeps its owner.
///
/// # Errors
/// If the owner cannot be read or set.
pub fn keep_owner(old: &Path, new: &Path) -> Result<Option<fs::Metadata>, FileError> {
    let Some(old) = found(old)? else {
        return Ok(None);
    };
    let made = fs::metadata(new).map_err(failed(new))?;
    if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
        chown(new, Some(old.uid()), Some(old.gid())).map_err(failed(new))?;
    }
    Ok(Some(old))
}

/// Writes the names in a folder to the disk.
///
/// # Errors
/// If the folder cannot be opened or written.
pub fn sync_folder(path: &Path) -> Result<(), FileError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(failed(path))
}

/// Removes a file if it exists.
///
/// # Errors
/// If it cannot be removed.
pub fn remove_file(path: &Path) -> Result<(), FileError> {
    gone(fs::remove_file(path)).map_err(failed(path))
}

/// Removes a folder with its content if it exists.
///
/// # Errors
/// If it cannot be removed.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    gone(fs::remove_dir_all(path)).map_err(failed(path))
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_takes_the_place_of_another() {
        let root = tempfile::tempdir().unwrap();
        let (old, new) = (root.path().join("pki"), root.path().join("new"));
        for (folder, text) in [(&old, "old"), (&new, "new")] {
            make_private_folder(folder).unwrap();
            write_private(&folder.join("file"), text).unwrap();
        }
        replace_folder(&old, &new, None).unwrap();
        assert_eq!(fs::read_to_string(old.join("file")).unwrap(), "new");
        assert!(!new.exists());
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_also_through_a_link() {
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("values.yaml"), root.path().join("link"));
        replace(&file, "first").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "second").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "second");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_private_file_is_replaced_and_nothing_is_left_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("config");
        fs::write(beside(&file, "new"), "of a stopped run").unwrap();
        for text in ["first", "second"] {
            replace_private(&file, text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
