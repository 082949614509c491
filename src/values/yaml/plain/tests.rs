use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;

use serde_json::Value as Json;

use super::super::builder::Builder;
use super::super::{plain_json, read_whole_grammar};
use super::read;

/// Every YAML file below a folder of the project.
fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                files.push(path);
            }
        }
    }
    files
}

/// Whether a text was read, and as the whole grammar reads it: with its places, and as JSON.
#[track_caller]
fn is_read(text: &str) -> bool {
    let json = plain_json(text);
    let Some(builder) = read(text, Builder::new("f")) else {
        assert_eq!(json, None, "{text}");
        return false;
    };
    let documents: Vec<Json> = builder.documents.iter().map(Json::from).collect();
    assert_eq!(json, Some(documents), "{text}");
    assert_eq!(
        Ok(builder.documents),
        read_whole_grammar("f", text),
        "{text}"
    );
    true
}

#[test]
fn files_of_the_project_read_as_by_the_whole_grammar() {
    for folder in ["charts", "examples", "values", "tests"] {
        for path in yaml_files(folder) {
            if let Ok(text) = fs::read_to_string(&path) {
                is_read(&text);
            }
        }
    }
}

#[test]
fn the_defaults_are_plain() {
    for path in yaml_files("charts") {
        if path.ends_with("values.yaml") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(is_read(&text), "{}", path.display());
        }
    }
}

#[test]
fn what_templates_and_values_files_have_is_plain() {
    for text in [
        "",
        "# nothing\n",
        "a: 1\n",
        "\n---\na: b\n---\nc: d\n",
        "a:\n  b:\n  - c: 1\n    d: \"2\"\n  - - e\n    - f\ng: {h: [1, 'x y', {}], \"i\": []} # j\n",
        "a: # b\n- --c=d # e\n- f#g\n- \"\u{e000}12\"\n- -1\n",
        "\"a\": http://b:80/c?d\nl.m/n-o: p, [q]\n",
        "a:\nb:\n  c:\n  d: # e\nf:\n- g:\n- h:\n  i:\n---\nj:",
        "- [a, --b, /c, -1]\n",
        "  a: bé\n  c: [\"é\", d]\n",
    ] {
        assert!(is_read(text), "{text}");
    }
}

#[test]
fn what_takes_the_whole_grammar_is_left_to_it() {
    for text in [
        "a: |\n  b\n",
        "a: b\n  c\n",
        "a:\n  b\n",
        "a: b: c\n",
        "a: \"b\\n\"\n",
        "a: 'b''c'\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !!str 1\n",
        "a: [b,\n  c]\n",
        "a: [b, ]\n",
        "a: {b}\n",
        "a:\tb\n",
        "a: b\r\n",
        "<<: {a: b}\n",
        "a: 1\na: 2\n",
        "- a\nb: c\n",
        "a\n",
        "-\n  a: b\n",
        "---\n---\n",
        "-\n- a\n",
        "--- a: b\n",
        "a: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a: \u{2028}b\n",
        "a: b\n b: c\n",
        "a:\n    b: c\n  d: e\n",
    ] {
        assert!(!is_read(text), "{text}");
    }
}

#[test]
fn nesting_has_no_bottom_here() {
    for text in [
        "[".repeat(20_000),
        "- ".repeat(20_000),
        "{a: ".repeat(20_000),
    ] {
        assert!(!is_read(&text));
    }
}

/// Pieces of lines, likely and unlikely ones.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "c-d",
        "a: ",
        "b: ",
        "c:",
        "\"a\": ",
        "'b': ",
        "- ",
        "-",
        "--x",
        "1",
        "0x1f",
        "no",
        "~",
        "null",
        "\"x\"",
        "'y'",
        "'",
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        ":",
        ": ",
        " #",
        "#",
        " # d",
        " ",
        "  ",
        "---",
        "...",
        "%",
        "|",
        ">",
        "&a",
        "*a",
        "!",
        "?",
        "? ",
        "@",
        "`",
        "<<",
        "<<: ",
        "=",
        "é",
        "\u{e000}0",
        "\t",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "[a, b]",
        "{a: b}",
        "{\"a\": [1]}",
        "[]",
        "{}",
        "1:30",
        "-1",
        "+1",
        ".5",
        "$(x)",
        "a b",
        "http://a:80",
    ])
}

fn line() -> impl Strategy<Value = String> {
    let pieces = vec(piece(), 0..5).prop_map(|pieces| pieces.concat());
    let likely = (prop::sample::select(vec!["", "- "]), "[a-c]", piece())
        .prop_map(|(dash, key, value)| format!("{dash}{key}: {value}"));
    let opening = (prop::sample::select(vec!["", "- "]), "[a-c]")
        .prop_map(|(dash, key)| format!("{dash}{key}:"));
    let text = prop_oneof![2 => pieces, 4 => likely, 3 => opening, 2 => Just("- x".to_owned())];
    (0..4_usize, text).prop_map(|(indent, text)| format!("{}{text}", "  ".repeat(indent)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_is_read_reads_so_by_the_whole_grammar(lines in vec(line(), 0..7)) {
        is_read(&lines.join("\n"));
    }

    #[test]
    fn one_line_too(pieces in vec(piece(), 0..7)) {
        is_read(&format!("a: {}\n", pieces.concat()));
        is_read(&format!("- {}\n", pieces.concat()));
        is_read(&pieces.concat());
    }
}
