//! The file the image is loaded to. Under its own name it exists only when all of it is right.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Kind};

pub struct Output {
    file: File,
    part: PathBuf,
    path: PathBuf,
}

impl Output {
    /// Removes what an earlier run left, so that its RAM is free, and starts anew in `path`.part.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let mut part = OsString::from(path);
        part.push(".part");
        let part = PathBuf::from(part);
        remove(path)?;
        let file = File::create(&part).map_err(|error| unwritable(&part, &error))?;
        Ok(Self {
            file,
            part,
            path: path.to_owned(),
        })
    }

    pub fn write(&self, start: u64, bytes: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all_at(bytes, start)
            .map_err(|error| unwritable(&self.part, &error))
    }

    /// Gives the file its name.
    pub fn finish(self) -> Result<(), Failure> {
        fs::rename(&self.part, &self.path).map_err(|error| unwritable(&self.path, &error))
    }
}

impl Drop for Output {
    /// Frees the RAM of an image that was not finished; a finished one has left this name.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part);
    }
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(path, &error)),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Kind::Output,
        format!("cannot write {}: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_image_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("image");
        fs::write(&path, "stale").expect("written");
        let output = Output::create(&path).expect("created");
        output.write(3, b"new").expect("written");
        assert!(!path.exists());
        drop(output);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_finished_image_has_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("image");
        let output = Output::create(&path).expect("created");
        output.write(0, b"wrong").expect("written");
        output.write(0, b"right").expect("written");
        output.finish().expect("finished");
        assert_eq!(fs::read(&path).expect("read"), b"right");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let failure = Output::create(&folder.path().join("no/image"))
            .err()
            .expect("a failure");
        assert_eq!(failure.kind, Kind::Output);
        assert!(
            failure.words.contains("/no/image.part: No such file"),
            "{}",
            failure.words
        );
        let failure = Output::create(folder.path()).err().expect("a failure");
        assert_eq!(failure.kind, Kind::Output);
    }
}
