//! A kubeconfig file that is changed: locked as kubectl locks it, for its owner only, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::super::Failure;
use crate::pki::directory::{make_folder, write_private};
use crate::values::{decode, yaml};

/// A file that nobody else changes while this is there.
#[derive(Debug)]
pub struct Kubeconfig {
    /// Where links lead to.
    path: PathBuf,
    /// As k8s.io/client-go/tools/clientcmd has it.
    lock: PathBuf,
}

impl Kubeconfig {
    /// Locks a file, which need not be there.
    ///
    /// # Errors
    /// Where another program has it locked, or its folder cannot be written.
    pub fn open(path: &Path) -> Result<Kubeconfig, Failure> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(failed(path)(error)),
        };
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            make_folder(folder)?;
        }
        let lock = beside(&path, "", ".lock");
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&lock);
        match made {
            Ok(_) => Ok(Kubeconfig { path, lock }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Failure::Other(anyhow::anyhow!(
                    "{}: another program changes it; if none does, remove {}",
                    path.display(),
                    lock.display()
                )))
            }
            Err(error) => Err(failed(&lock)(error)),
        }
    }

    /// What is in the file; nothing where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, or is not a YAML map.
    pub fn content(&self) -> Result<Map<String, Json>, Failure> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(error) => return Err(failed(&self.path)(error)),
        };
        let name = self.path.display().to_string();
        // A problem would be shown with its line, which may have a key.
        let no_kubeconfig =
            |reason: &str| Failure::Usage(format!("{name}: it is not a kubeconfig: {reason}"));
        let documents = yaml::read_bytes(&name, &bytes).map_err(|problem| {
            let place = problem.origin.map(|origin| format!(" at {origin}"));
            no_kubeconfig(&format!("{}{}", problem.message, place.unwrap_or_default()))
        })?;
        match documents.as_slice() {
            [] => Ok(Map::new()),
            [document] => match decode::<Option<Map<String, Json>>>(document) {
                (Some(content), problems) if problems.is_empty() => Ok(content.unwrap_or_default()),
                _ => Err(no_kubeconfig("it is not a map")),
            },
            _ => Err(no_kubeconfig("it has several documents")),
        }
    }

    /// Puts a new text in the file's place, in one step.
    ///
    /// # Errors
    /// Where it cannot be written; the file is as it was then.
    pub fn replace(&self, text: &str) -> Result<(), Failure> {
        let new = beside(&self.path, ".", ".kubefarm-new");
        // A stopped run may have left one.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&new)(error));
            }
            _ => {}
        }
        if let Err(failure) = self.put_in_place(&new, text) {
            // What was written has a key, and nobody would look for it there.
            let _ = fs::remove_file(&new);
            return Err(failure);
        }
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed(folder))
    }

    fn put_in_place(&self, new: &Path, text: &str) -> Result<(), Failure> {
        write_private(new, text)?;
        let kept = self.keep_owner(new);
        kept.and_then(|()| fs::rename(new, &self.path))
            .map_err(failed(&self.path))
    }

    /// Root may change somebody else's file, which stays theirs.
    fn keep_owner(&self, new: &Path) -> io::Result<()> {
        let old = match fs::metadata(&self.path) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let file = File::open(new)?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) == (old.uid(), old.gid()) {
            Ok(())
        } else {
            fchown(file, Some(old.uid()), Some(old.gid()))
        }
    }
}

impl Drop for Kubeconfig {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.lock);
    }
}

/// A file beside another, whose name has something before and after it.
fn beside(path: &Path, before: &str, after: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{before}{name}{after}"))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure {
    let name = path.display().to_string();
    move |error| Failure::Other(anyhow::anyhow!("{name}: {error}"))
}
