//! Papers that are made from the program are up to date, and what papers say exists.
//!
//! `KUBEFARM_BLESS=1 cargo test --test it docs::` (or `make docs`) writes the generated ones anew.

mod comments;
mod dependencies;
mod images;
mod imports;
mod language_server;
mod literal_paths;
mod rooms;
mod schema;
mod schema_values;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::support::{kubefarm, project};

/// Compares a generated paper with what the program prints now, or writes it where that was asked for.
fn assert_fresh(file: &str, args: &[&str]) {
    let path = project().join(file);
    let now = kubefarm(args).success();
    if std::env::var_os("KUBEFARM_BLESS").is_some() {
        fs::write(path, now).expect("written");
        return;
    }
    let then = fs::read_to_string(path).unwrap_or_default();
    let line = then
        .lines()
        .zip(now.lines())
        .position(|(then, now)| then != now);
    let line = line.unwrap_or_else(|| then.lines().count().min(now.lines().count())) + 1;
    assert!(
        then == now,
        "{file} is out of date from line {line} on: run `make docs`"
    );
}

#[test]
fn the_schema_is_up_to_date() {
    assert_fresh("docs/kubefarm.schema.json", &["schema"]);
}

#[test]
fn the_reference_of_values_is_up_to_date() {
    assert_fresh("docs/values.md", &["schema", "-o", "markdown"]);
}

#[test]
fn the_reference_names_every_default() {
    let reference = kubefarm(["schema", "-o", "markdown"]).success();
    for (path, _) in schema::default_leaves() {
        let key = path.rsplit('.').next().expect("a key");
        let is_users_own = schema::is_free(&path);
        assert!(
            is_users_own
                || reference.contains(&format!("`{key}`"))
                || reference.contains(&format!("{key}[]")),
            "{path} is not in docs/values.md"
        );
    }
}

/// The project's Markdown files.
fn papers() -> Vec<(PathBuf, String)> {
    let folders = [".", "docs", "docs/decisions"].map(|folder| project().join(folder));
    let examples = fs::read_dir(project().join("examples")).expect("the examples");
    let examples = examples.map(|entry| entry.expect("an entry").path());
    let files = folders
        .into_iter()
        .chain(examples)
        .flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let files = files.map(|entry| entry.expect("an entry").path());
    let papers = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    papers
        .map(|path| (path.clone(), fs::read_to_string(path).expect("text")))
        .collect()
}

/// The words that follow a program's name in code, inline or in blocks.
fn commands(paper: &str, program: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in paper.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        let inline: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        let code = if in_block { vec![line] } else { inline };
        for piece in code {
            let mut words = piece.trim().trim_start_matches("$ ").split_whitespace();
            if words.next() == Some(program) {
                found.extend(words.next().map(str::to_owned));
            }
        }
    }
    found
}

/// Whether the program has a command, which its help may hide.
fn is_command(name: &str) -> bool {
    kubefarm([name, "--help"]).code() == 0
}

#[test]
fn papers_name_only_commands_that_exist() {
    let mut known = BTreeMap::new();
    let makefile = fs::read_to_string(project().join("Makefile")).expect("the Makefile");
    let mut seen = 0;
    for (path, paper) in papers() {
        for command in commands(&paper, "kubefarm") {
            let is_known = command.starts_with('-')
                || *known
                    .entry(command.clone())
                    .or_insert_with(|| is_command(&command));
            assert!(is_known, "{}: kubefarm {command}", path.display());
            seen += 1;
        }
        for target in commands(&paper, "make") {
            assert!(
                makefile.contains(&format!("\n{target}: ")),
                "{}: make {target}",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen} commands were found");
}

#[test]
fn papers_name_only_files_that_exist() {
    for (path, paper) in papers() {
        let folder = path.parent().expect("a folder");
        let links = paper
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let file = link.split('#').next().expect("a path");
            assert!(folder.join(file).exists(), "{}: {link}", path.display());
        }
    }
}

#[test]
fn the_makefile_lists_its_targets() {
    let makefile = fs::read_to_string(project().join("Makefile")).expect("the Makefile");
    let is_target = |line: &&str| {
        line.starts_with(|first: char| first.is_ascii_lowercase()) && line.contains(':')
    };
    for line in makefile.lines().filter(is_target) {
        assert!(line.contains(" ## "), "{line}");
    }
    for target in ["example", "test", "lint", "docs", "help"] {
        assert!(makefile.contains(&format!("\n{target}: ")), "{target}");
    }
}

#[test]
fn the_excerpt_in_the_readme_is_real_output() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- excerpt -->").unwrap();
    let (excerpt, _) = rest.split_once("<!-- /excerpt -->").unwrap();
    let layers = [
        "examples/generic/values.yaml",
        "examples/advanced_network/values.yaml",
    ];
    let rendered = kubefarm(["render", "-f", layers[0], "-f", layers[1]]).success();
    let count = format!("gives {} objects", rendered.matches("\nkind: ").count());
    assert!(excerpt.contains(&count), "the README should say: {count}");
    let blocks: Vec<&str> = excerpt.split("```").skip(1).step_by(2).collect();
    assert_eq!(blocks.len(), 1);
    for block in blocks {
        let text = block.strip_prefix("yaml\n").unwrap();
        assert!(rendered.contains(text), "not in the output:\n{text}");
    }
}
