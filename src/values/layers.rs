//! Files, embedded layers and flags, in Helm's order, become one tree.

mod emptiness;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::merge::{self, Removed};
use super::problem::{Problem, Severity};
use super::set::{self, Flag};
use super::tree::{Node, Origin, Path as ValuePath, Value};
use super::yaml;

/// A source of values on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// `-f PATH`; `-` is stdin.
    File(PathBuf),
    /// `-f builtin:NAME`, with the embedded text.
    Builtin { name: String, text: String },
    /// A file with another text than it has now.
    Text { source: String, text: String },
    /// `--set`
    Set(String),
    /// `--set-string`
    SetString(String),
    /// `--set-file`
    SetFile(String),
    /// `--set-json`
    SetJson(String),
}

/// The values that all layers are merged over.
pub struct Defaults<'a> {
    /// `(source, text)` of each layer.
    pub layers: Vec<(&'a str, &'a str)>,
    /// Whether the map at a path is a section, which null cannot remove: a map with known keys.
    pub is_section: fn(&ValuePath) -> bool,
}

/// The result of all layers.
#[derive(Debug)]
pub struct Loaded {
    pub tree: Node,
    /// The defaults that null removed.
    pub removed: Vec<Removed>,
    /// Warnings about the layers.
    pub warnings: Vec<Problem>,
    /// Errors about empty input: no values but the defaults, or a layer that is empty. The user can allow it.
    pub empty: Vec<Problem>,
}

/// The limit for one file. The values of 100,000 nodes have a tenth of it.
pub const MAX_BYTES: u64 = 64 << 20;

/// Reads all layers and merges them.
///
/// The user's files come in the order given, each document of a file a layer of its own; documents without content are
/// skipped, and so are top-level keys [for other programs](is_for_other_programs). Flags come after all files, whatever the order
/// they were typed in: `--set-json`, `--set`, `--set-string`, `--set-file` (Helm's `values.Options.MergeValues`). Flags
/// see the user's files, not the defaults: setting one element of a list that only the defaults have starts a new list.
/// The result is merged over the defaults; see [`merge`] for the rules and for null.
///
/// The root is always a map, with the origin of the first layer.
///
/// # Errors
///
/// Every layer that cannot be read or is not a map; where all can be, every flag that cannot be applied.
pub fn load(defaults: &Defaults<'_>, inputs: &[Input]) -> Result<Node, Vec<Problem>> {
    load_with_removed(defaults, inputs).map(|loaded| loaded.tree)
}

/// As [`load`], with what null removed.
///
/// # Errors
///
/// As [`load`].
pub fn load_with_removed(
    defaults: &Defaults<'_>,
    inputs: &[Input],
) -> Result<Loaded, Vec<Problem>> {
    load_with_stdin(defaults, inputs, &mut std::io::stdin().lock())
}

/// As [`load_with_removed`], with the input that `-` reads.
pub fn load_with_stdin(
    defaults: &Defaults<'_>,
    inputs: &[Input],
    stdin: &mut dyn Read,
) -> Result<Loaded, Vec<Problem>> {
    let mut loader = Loader {
        stdin: Some(stdin),
        problems: Vec::new(),
    };
    let own = defaults.layers.iter().map(|layer| Text::of(*layer));
    let own = own.map(|text| text.parse()).collect();
    let texts = loader.texts(inputs);
    let layers: Vec<_> = texts.iter().map(|text| loader.layers(text)).collect();
    let defaults_tree = loader.merged(own);
    let user = loader.merged(layers);
    loader.fail()?;
    let empty = emptiness::found(inputs, &texts, user.is_some());
    let mut user = user.unwrap_or_else(|| empty_map("values"));
    loader.flags(inputs, &mut user);
    loader.fail()?;
    let warnings = &mut loader.problems;
    let (tree, removed) = match defaults_tree {
        Some(tree) => merge::over_defaults(tree, user, defaults.is_section, warnings),
        None => (user, Vec::new()),
    };
    Ok(Loaded {
        tree,
        removed,
        warnings: loader.problems,
        empty,
    })
}

/// Points problems about removed defaults at the `null` that removed them, and sorts all problems again.
pub fn put_at_nulls(problems: &mut [Problem], removed: &[Removed]) {
    for problem in problems.iter_mut() {
        let Some(path) = &problem.path else { continue };
        let null = removed
            .iter()
            .find(|removed| path.0.starts_with(&removed.path.0));
        if let Some(null) = null {
            problem.origin = Some(null.origin.clone());
            let help = || match &null.default {
                Some(default) => {
                    format!("null removed the default {default}; leave the key out to keep it")
                }
                None => "a default was removed with null".to_owned(),
            };
            problem.help.get_or_insert_with(help);
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

    fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
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
    /// The texts of the user's files and embedded layers, without flags.
    fn texts<'t>(&mut self, inputs: &'t [Input]) -> Vec<Text<'t>> {
        let mut texts = Vec::new();
        for input in inputs {
            match input {
                Input::File(path) => texts.push(self.file(path)),
                Input::Builtin { name, text } => {
                    texts.push(Text::of((&format!("builtin:{name}"), text)));
                }
                Input::Text { source, text } => texts.push(Text::of((source, text))),
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

    /// The documents of a text, without keys for other programs.
    fn layers(&mut self, text: &Text<'_>) -> Result<Vec<Node>, Problem> {
        let mut documents = text.parse()?;
        documents.retain_mut(|document| {
            if let Value::Map(map) = &mut document.value {
                map.retain(|key, _| !is_for_other_programs(key));
            }
            !matches!(&document.value, Value::Map(map) if map.is_empty())
                && document.value != Value::Null
        });
        let are_maps = documents
            .iter()
            .all(|document| matches!(document.value, Value::Map(_)));
        if let ([_, second, ..], true) = (documents.as_slice(), are_maps) {
            let message = format!(
                "this file has {} documents, each merged over those before it",
                documents.len()
            );
            let warning = Problem::warning(message).at(second.origin.clone());
            let help = "Helm 3 reads only the first, Helm 4 reads all";
            self.problems.push(warning.help(help));
        }
        Ok(documents)
    }

    /// The problems so far, if one of them is an error.
    fn fail(&mut self) -> Result<(), Vec<Problem>> {
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        if self.problems.iter().any(is_error) {
            Err(std::mem::take(&mut self.problems))
        } else {
            Ok(())
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
            let mut file = File::open(path).map_err(|error| error.to_string())?;
            return read_all(&mut file);
        }
        let stdin = self
            .stdin
            .take()
            .ok_or("stdin can be read only once, and an earlier flag reads it")?;
        read_all(stdin)
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
                        Some(earlier) => merge::over(earlier, layer, &mut self.problems),
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

/// Reads to the end, but at most [`MAX_BYTES`]: a device may have no end.
fn read_all(reader: &mut dyn Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut limited = reader.take(MAX_BYTES + 1);
    limited
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        Err(format!(
            "it has more than {} MiB, the limit for values",
            MAX_BYTES >> 20
        ))
    } else {
        Ok(bytes)
    }
}

/// Whether a top-level key is not a value: `x-NAME` and `.NAME` hold content for anchors (as in Compose files and in
/// GitLab's), `$schema` names the schema for an editor.
pub fn is_for_other_programs(key: &str) -> bool {
    key == "$schema" || key.starts_with("x-") || key.starts_with('.')
}

fn empty_map(source: &str) -> Node {
    let origin = Origin::Place {
        source: Arc::new(source.to_owned()),
        line: 1,
        column: 1,
    };
    Node::new(Value::Map(Box::default()), origin)
}

#[cfg(test)]
mod tests;
