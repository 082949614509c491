//! The modules of `src` and what they import of each other, tests left out. A file is a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::support::project;

/// A path from the crate's root: `["cluster", "client", "api"]`.
pub type Path = Vec<String>;

/// How many names that stand for other names a path may lead over.
const MOST_NAMES: usize = 10;

/// The modules, by their paths.
pub struct Modules(BTreeMap<Path, Module>);

struct Module {
    /// What the module's `use` lines call other things.
    names: BTreeMap<String, Path>,
    /// All paths into the crate that are written in it.
    paths: BTreeSet<Path>,
}

impl Modules {
    /// Reads the modules that are reached from `lib.rs`.
    pub fn read() -> Modules {
        let mut tokens = BTreeMap::new();
        let mut to_read = vec![Path::new()];
        while let Some(module) = to_read.pop() {
            let words = code(&module);
            to_read.extend(declared(&words).map(|name| joined(&module, &[name])));
            tokens.insert(module, words);
        }
        let known: BTreeSet<Path> = tokens.keys().cloned().collect();
        let read = |(module, words): (Path, Vec<String>)| {
            let found = Module::of(&module, &words, &known);
            (module, found)
        };
        Modules(tokens.into_iter().map(read).collect())
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys()
    }

    /// Which module imports which other one.
    pub fn imports(&self) -> BTreeSet<(Path, Path)> {
        let mut imports = BTreeSet::new();
        for (module, found) in &self.0 {
            let owners = found.paths.iter().map(|path| self.owner(path, MOST_NAMES));
            imports.extend(owners.map(|owner| (module.clone(), owner)));
        }
        imports.retain(|(module, owner)| module != owner);
        imports
    }

    /// The module that has what a path leads to, behind all names that others give it.
    fn owner(&self, path: &[String], names: usize) -> Path {
        let is_module = |length: &usize| self.0.contains_key(&path[..*length]);
        let length = (0..=path.len()).take_while(is_module).last().unwrap_or(0);
        let (module, rest) = path.split_at(length);
        let renamed = rest.first().and_then(|name| self.0[module].names.get(name));
        match renamed {
            Some(target) if names > 0 && target[..] != path[..=length] => {
                self.owner(&joined(target, &rest[1..]), names - 1)
            }
            _ => module.to_vec(),
        }
    }
}

/// The words of a module's file: names, literals, and signs, of which `::` is one.
pub fn code(module: &[String]) -> Vec<String> {
    let tokens: TokenStream = source(module).parse().expect("Rust");
    let mut words = Vec::new();
    add_words(tokens, &mut words);
    without_tests(&words)
}

fn source(module: &[String]) -> String {
    let src = project().join("src");
    let below = src.join(module.join("/"));
    let files = if module.is_empty() {
        vec![src.join("lib.rs")]
    } else {
        vec![below.with_extension("rs"), below.join("mod.rs")]
    };
    let found = files.iter().find(|file| file.is_file());
    let file = found.unwrap_or_else(|| panic!("no file of the module {module:?}"));
    fs::read_to_string(file).expect("a source file")
}

fn joined(start: &[String], end: &[String]) -> Path {
    [start, end].concat()
}

impl Module {
    fn of(module: &Path, words: &[String], known: &BTreeSet<Path>) -> Module {
        let mut found = Module {
            names: BTreeMap::new(),
            paths: BTreeSet::new(),
        };
        let uses = words.iter().enumerate().filter(|(_, word)| *word == "use");
        for (at, _) in uses {
            let mut tree = Vec::new();
            use_tree(&words[at + 1..], Path::new(), &mut tree);
            for (name, path) in tree {
                if let Some(path) = from_root(module, &path, known) {
                    found.paths.insert(path.clone());
                    found.names.insert(name, path);
                }
            }
        }
        for at in 0..words.len() {
            let path = path_at(words, at);
            let is_start = at == 0 || words[at - 1] != "::";
            if path.len() < 2 || !is_start {
                continue;
            }
            let named = found.names.get(&path[0]);
            let named = named.map(|start| joined(start, &path[1..]));
            found
                .paths
                .extend(named.or_else(|| from_root(module, &path, known)));
        }
        found
    }
}

/// A path as it is written in a module, from the crate's root; `None` where it leads into another crate.
fn from_root(module: &[String], path: &[String], known: &BTreeSet<Path>) -> Option<Path> {
    let ups = path.iter().take_while(|word| *word == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some(joined(module, &path[1..])),
        "super" => Some(joined(&module[..module.len() - ups], &path[ups..])),
        _ => {
            let child = joined(module, &path[..1]);
            known.contains(&child).then(|| joined(module, path))
        }
    }
}

/// The names that a `use` gives, with their paths, and how many words of it were read.
fn use_tree(words: &[String], start: Path, found: &mut Vec<(String, Path)>) -> usize {
    let mut path = start;
    let mut at = 0;
    loop {
        match words[at].as_str() {
            "{" => {
                at += 1;
                while words[at] != "}" {
                    at += use_tree(&words[at..], path.clone(), found);
                    at += usize::from(words[at] == ",");
                }
                return at + 1;
            }
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        at += 1;
        if words[at] != "::" {
            break;
        }
        at += 1;
    }
    let is_renamed = words[at] == "as";
    let name = if is_renamed {
        &words[at + 1]
    } else {
        &path[path.len() - 1]
    };
    found.push((name.clone(), path.clone()));
    at + if is_renamed { 2 } else { 0 }
}

/// The path that begins with a word: names with `::` between.
fn path_at(words: &[String], at: usize) -> Path {
    let mut path = Path::new();
    let mut rest = words[at..].iter();
    while let Some(word) = rest.next().filter(|word| is_name(word)) {
        path.push(word.clone());
        if rest.next().is_none_or(|next| next != "::") {
            break;
        }
    }
    path
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The modules that `mod NAME;` declares.
fn declared(words: &[String]) -> impl Iterator<Item = String> {
    words.windows(3).filter_map(|words| match words {
        [word, name, end] if word == "mod" && end == ";" => Some(name.clone()),
        _ => None,
    })
}

/// The words without those under `#[cfg(test)]`.
fn without_tests(words: &[String]) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        if rest.len() >= MARK.len() && rest.iter().zip(MARK).all(|(word, mark)| word == mark) {
            rest = behind_item(&rest[MARK.len()..]);
        } else {
            kept.push(word.clone());
            rest = behind;
        }
    }
    kept
}

/// What follows an item: it ends with a semicolon, or with the brace that closes its body.
fn behind_item(words: &[String]) -> &[String] {
    let mut depth = 0;
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && [";", "}"].contains(&word.as_str()) {
            return &words[at + 1..];
        }
    }
    &[]
}

fn add_words(tokens: TokenStream, words: &mut Vec<String>) {
    let mut follows_colon = false;
    for token in tokens {
        let mut is_colon = false;
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.push(open.to_owned());
                add_words(group.stream(), words);
                words.push(close.to_owned());
            }
            TokenTree::Punct(sign) if sign.as_char() == ':' && follows_colon => {
                words.pop();
                words.push("::".to_owned());
            }
            TokenTree::Punct(sign) => {
                is_colon = sign.as_char() == ':' && sign.spacing() == Spacing::Joint;
                words.push(sign.to_string());
            }
            other => words.push(other.to_string()),
        }
        follows_colon = is_colon;
    }
}
