//! Key material in a folder: one folder a Secret, with `tls.crt`, `tls.key` and `ca.crt`. Nobody else may read it.
//!
//! A folder is written beside its place and trades places with the old one in one step, so that a certificate is never
//! there without its key.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::material::{AUTHORITIES, CERTIFICATE, KEY};
use super::secrets::secret_names;
use super::{Change, Completed, Key, Material, PkiError, Store};
use crate::farm::certificates::Pki;
use crate::files::{
    failed, found, make_private_folder, remove_folder, replace_folder, write_private,
};

/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// How long to wait for another process that changes the folder: long enough to make all keys.
const MAX_WAIT: Duration = Duration::from_secs(300);
/// How often to try.
const RETRY_EVERY: Duration = Duration::from_millis(50);

/// The parts of a farm's PKI that are in a folder: none where it does not exist.
///
/// # Errors
/// Where it is not a folder, others may read it, or a file cannot be read.
pub fn read(dir: &Path, pki: &Pki) -> Result<Store, PkiError> {
    let mut found = Store::new();
    if !exists(dir)? {
        return Ok(found);
    }
    check_folder(dir)?;
    for secret in secret_names(pki) {
        let folder = dir.join(folder_of(pki, &secret));
        if exists(&folder)? {
            check_folder(&folder)?;
            found.insert(secret, read_one(&folder)?);
        }
    }
    Ok(found)
}

/// Everything in a folder, by the names of its folders.
///
/// # Errors
/// Where it is not a folder, others may read it, or a file cannot be read.
pub fn read_all(dir: &Path) -> Result<BTreeMap<String, Material>, PkiError> {
    let mut found = BTreeMap::new();
    check_folder(dir)?;
    for entry in fs::read_dir(dir).map_err(failed(dir))? {
        let entry = entry.map_err(failed(dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let folder = entry.path();
        if !name.starts_with('.') && exists(&folder.join(CERTIFICATE))? {
            check_folder(&folder)?;
            found.insert(name, read_one(&folder)?);
        }
    }
    Ok(found)
}

/// A folder that is locked while this value lives: nothing changes between reading and writing.
#[derive(Debug)]
pub struct PkiDirectory {
    dir: PathBuf,
    /// Locked.
    root: File,
}

impl PkiDirectory {
    /// Opens a folder, creating it if necessary, once no other process changes it.
    ///
    /// # Errors
    /// Where it cannot be created, is not a folder, others may read it, or another process does not finish with it.
    pub fn open(dir: &Path) -> Result<PkiDirectory, PkiError> {
        make_private_folder(dir)?;
        check_folder(dir)?;
        let root = File::open(dir).map_err(failed(dir))?;
        let began = Instant::now();
        loop {
            match root.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if began.elapsed() < MAX_WAIT => sleep(RETRY_EVERY),
                Err(TryLockError::WouldBlock) => {
                    let seconds = MAX_WAIT.as_secs();
                    return Err(PkiError::File {
                        path: dir.to_owned(),
                        reason: format!(
                            "another process has been changing it for {seconds} s; run this again when that has ended"
                        ),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed(dir)(error).into()),
            }
        }
        Ok(PkiDirectory {
            dir: dir.to_owned(),
            root,
        })
    }

    /// As [`read`].
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&self, pki: &Pki) -> Result<Store, PkiError> {
        read(&self.dir, pki)
    }

    /// Writes what changed.
    ///
    /// # Errors
    /// Where a folder or file cannot be written. What was written before is whole.
    pub fn write(&self, pki: &Pki, completed: &Completed) -> Result<(), PkiError> {
        let dir = &self.dir;
        // In the order of completion: authorities before what they sign.
        for issued in &completed.issued {
            if issued.change != Change::Kept {
                let name = folder_of(pki, &issued.secret);
                replace(dir, name, &issued.material)?;
            }
        }
        // What is left of a rotation that is over.
        for secret in secret_names(pki) {
            let is_there = completed.issued.iter().any(|one| one.secret == secret);
            let folder = dir.join(folder_of(pki, &secret));
            if !is_there && exists(&folder)? {
                fs::remove_dir_all(&folder).map_err(failed(&folder))?;
            }
        }
        Ok(self.root.sync_all().map_err(failed(dir))?)
    }
}

/// Errors of a completion by what [`read`] found, with the folders' paths in place of the Secrets' names.
pub fn about_folders(dir: &Path, pki: &Pki, errors: Vec<PkiError>) -> Vec<PkiError> {
    let called = |secret: &str| dir.join(folder_of(pki, secret)).display().to_string();
    let errors = errors.into_iter().map(|error| error.renamed(called));
    errors.collect()
}

/// Without the beginning that all Secrets of a farm share; what is in the boot server's namespace has another one.
fn folder_of<'a>(pki: &'a Pki, secret: &'a str) -> &'a str {
    let mut certificates = pki.certificates.iter();
    if let Some(found) = certificates.find(|one| one.boots && one.secret_name == secret) {
        return &found.short;
    }
    let rest = secret.strip_prefix(pki.prefix.as_str());
    rest.and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(secret)
}

fn read_one(folder: &Path) -> Result<Material, PkiError> {
    let text = |name| -> Result<Zeroizing<String>, PkiError> {
        let path = folder.join(name);
        if !exists(&path)? {
            return Ok(Zeroizing::new(String::new()));
        }
        check_file(&path)?;
        let read = fs::read_to_string(&path).map_err(failed(&path))?;
        Ok(Zeroizing::new(read))
    };
    Ok(Material {
        certificate: text(CERTIFICATE)?.to_string(),
        key: text(KEY)?,
        authorities: text(AUTHORITIES)?.to_string(),
    })
}

/// Puts a folder with the material in its place, in one step.
fn replace(dir: &Path, name: &str, material: &Material) -> Result<(), PkiError> {
    let new = dir.join(format!(".{name}.new"));
    // An interrupted run may have left one.
    remove_folder(&new)?;
    make_private_folder(&new)?;
    write_material(&new, material)?;
    Ok(replace_folder(&dir.join(name), &new, None)?)
}

/// Writes the three files into an empty folder.
///
/// # Errors
/// Where one cannot be written, or is there already.
fn write_material(folder: &Path, material: &Material) -> Result<(), PkiError> {
    for (name, text) in [
        (CERTIFICATE, material.certificate.as_str()),
        (KEY, material.key.as_str()),
        (AUTHORITIES, material.authorities.as_str()),
    ] {
        write_private(&folder.join(name), text)?;
    }
    Ok(())
}

/// The names of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As in kubeadm's `/etc/kubernetes/pki`.
    Kubeadm,
    /// As [`read`] reads them.
    Secrets,
}

/// Kubeadm's names of the certificates, without `.crt` and `.key`
/// (kubernetes.io/docs/setup/best-practices/certificates).
const KUBEADM: [(&str, &str); 5] = [
    ("apiserver-server", "apiserver"),
    ("etcd-ca", "etcd/ca"),
    ("etcd-server", "etcd/server"),
    ("etcd-peer", "etcd/peer"),
    ("etcd-healthcheck-client", "etcd/healthcheck-client"),
];

/// Writes all of a farm's certificates and keys to a new or empty folder. Gives the number of files.
///
/// # Errors
/// Where something is in the folder, or it cannot be written.
pub fn export(
    dir: &Path,
    found: &BTreeMap<String, Material>,
    layout: Layout,
) -> Result<usize, PkiError> {
    make_private_folder(dir)?;
    check_folder(dir)?;
    let mut inside = fs::read_dir(dir).map_err(failed(dir))?;
    if inside.next().is_some() {
        return Err(PkiError::File {
            path: dir.to_owned(),
            reason: "it is not empty, and files are never overwritten".to_owned(),
        });
    }
    let mut count = 0;
    for (name, material) in found {
        if layout == Layout::Secrets {
            let folder = dir.join(name);
            make_private_folder(&folder)?;
            write_material(&folder, material)?;
            count += 3;
            continue;
        }
        let known = KUBEADM.iter().find(|(short, _)| short == name);
        let path = dir.join(known.map_or(name.as_str(), |(_, path)| path));
        if let Some(folder) = path.parent() {
            make_private_folder(folder)?;
        }
        write_private(&path.with_extension("key"), &material.key)?;
        // kubeadm has the public half of this key, and no certificate.
        if name == "sa" {
            let public = Key::parse(&material.key).map(|key| key.public_pem());
            write_private(&path.with_extension("pub"), &public.unwrap_or_default())?;
        } else {
            write_private(&path.with_extension("crt"), &material.certificate)?
        }
        count += 2;
    }
    Ok(count)
}

fn exists(path: &Path) -> Result<bool, PkiError> {
    Ok(found(path)?.is_some())
}

/// A folder that only its owner may open.
fn check_folder(path: &Path) -> Result<(), PkiError> {
    let found = fs::metadata(path).map_err(failed(path))?;
    if found.is_dir() {
        check_private(path, &found)
    } else {
        Err(PkiError::File {
            path: path.to_owned(),
            reason: "it is not a folder".to_owned(),
        })
    }
}

/// A file that only its owner may read.
fn check_file(path: &Path) -> Result<(), PkiError> {
    let found = fs::metadata(path).map_err(failed(path))?;
    if found.is_file() {
        check_private(path, &found)
    } else {
        Err(PkiError::File {
            path: path.to_owned(),
            reason: "it is not a file".to_owned(),
        })
    }
}

fn check_private(path: &Path, found: &fs::Metadata) -> Result<(), PkiError> {
    let mode = found.mode();
    if mode & OTHERS == 0 {
        Ok(())
    } else {
        Err(PkiError::File {
            path: path.to_owned(),
            reason: format!(
                "its mode is {:04o}: others could read private keys; chmod -R go= prevents that",
                mode & 0o7777
            ),
        })
    }
}
