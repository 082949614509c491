//! A kubeconfig file that is changed: locked as kubectl locks it, for its owner only, written whole or not at all.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use crate::cli::failure::Failure;
use crate::files::{failed, folder_of, make_private_folder, replace_private};
use crate::values::{decode, yaml};

/// A file that is locked while this value lives.
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
            Err(error) => return Err(failed(path)(error).into()),
        };
        make_private_folder(&folder_of(&path))?;
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&lock);
        match made {
            Ok(_) => Ok(Kubeconfig { path, lock }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Failure::Other(anyhow::anyhow!(
                    "{}: another program is changing it; if none is, remove {}",
                    path.display(),
                    lock.display()
                )))
            }
            Err(error) => Err(failed(&lock)(error).into()),
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
            Err(error) => return Err(failed(&self.path)(error).into()),
        };
        let name = self.path.display().to_string();
        // A problem would be shown with its line, which may have a key.
        let not_a_kubeconfig =
            |reason: &str| Failure::Usage(format!("{name}: it is not a kubeconfig: {reason}"));
        let documents = yaml::read_bytes(&name, &bytes).map_err(|problem| {
            let place = problem.origin.map(|origin| format!(" at {origin}"));
            not_a_kubeconfig(&format!("{}{}", problem.message, place.unwrap_or_default()))
        })?;
        match documents.as_slice() {
            [] => Ok(Map::new()),
            [document] => match decode::<Option<Map<String, Json>>>(document) {
                (Some(content), problems) if problems.is_empty() => Ok(content.unwrap_or_default()),
                _ => Err(not_a_kubeconfig("it is not a map")),
            },
            _ => Err(not_a_kubeconfig("it has several documents")),
        }
    }

    /// Puts a new text in the file's place, in one step.
    ///
    /// # Errors
    /// Where it cannot be written; the file is as it was then.
    pub fn replace(&self, text: &str) -> Result<(), Failure> {
        Ok(replace_private(&self.path, text)?)
    }
}

impl Drop for Kubeconfig {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.lock);
    }
}
