use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::tree::{Node, Path, Value};
use super::super::yaml;
use super::{Flag, apply};

/// What Helm 3.22's `strvals` makes of each flag: flag, values before it, the flag's text, values after it.
const HELM: &str = include_str!("helm.tsv");

/// What Helm drops without a word, and we refuse.
const REFUSED_HERE: [&str; 7] = ["=1", ".a=1", "a.", "a[0]", "a[0].", "[0]=1", "m={a,b}"];

fn tree(text: &str) -> Node {
    let text = if text.is_empty() { "{}" } else { text };
    yaml::parse("base", text).unwrap().remove(0)
}

fn read(path: &str) -> Result<String, String> {
    match path {
        "missing" => Err("no such file".to_owned()),
        path => Ok(format!("<{path}>")),
    }
}

fn set(base: &str, flag: Flag, text: &str) -> Result<Json, String> {
    let mut tree = tree(base);
    match apply(&mut tree, flag, text, &mut read) {
        Ok(()) => Ok(Json::from(&tree)),
        Err(problem) => Err(problem.to_string()),
    }
}

#[test]
fn follows_helm() {
    let mut count = 0;
    for line in HELM.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [flag, base, text, expected] = columns.as_slice() else {
            panic!("{line}");
        };
        let flag = match *flag {
            "set" => Flag::Set,
            "set-string" => Flag::SetString,
            "set-file" => Flag::SetFile,
            "set-json" => Flag::SetJson,
            other => panic!("{other}"),
        };
        let base: String = serde_json::from_str(base).unwrap();
        let text: String = serde_json::from_str(text).unwrap();
        let found = set(&base, flag, &text);
        count += 1;
        if *expected == "!error" || REFUSED_HERE.contains(&text.as_str()) {
            assert!(found.is_err(), "{text:?}: {found:?}");
            continue;
        }
        let expected: Json = serde_json::from_str(expected).unwrap();
        let found = found.unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(
            same(&found, &expected),
            "{text:?}: {found} instead of {expected}"
        );
    }
    assert!(count > 170, "the table is gone");
}

/// Equal, but for Go's `1000` for `1e3`.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    let base = "s: text\nl: [a]";
    for (text, message) in [
        ("a.b", "the key \"b\" has no value, at character 3"),
        ("a..b=1", "a key is missing, at character 3"),
        (
            "é=1,s.k=1",
            "\"s\" is a string (base:1:4), not a map, at character 5",
        ),
        (
            "s[0]=1",
            "\"s\" is a string (base:1:4), not a list, at character 1",
        ),
        ("l[x]=1", "\"x\" is not a list index, at character 3"),
        (
            "l[-1]=1",
            "the list index -1 is not between 0 and 65536, at character 3",
        ),
        ("l[0", "an index must end with ], at character 3"),
        ("l[0]b=1", "unexpected \"b\" after an index, at character 5"),
        ("l[0]", "an index without a value, at character 5"),
        ("a={x,y", "a list must end with }, at character 4"),
        ("a=b\\", "a backslash with nothing after it, at character 4"),
    ] {
        let found = set(base, Flag::Set, text).unwrap_err();
        let key = text.rsplit(',').next().unwrap().split('=').next().unwrap();
        let key = if text == "a={x,y" { "a" } else { key };
        assert_eq!(found, format!("--set {key}: error: {message}"));
    }
}

#[test]
fn values_are_not_repeated() {
    let comma = "expected KEY=VALUE after the comma, at character 12 (write a comma inside of a value as \\,)";
    for (flag, text, message) in [
        (
            Flag::Set,
            "a.b=hunter,2",
            format!("--set a.b: error: {comma}"),
        ),
        (
            Flag::SetString,
            "a.b=hunter,2[",
            format!("--set-string a.b: error: {comma}"),
        ),
        (Flag::Set, "a\\=b=hunter,", "--set a\\=b".to_owned()),
        (Flag::Set, "a=hunter2,b.c[0]=2", "--set b.c[0]".to_owned()),
        (
            Flag::Set,
            "=hunter2",
            "--set: error: a key is missing, at character 1".to_owned(),
        ),
    ] {
        let mut tree = tree("");
        match apply(&mut tree, flag, text, &mut read) {
            Ok(()) => {
                let Value::Map(map) = &tree.value else {
                    panic!()
                };
                assert_eq!(map.last().unwrap().1.key_origin.to_string(), message);
            }
            Err(problem) => assert_eq!(problem.to_string(), message),
        }
    }
}

#[test]
fn a_key_of_json_stands_there_once() {
    for (text, place) in [
        ("{\"zz\":{\"a\":1,\"a\":2}}", "--set-json {…}"),
        ("{\"a\":1,\"a\":2}", "--set-json {…}"),
        ("zz=1,l=[{\"a\":1,\"a\":2}]", "--set-json l"),
    ] {
        let found = set("", Flag::SetJson, text).unwrap_err();
        let message = format!("{place}: error: duplicate key \"a\" at line 1");
        assert!(found.starts_with(&message), "{found}");
    }
}

#[test]
fn names_the_file_and_the_json_that_cannot_be_read() {
    let found = set("", Flag::SetFile, "a=f,b=missing").unwrap_err();
    assert_eq!(found, "--set-file b: error: no such file, at character 7");
    let found = set("", Flag::SetJson, "a=nope").unwrap_err();
    assert!(
        found.starts_with("--set-json a: error: not valid JSON: "),
        "{found}"
    );
    let found = set("", Flag::SetJson, "{\"a\":").unwrap_err();
    assert!(found.contains("not valid JSON"), "{found}");
}

#[test]
fn merges_a_whole_json_object() {
    let found = set(
        "a: {x: 1}\nb: 2",
        Flag::SetJson,
        " {\"a\": {\"y\": null}, \"c\": []}",
    )
    .unwrap();
    assert_eq!(found, json!({"a": {"x": 1, "y": null}, "b": 2, "c": []}));
}

#[test]
fn leaves_remember_the_flag() {
    let mut tree = tree("a: {x: 1, w: 2}\nl: [p, q]");
    apply(&mut tree, Flag::Set, "a.x=3,l[1]=r", &mut read).unwrap();
    let origin = |path: &Path| tree.get(path).unwrap().origin.to_string();
    assert_eq!(origin(&"a.x".into()), "--set a.x");
    assert_eq!(origin(&"a.w".into()), "base:1:14");
    assert_eq!(origin(&Path::from("l").join(0)), "base:2:5");
    assert_eq!(origin(&Path::from("l").join(1)), "--set l[1]");
}

#[test]
fn bounds_the_depth_of_a_key() {
    let brackets = format!("a{}=1", "[0]".repeat(100_000));
    assert!(
        set("", Flag::Set, &brackets)
            .unwrap_err()
            .contains("deeper than 128")
    );
    let mixed = format!("a{}=1", "[0].a".repeat(100_000));
    assert!(set("", Flag::Set, &mixed).is_err());
}

fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|character| ['\\', character])
        .collect()
}

proptest! {
    #[test]
    fn sets_what_was_escaped(
        names in prop::collection::vec("[a-z.=,\\[\\]{}\\\\ é]{1,6}", 1..5),
        index in prop::option::of(0_usize..4),
        value in "[^\0]{0,12}",
    ) {
        let key: Vec<String> = names.iter().map(|name| escaped(name)).collect();
        let mut text = key.join(".");
        let mut path = Path(names.iter().map(|name| name.as_str().into()).collect());
        if let Some(index) = index {
            text.push_str(&format!("[{index}]"));
            path = path.join(index);
        }
        let text = format!("{text}={}", escaped(&value));
        let mut tree = tree("");
        apply(&mut tree, Flag::SetString, &text, &mut read).unwrap();
        prop_assert_eq!(&tree.get(&path).unwrap().value, &Value::String(value));
    }

    #[test]
    fn never_panics(text in "[ab01.=,\\[\\]{}\\\\\" -]{0,24}", flag in 0..4) {
        let flag = [Flag::Set, Flag::SetString, Flag::SetFile, Flag::SetJson][flag as usize];
        let _ = set("a: [1, {b: c}]\nb: {a: x}", flag, &text);
    }
}
