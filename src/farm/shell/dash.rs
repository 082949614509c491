//! Compares with dash: scripts of this project and of this machine, as they are and with random errors.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::fault;

const DASH: &str = "/usr/bin/dash";

/// The texts that are inserted into scripts to break them.
const PIECES: [&str; 46] = [
    "'", "\"", "`", "$(", ")", "(", "{", "}", "fi", "done", "esac", "then", "do", "if", "case",
    "\\", "<<EOF", "\n", ";;", ";", "&", "|", "&&", "#", "$((", "))", "${", "!", "[", "while",
    "for", "in", "elif", "else", "<", ">", ">&", "<<-E", "$", " ", "<<", "f()", "${#", "%\"", "=",
    "||",
];

fn scripts() -> Vec<String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    for folder in ["charts", "tests", "benches", "examples", "images", ".ci"] {
        collect(&project.join(folder), &mut found);
    }
    for folder in ["/usr/share/ltsp", "/etc/init.d", "/usr/sbin", "/usr/bin"] {
        collect(Path::new(folder), &mut found);
    }
    found.into_iter().collect()
}

fn collect(path: &Path, found: &mut BTreeSet<String>) {
    if let Ok(entries) = fs::read_dir(path) {
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| !path.is_symlink());
        paths.iter().for_each(|path| collect(path, found));
        return;
    }
    let is_small = fs::metadata(path).is_ok_and(|metadata| metadata.len() < 200_000);
    let text = fs::read(path).ok().filter(|_| is_small);
    let Some(text) = text.and_then(|text| String::from_utf8(text).ok()) else {
        return;
    };
    let has_name = path.extension().is_some_and(|extension| extension == "sh");
    if text.starts_with("#!/bin/sh") || (has_name && !text.starts_with("#!")) {
        found.insert(text);
    }
}

/// Numbers that are the same in every run (Marsaglia, "Xorshift RNGs").
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit.max(1)
    }
}

fn broken(script: &str, numbers: &mut Numbers) -> String {
    let mut lines: Vec<String> = script.split('\n').map(str::to_owned).collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(lines.len());
        let other = numbers.below(lines.len());
        let mut letters: Vec<String> = lines[at].chars().map(String::from).collect();
        let letter = numbers.below(letters.len());
        match numbers.below(5) {
            0 => drop(letters.drain(..)),
            1 if !letters.is_empty() => drop(letters.remove(letter)),
            2 => lines.truncate(at + 1),
            3 => lines.swap(at, other),
            _ => letters.insert(letter, PIECES[numbers.below(PIECES.len())].to_owned()),
        }
        if at < lines.len() {
            lines[at] = letters.concat();
        }
    }
    lines.join("\n")
}

/// Whether dash can read it.
fn dash_reads(script: &str, file: &Path) -> bool {
    fs::write(file, script).expect("written");
    let output = Command::new(DASH).arg("-n").arg(file).output();
    output.expect("dash runs").status.success()
}

/// No error is reported that dash does not report, and few are missed.
#[test]
fn what_dash_reads_has_no_fault() {
    if !Path::new(DASH).exists() {
        assert!(std::env::var_os("CI").is_none(), "needs {DASH}");
        eprintln!("SKIPPED: needs {DASH} (Debian package dash)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script");
    let whole = scripts();
    assert!(whole.len() > 20, "{}", whole.len());
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let count = std::env::var("KUBEFARM_BROKEN_SCRIPTS")
        .map_or(600, |count| count.parse().expect("a number"));
    let small: Vec<&String> = whole.iter().filter(|script| script.len() < 6000).collect();
    let broken: Vec<String> = (0..count)
        .map(|_| broken(small[numbers.below(small.len())], &mut numbers))
        .collect();
    let (mut faults, mut missed) = (0, 0);
    for script in whole.iter().chain(&broken) {
        let fault = fault(script);
        let is_read = dash_reads(script, &file);
        assert!(!(is_read && fault.is_some()), "{fault:?} in\n{script}");
        faults += usize::from(fault.is_some());
        missed += usize::from(!is_read && fault.is_none());
    }
    eprintln!(
        "{} scripts, {faults} faults, {missed} missed",
        whole.len() + broken.len()
    );
    assert!(faults > count / 5, "{faults} faults");
    assert!(
        missed * 100 <= faults,
        "{missed} faults were missed, {faults} were found"
    );
}
