//! `kubefarm nodes`.

mod claim;
mod import;
mod list;
mod live;
mod redfish;
mod show;

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::kubefarm;

const GENERIC: [&str; 4] = [
    "-f",
    "examples/generic/values.yaml",
    "-f",
    "tests/support/accounts.yaml",
];

/// Runs `kubefarm nodes` on the example `generic`, and returns what it prints.
#[track_caller]
fn of_generic(args: &[&str]) -> String {
    kubefarm(["nodes"].iter().chain(args).chain(&GENERIC)).success()
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A folder with files, which is removed at the end.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and returns its path.
    fn with(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        text_of(&path)
    }
}

fn text_of(path: &Path) -> String {
    path.to_str().expect("a UTF-8 path").to_owned()
}

#[test]
fn every_command_below_nodes_is_listed_and_has_worked_examples() {
    let help = kubefarm(["nodes", "--help"]).success();
    for command in ["list", "show", "watch", "logs", "claim", "import"] {
        assert!(help.contains(&format!("\n  {command}")), "{command}");
        let help = kubefarm(["nodes", command, "--help"]).success();
        let (_, examples) = help.split_once("Examples:\n").expect("examples");
        let called = format!("kubefarm nodes {command}");
        assert!(examples.contains(&called), "{command}");
    }
}
