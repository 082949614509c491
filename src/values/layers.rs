//! Files, embedded layers and flags, in Helm's order, become one tree.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::merge::{self, Removed};
use super::problem::Problem;
use super::set::{self, Flag};
use super::tree::{Map, Node, Origin, Value};
use super::yaml;

/// One thing the user gave values with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// `-f PATH`; `-` is stdin.
    File(PathBuf),
    /// `-f builtin:NAME`, with the embedded text.
    Builtin { name: String, text: String },
    /// `--set`
    Set(String),
    /// `--set-string`
    SetString(String),
    /// `--set-file`
    SetFile(String),
    /// `--set-json`
    SetJson(String),
}

/// What all layers come to.
#[derive(Debug)]
pub struct Loaded {
    pub tree: Node,
    /// The defaults that null removed from it.
    pub removed: Vec<Removed>,
}

/// Reads all layers and lays them over one another. `defaults` are `(source, text)`.
///
/// The user's files come in the order given, each document of a file a layer of its own; documents without content are
/// skipped. Flags come after all files, whatever the order they were typed in: `--set-json`, `--set`, `--set-string`,
/// `--set-file` (Helm's `values.Options.MergeValues`). Flags see the user's files, not the defaults: setting one element
/// of a list that only the defaults have starts a new list. The result is laid over the defaults; see [`merge`] for the
/// rules and for what null does.
///
/// The root is always a map, with the origin of the first layer.
///
/// # Errors
///
/// Every layer that cannot be read or is not a map; where all can be, every flag that cannot be applied.
pub fn load(defaults: &[(&str, &str)], inputs: &[Input]) -> Result<Node, Vec<Problem>> {
    load_with_removed(defaults, inputs).map(|loaded| loaded.tree)
}

/// As [`load`], with what null removed.
///
/// # Errors
///
/// As [`load`].
pub fn load_with_removed(
    defaults: &[(&str, &str)],
    inputs: &[Input],
) -> Result<Loaded, Vec<Problem>> {
    load_with_stdin(defaults, inputs, &mut std::io::stdin().lock())
}

/// As [`load_with_removed`], with what `-` reads from.
pub fn load_with_stdin(
    defaults: &[(&str, &str)],
    inputs: &[Input],
    stdin: &mut dyn Read,
) -> Result<Loaded, Vec<Problem>> {
    let mut loader = Loader {
        stdin: Some(stdin),
        problems: Vec::new(),
    };
    let mut texts: Vec<Text<'_>> = defaults.iter().map(|layer| Text::of(*layer)).collect();
    texts.extend(loader.texts(inputs));
    let mut layers: Vec<_> = texts.iter().map(Text::parse).collect();
    let user = layers.split_off(defaults.len());
    let defaults = loader.merged(layers);
    let user = loader.merged(user);
    if !loader.problems.is_empty() {
        return Err(loader.problems);
    }
    let mut user = user.unwrap_or_else(|| empty("values"));
    loader.flags(inputs, &mut user);
    if !loader.problems.is_empty() {
        return Err(loader.problems);
    }
    let (tree, removed) = match defaults {
        Some(defaults) => merge::over_defaults(defaults, user),
        None => (user, Vec::new()),
    };
    Ok(Loaded { tree, removed })
}

/// Puts problems about what null removed at that null, which stands in no tree any more, and sorts them anew.
pub fn put_at_nulls(problems: &mut [Problem], removed: &[Removed]) {
    for problem in problems.iter_mut() {
        let Some(path) = &problem.path else { continue };
        let null = removed
            .iter()
            .find(|removed| path.0.starts_with(&removed.path.0));
        if let Some(null) = null {
            problem.origin = Some(null.origin.clone());
            let help = &mut problem.help;
            help.get_or_insert_with(|| "a default was removed with null".to_owned());
        }
    }
    problems.sort_by(|left, right| left.position().cmp(&right.position()));
}

/// A layer's text, or why it cannot be read.
struct Text<'a> {
    source: String,
    bytes: Result<Cow<'a, [u8]>, Problem>,
}

impl<'a> Text<'a> {
    fn of((source, text): (&str, &'a str)) -> Text<'a> {
        Text {
            source: source.to_owned(),
            bytes: Ok(Cow::Borrowed(text.as_bytes())),
        }
    }

    fn parse(&self) -> Result<Vec<Node>, Problem> {
        match &self.bytes {
            Ok(bytes) => yaml::read_bytes(&self.source, bytes),
            Err(problem) => Err(problem.clone()),
        }
    }
}

struct Loader<'a> {
    /// `None` once it was read.
    stdin: Option<&'a mut dyn Read>,
    problems: Vec<Problem>,
}

impl Loader<'_> {
    /// The user's layers as they are read, the flags left out.
    fn texts<'t>(&mut self, inputs: &'t [Input]) -> Vec<Text<'t>> {
        let mut texts = Vec::new();
        for input in inputs {
            match input {
                Input::File(path) => texts.push(self.file(path)),
                Input::Builtin { name, text } => {
                    texts.push(Text::of((&format!("builtin:{name}"), text)));
                }
                _ => {}
            }
        }
        texts
    }

    fn file(&mut self, path: &Path) -> Text<'static> {
        let source = path.display().to_string();
        let bytes = self
            .read(path)
            .map_err(|message| Problem::error(format!("cannot read {source:?}: {message}")));
        Text {
            source,
            bytes: bytes.map(Cow::Owned),
        }
    }

    fn merged(&mut self, layers: Vec<Result<Vec<Node>, Problem>>) -> Option<Node> {
        let mut merged = None;
        for documents in layers {
            self.add_documents(&mut merged, documents);
        }
        merged
    }

    fn read(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        if path != Path::new("-") {
            return std::fs::read(path).map_err(|error| error.to_string());
        }
        let stdin = self
            .stdin
            .take()
            .ok_or("stdin can be read only once, and an earlier flag did")?;
        let mut bytes = Vec::new();
        stdin
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    fn add_documents(&mut self, merged: &mut Option<Node>, documents: Result<Vec<Node>, Problem>) {
        let documents = match documents {
            Ok(documents) => documents,
            Err(problem) => {
                self.problems.push(problem);
                return;
            }
        };
        for layer in documents {
            match layer.value {
                Value::Null => {}
                Value::Map(_) => {
                    *merged = Some(match merged.take() {
                        Some(earlier) => merge::over(earlier, layer),
                        None => layer,
                    });
                }
                other => self.problems.push(
                    Problem::error(format!(
                        "values must be a map, but this is {}",
                        other.type_name()
                    ))
                    .at(layer.origin),
                ),
            }
        }
    }

    fn flags(&mut self, inputs: &[Input], user: &mut Node) {
        for flag in [Flag::SetJson, Flag::Set, Flag::SetString, Flag::SetFile] {
            for text in inputs.iter().filter_map(|input| text_of(flag, input)) {
                let mut read = |path: &str| self.text_file(path);
                if let Err(problem) = set::apply(user, flag, text, &mut read) {
                    self.problems.push(problem);
                }
            }
        }
    }

    fn text_file(&mut self, path: &str) -> Result<String, String> {
        let bytes = self
            .read(Path::new(path))
            .map_err(|message| format!("cannot read {path:?}: {message}"))?;
        String::from_utf8(bytes).map_err(|_| format!("{path:?} is not UTF-8 text"))
    }
}

fn text_of(flag: Flag, input: &Input) -> Option<&str> {
    match (flag, input) {
        (Flag::Set, Input::Set(text))
        | (Flag::SetString, Input::SetString(text))
        | (Flag::SetFile, Input::SetFile(text))
        | (Flag::SetJson, Input::SetJson(text)) => Some(text),
        _ => None,
    }
}

fn empty(source: &str) -> Node {
    Node {
        value: Value::Map(Map::default()),
        origin: Origin::Place {
            source: Arc::from(source),
            line: 1,
            column: 1,
        },
    }
}

#[cfg(test)]
mod tests;
