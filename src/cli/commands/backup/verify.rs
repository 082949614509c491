//! `kubefarm backup verify`.

use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::backup::{BackupError, Contents, Flaw, Keys, Manifest, Record, digest, verify};
use crate::cli::failure::Failure;
use crate::files::failed;

const EXAMPLES: &str = "\
Each file is read as a whole: the digests of all that it holds, the checksum of
etcd's snapshot, and, where FILE.json is beside it, whether it is the file that was
written. Without --identity, an encrypted file is held against its record only.
Files of `etcdctl snapshot save` are checked too. The exit code is 1 where one has a
flaw, or where nothing could be checked.

Examples:
  With the key that it is encrypted for:
    kubefarm backup verify clusters.farm-20261201T024418Z.tar.age --identity key.txt

  All of a folder:
    kubefarm backup verify /backups/*.tar.age --identity key.txt";

/// Report whether backups are whole and right.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Verify {
    /// The backups.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Private keys of age, as age-keygen writes them.
    #[arg(long, short, value_name = "FILE", env = "KUBEFARM_IDENTITY")]
    identity: Option<PathBuf>,
}

impl Verify {
    pub fn run(self) -> Result<(), Failure> {
        let keys = self.identity.as_deref().map(Keys::read).transpose();
        let keys = keys.map_err(anyhow::Error::from)?;
        let mut is_good = true;
        for file in &self.files {
            let name = file.display();
            match check(file, keys.as_ref()) {
                Ok(said) => writeln!(io::stdout(), "{name}: {said}")?,
                Err(fault) => {
                    is_good = false;
                    writeln!(io::stdout(), "{name}: {fault}")?;
                }
            }
        }
        if is_good {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }
}

/// Checks one file; what it is, or what is wrong with it.
fn check(path: &Path, keys: Option<&Keys>) -> Result<String, BackupError> {
    let file = File::open(path).map_err(failed(path))?;
    let contents = verify(BufReader::new(file), keys)?;
    let is_recorded = held_against_record(path)?;
    match contents {
        Contents::Backup {
            manifest,
            encrypted,
        } => Ok(described(&manifest, encrypted)),
        Contents::Snapshot(size) => Ok(format!(
            "good: a snapshot of etcd alone, {size} bytes, without authorities and keys"
        )),
        Contents::Sealed if is_recorded => Ok(
            "as it was written; it is encrypted, and --identity checks what is in it".to_owned(),
        ),
        Contents::Sealed => Err(Flaw::Unchecked.into()),
    }
}

/// Holds it against the record beside it. Returns whether there is one.
fn held_against_record(path: &Path) -> Result<bool, BackupError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(Record::name(&name));
    let Ok(text) = fs::read_to_string(&beside) else {
        return Ok(false);
    };
    let record: Record =
        serde_json::from_str(&text).map_err(|error| failed(&beside)(error.into()))?;
    let (size, sha256) = digest(path)?;
    record.compare(size, &sha256)?;
    Ok(true)
}

fn described(manifest: &Manifest, encrypted: bool) -> String {
    let Manifest {
        farm,
        namespace,
        time,
        kubernetes,
        etcd,
        files,
        ..
    } = manifest;
    let sealed = if encrypted {
        "encrypted"
    } else {
        "not encrypted"
    };
    format!(
        "good: {namespace}/{farm} of {time}, Kubernetes {kubernetes}, etcd {}, revision {} or later, {} files, {sealed}",
        etcd.version,
        etcd.revision,
        files.len()
    )
}
