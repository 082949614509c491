//! What `deny.toml` asks of dependencies, as far as that takes no cargo-deny: licences, sources, and crates that are
//! banned. Advisories come over the network, and are for `cargo deny check advisories`.

use std::process::Command;

use serde_json::Value;

use crate::support::{project, run};

fn policy() -> toml::Table {
    let text = std::fs::read_to_string(project().join("deny.toml")).expect("deny.toml");
    text.parse().expect("TOML")
}

fn texts(policy: &toml::Table, table: &str, key: &str) -> Vec<String> {
    let list = policy[table][key].as_array().expect("a list").iter();
    let texts = list.map(|text| text.as_str().expect("text").to_owned());
    texts.collect()
}

/// Every package that a build for Linux takes, tests included, and who depends on whom.
fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").expect("run by cargo");
    let mut command = Command::new(cargo);
    command.current_dir(project()).args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform=x86_64-unknown-linux-gnu",
    ]);
    serde_json::from_str(&run(&mut command).success()).expect("JSON")
}

/// The parts of an SPDX expression between a word that is outside of parentheses.
fn parts<'a>(expression: &'a str, word: &str) -> Vec<&'a str> {
    let (mut depth, mut start) = (0, 0);
    let mut parts = Vec::new();
    for (at, character) in expression.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && expression[at..].starts_with(word) => {
                parts.push(&expression[start..at]);
                start = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    parts
}

/// Whether an SPDX expression can be met with the licences that are allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.trim();
    let inside = expression
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    match (parts(expression, " OR "), parts(expression, " AND ")) {
        (any, _) if any.len() > 1 => any.iter().any(|one| is_allowed(one, allowed)),
        (_, all) if all.len() > 1 => all.iter().all(|one| is_allowed(one, allowed)),
        _ => match inside {
            Some(inside) => is_allowed(inside, allowed),
            None => allowed.iter().any(|one| one == expression),
        },
    }
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("(ISC AND GPL-3.0) OR Apache-2.0 WITH LLVM-exception", true),
        ("MIT AND ISC OR GPL-3.0", true),
        ("MIT AND (ISC AND GPL-3.0)", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn every_dependency_is_one_that_the_policy_allows() {
    let (policy, metadata) = (policy(), metadata());
    let licences = texts(&policy, "licenses", "allow");
    let sources = texts(&policy, "sources", "allow-registry");
    let packages = metadata["packages"].as_array().expect("a list");
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages.iter().filter(|one| one["name"] != "kubefarm") {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_default();
        let licence = licence.replace('/', " OR ");
        assert!(is_allowed(&licence, &licences), "{name}: {licence}");
        let source = package["source"].as_str().unwrap_or_default();
        let is_known = sources
            .iter()
            .any(|one| source == format!("registry+{one}"));
        assert!(is_known, "{name}: {source}");
    }
    let name = |id: &Value| {
        let package = packages.iter().find(|package| package["id"] == *id);
        package.and_then(|package| package["name"].as_str())
    };
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a list");
    for banned in policy["bans"]["deny"].as_array().expect("a list") {
        let banned_name = banned["crate"].as_str();
        let wrappers = banned["wrappers"].as_array().expect("a list");
        let users = nodes.iter().filter(|node| {
            let dependencies = node["dependencies"].as_array().expect("a list");
            dependencies.iter().any(|id| name(id) == banned_name)
        });
        for user in users.map(|node| name(&node["id"])) {
            let is_wrapper = wrappers.iter().any(|one| one.as_str() == user);
            assert!(is_wrapper, "{user:?}: {banned}");
        }
    }
}
