//! `ltsp.conf` as a booting node reads it: LTSP's own reader, and the shell behind it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::{Map, Value, json};

/// Where Debian's package `ltsp` has its reader.
const READER: &str = "/usr/share/ltsp/common/ltsp/55-config.sh";
/// The node of the farm whose pool has a tag.
const NODE: &str = "02:00:00:40:09:0a";
const EVALUATE: &str = r#"
re() { "$@"; }
. "$1"
sections=$(ini2sh ltsp.conf)
set -a
eval "$sections"
section_call unnamed clients common "$2"
env -0
"#;

/// Whether LTSP is here; in CI it has to be.
pub fn is_installed() -> bool {
    let found = Path::new(READER).exists();
    assert!(
        found || env::var_os("CI").is_none(),
        "needs the Debian package ltsp"
    );
    found
}

/// The variables that a node gets, and the file's lines without what is assigned in them.
///
/// # Panics
/// Where the shell reports anything, or where evaluating the file leaves a trace.
pub fn evaluate(text: &str) -> Value {
    let lines: Value = text.split('\n').map(without_value).collect();
    let variables = if is_installed() {
        variables(text)
    } else {
        Map::new()
    };
    json!({"lines": lines, "variables": variables})
}

fn without_value(line: &str) -> &str {
    match line.split_once('=') {
        Some((key, _))
            if key != "INCLUDE"
                && key
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) =>
        {
            key
        }
        _ => line,
    }
}

fn variables(text: &str) -> Map<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ltsp.conf"), text).unwrap();
    let mut shell = Command::new("dash");
    shell.args(["-c", EVALUATE, "dash", READER, NODE]);
    shell
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap());
    let output = shell.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{errors}\n{text}"
    );
    let left: BTreeSet<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        left,
        BTreeSet::from(["ltsp.conf".to_owned()]),
        "something was executed: {text}"
    );
    let environment = String::from_utf8(output.stdout).expect("UTF-8");
    environment
        .split_terminator('\0')
        .filter_map(|variable| variable.split_once('='))
        .filter(|(name, _)| {
            !name.starts_with("section") && !["PATH", "PWD", "OLDPWD", "_"].contains(name)
        })
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}
