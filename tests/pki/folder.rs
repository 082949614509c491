//! Key material in a folder.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Finished, kubefarm};

/// A folder that `kubefarm pki init` made.
pub struct Folder {
    _above: TempDir,
    path: PathBuf,
    values: Vec<String>,
}

impl Folder {
    /// Of a farm with these values, which are arguments separated by spaces.
    pub fn of(values: &str) -> Folder {
        let above = tempfile::tempdir().expect("a folder");
        let values = values.split_whitespace().map(str::to_owned);
        let folder = Folder {
            path: above.path().join("pki"),
            _above: above,
            values: ["--set", "pki.mode=builtin"]
                .map(str::to_owned)
                .into_iter()
                .chain(values)
                .collect(),
        };
        folder.run(&["init"]).success();
        folder
    }

    /// `kubefarm pki` on the folder.
    pub fn run(&self, words: &[&str]) -> Finished {
        let values = self.values.iter().map(String::as_str);
        let dir = self.path.to_str().expect("UTF-8");
        let words = ["pki"].into_iter().chain(words.iter().copied());
        kubefarm(words.chain(["--pki-dir", dir]).chain(values))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file, such as `ca/tls.crt`.
    pub fn file(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}
