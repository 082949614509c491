//! The sections of `ltsp.conf`, as `ini2sh` reads them: line by line.

use std::collections::HashMap;

use crate::farm::boot::fold;
use crate::farm::syntax::is_variable_name;
use crate::glob::Glob;

/// How `ltsp.conf` runs a file beside it.
const RUN: &str = "kubefarm_guard ";
const FOLDER: &str = " . /etc/ltsp/";

/// A section.
#[derive(Debug)]
pub(super) struct Section {
    /// What stands between the brackets, as `ini2sh` changes it: a pattern of the shell's `case`.
    pub name: String,
    /// The name of its function. Two sections may have one; the shell then takes the later one's text.
    pub function: String,
    pub statements: Vec<Statement>,
}

/// A line of a section, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// `INCLUDE=`, with what is called.
    Include(String),
    /// A name, and the text behind the sign.
    Set(String, String),
    /// A file that runs.
    Run(String),
    Other,
}

/// A configuration.
#[derive(Debug)]
pub struct Conf {
    sections: Vec<Section>,
    /// The last section of each function.
    functions: HashMap<String, usize>,
    /// The first section of each name that is not a pattern.
    names: HashMap<String, usize>,
    /// The sections whose names are patterns.
    patterns: Vec<usize>,
}

impl Conf {
    /// Reads the text of `ltsp.conf`.
    pub fn parse(text: &str) -> Conf {
        let mut sections = vec![Section::new("unnamed".to_owned())];
        for line in text.lines() {
            if let Some(name) = header(line) {
                sections.push(Section::new(name));
            } else if let Some(section) = sections.last_mut() {
                section.statements.extend(statements(line));
            }
        }
        let mut conf = Conf {
            sections,
            functions: HashMap::new(),
            names: HashMap::new(),
            patterns: Vec::new(),
        };
        for (index, section) in conf.sections.iter().enumerate() {
            conf.functions.insert(section.function.clone(), index);
            if section.name.contains(['*', '?', '|']) {
                conf.patterns.push(index);
            } else {
                conf.names.entry(section.name.clone()).or_insert(index);
            }
        }
        conf
    }

    /// The section that the shell's `case` takes for a word.
    pub(super) fn matching(&self, word: &str) -> Option<&Section> {
        let by_name = self.names.get(word).copied();
        let is_match = |index: &usize| {
            let section = self.sections.get(*index);
            section.is_some_and(|section| {
                let mut ways = section.name.split('|');
                ways.any(|pattern| Glob::Case.matches(pattern, word))
            })
        };
        let by_pattern = self.patterns.iter().copied().find(is_match);
        let first = by_name.into_iter().chain(by_pattern).min()?;
        let function = &self.sections.get(first)?.function;
        self.sections.get(*self.functions.get(function)?)
    }
}

impl Section {
    fn new(name: String) -> Section {
        Section {
            function: fold(&name),
            name,
            statements: Vec::new(),
        }
    }
}

/// The name of the section that a line opens.
fn header(line: &str) -> Option<String> {
    let inside = line.trim_start_matches(' ').strip_prefix('[')?;
    inside.contains(']').then(|| name(line))
}

/// A name, without what `ini2sh` drops.
fn name(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let is_kept = |sign: &char| sign.is_ascii_alphanumeric() || "-*./:?@_|".contains(*sign);
    text.to_ascii_lowercase().chars().filter(is_kept).collect()
}

/// What a line does; nothing where it is empty or a comment.
pub(super) fn statements(line: &str) -> Vec<Statement> {
    if line.is_empty() || line.starts_with('#') {
        return Vec::new();
    }
    let file = line
        .strip_prefix(RUN)
        .and_then(|rest| rest.split_once(FOLDER));
    if let Some((_, file)) = file {
        return vec![Statement::Run(file.to_owned())];
    }
    let statement = match line.split_once('=') {
        Some((key, value)) => assigned(key.trim_end_matches(' '), value),
        None => Statement::Other,
    };
    vec![statement]
}

fn assigned(key: &str, value: &str) -> Statement {
    if key.eq_ignore_ascii_case("include") {
        Statement::Include(name(value))
    } else if is_variable_name(key) {
        Statement::Set(key.to_owned(), value.trim_start_matches(' ').to_owned())
    } else {
        Statement::Other
    }
}
