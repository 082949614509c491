//! Backups in a folder. A file gets its name once it is complete, on the disk, and read back; its record comes after
//! that. What is half done has another name, and goes with the next run.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{Advice, fadvise};
use sha2::{Digest as _, Sha256};

use super::error::BackupError;
use super::record::Record;
use crate::files::{beside, failed, folder_of, found, remove_file, replace, sync_folder};
use crate::hexadecimal::hexadecimal;

/// What a file's name says of its time, in UTC.
pub const NAME_TIME: &str = "%Y%m%dT%H%M%SZ";
/// How names end: an archive, and an encrypted one.
const SUFFIXES: [&str; 2] = [".tar", ".tar.age"];
/// The name of what is half done ends so.
const HALF: &str = "new";
/// How much is read at once.
const CHUNK: usize = 256 * 1024;

/// The folder with the backups of a farm, perhaps beside those of others.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    farm: String,
}

impl Folder {
    /// `farm` is `NAMESPACE.NAME`: neither has a dot, so that names begin like those of no other farm.
    pub fn new(path: PathBuf, farm: String) -> Folder {
        Folder { path, farm }
    }

    /// The name of a backup of this time: `clusters.farm-20261201T024418Z.tar.age`.
    pub fn name(&self, time: Timestamp, encrypted: bool) -> String {
        let [open, sealed] = SUFFIXES;
        let suffix = if encrypted { sealed } else { open };
        format!("{}-{}{suffix}", self.farm, time.strftime(NAME_TIME))
    }

    /// Whether a file has the name of a backup of this farm.
    fn is_ours(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.farm);
        let rest = rest.and_then(|rest| rest.strip_prefix('-'));
        let times = SUFFIXES.map(|suffix| rest.and_then(|rest| rest.strip_suffix(suffix)));
        times.into_iter().flatten().any(is_time)
    }

    /// Removes what a run of this farm left half done that was killed. Returns how much that was.
    ///
    /// # Errors
    /// Where the folder cannot be read or written.
    pub fn tidy(&self) -> Result<usize, BackupError> {
        let end = format!(".kubefarm-{HALF}");
        let mut count = 0;
        for name in self.names()? {
            let whole = name
                .strip_prefix('.')
                .and_then(|name| name.strip_suffix(&end));
            // A backup or its record.
            let whole = whole.map(|name| name.strip_suffix(".json").unwrap_or(name));
            if whole.is_some_and(|name| self.is_ours(name)) {
                remove_file(&self.path.join(&name))?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Begins a backup.
    ///
    /// # Errors
    /// Where there is one of this second, or it cannot be written.
    pub fn begin(&self, name: &str) -> Result<Unfinished, BackupError> {
        Unfinished::create(self.path.join(name))
    }

    /// The records of the backups that are here as they were written, as far as their sizes show.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn good(&self) -> Result<Vec<Record>, BackupError> {
        let names = self.names()?;
        let ours = names.iter().filter(|name| self.is_ours(name));
        let records = ours.filter_map(|name| {
            let text = fs::read_to_string(self.path.join(Record::name(name))).ok()?;
            let record: Record = serde_json::from_str(&text).ok()?;
            let size = fs::symlink_metadata(self.path.join(name)).ok()?.len();
            let is_it = record.file == *name && record.farm == self.farm && record.size == size;
            is_it.then_some(record)
        });
        Ok(records.collect())
    }

    /// Writes the record of a backup.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn record(&self, record: &Record) -> Result<(), BackupError> {
        let text = serde_json::to_string_pretty(record).map_err(io::Error::from);
        let path = self.path.join(Record::name(&record.file));
        let text = text.map_err(failed(&path))?;
        Ok(replace(&path, &format!("{text}\n"))?)
    }

    /// Removes a backup, and then its record.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), BackupError> {
        remove_file(&self.path.join(name))?;
        remove_file(&self.path.join(Record::name(name)))?;
        Ok(sync_folder(&self.path)?)
    }

    fn names(&self) -> Result<Vec<String>, BackupError> {
        let failed = failed(&self.path);
        let entries = fs::read_dir(&self.path).map_err(&failed)?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(&failed)?.file_name();
            // A name that is not text is not ours.
            names.extend(OsStr::to_str(&name).map(str::to_owned));
        }
        Ok(names)
    }
}

/// Whether a text is a time as names have it.
fn is_time(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 16 && text.bytes().enumerate().all(is_right)
}

/// A backup that is being written. What is not finished is removed.
pub struct Unfinished {
    file: File,
    half: PathBuf,
    path: PathBuf,
    hash: Sha256,
    size: u64,
    is_done: bool,
}

impl Unfinished {
    /// Begins a file, which has another name until it is finished.
    ///
    /// # Errors
    /// Where it exists, or cannot be written.
    pub fn create(path: PathBuf) -> Result<Unfinished, BackupError> {
        if found(&path)?.is_some() {
            return Err(BackupError::Exists(path.display().to_string()));
        }
        let half = beside(&path, HALF);
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(&half);
        Ok(Unfinished {
            file: opened.map_err(failed(&half))?,
            half,
            path,
            hash: Sha256::new(),
            size: 0,
            is_done: false,
        })
    }

    /// Gives it its name, once the disk has it and gives it back. Returns its size and its digest.
    ///
    /// # Errors
    /// Where it cannot be written or read, or differs.
    pub fn finish(mut self) -> Result<(u64, String), BackupError> {
        self.file.sync_all().map_err(failed(&self.half))?;
        let written = hexadecimal(std::mem::take(&mut self.hash).finalize());
        if digest(&self.half)? != (self.size, written.clone()) {
            return Err(BackupError::ReadBack(self.path.display().to_string()));
        }
        fs::rename(&self.half, &self.path).map_err(failed(&self.path))?;
        self.is_done = true;
        sync_folder(&folder_of(&self.path))?;
        Ok((self.size, written))
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_done {
            let _ = fs::remove_file(&self.half);
        }
    }
}

/// The size and the digest of a file, as the disk has it and not the memory, as far as the kernel lets go of that.
pub fn digest(path: &Path) -> Result<(u64, String), BackupError> {
    let failed = failed(path);
    let mut file = File::open(path).map_err(&failed)?;
    // Advice only: not every file system takes it.
    let _ = fadvise(&file, 0, None, Advice::DontNeed);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).map_err(&failed)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return Ok((size, hexadecimal(hash.finalize())));
        }
        hash.update(bytes);
        size += bytes.len() as u64;
    }
}
