use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::tree::{Node, Path, Value};
use super::{MAX_DEPTH, lines, parse, read_bytes};

fn all(text: &str) -> Vec<Json> {
    let documents = parse("f", text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    documents.iter().map(Json::from).collect()
}

fn one(text: &str) -> Json {
    let mut documents = all(text);
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

fn fault(text: &str) -> String {
    match parse("f", text) {
        Ok(documents) => panic!("no problem in {text:?}: {documents:?}"),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn nodes_know_their_places() {
    let node = parse(
        "f",
        "a:\n  b: [1, 'x']\n  \"c\": |\n    text\nd:\n- e: é\n  f:   &x g\n",
    )
    .unwrap()
    .remove(0);
    let place = |path: Path| node.get(&path).expect("a node").origin.to_string();
    assert_eq!(place(Path::default()), "f:1:1");
    assert_eq!(place("a".into()), "f:2:3");
    assert_eq!(place("a.b".into()), "f:2:6");
    assert_eq!(place(Path::from("a.b").join(1)), "f:2:10");
    // A block starts where its text does.
    assert_eq!(place("a.c".into()), "f:4:5");
    assert_eq!(place(Path::from("d").join(0).join("e")), "f:6:6");
    assert_eq!(place(Path::from("d").join(0).join("f")), "f:7:11");
    let Some(Node {
        value: Value::Map(map),
        ..
    }) = node.get(&"a".into())
    else {
        panic!("no map");
    };
    assert_eq!(map["b"].key_origin.to_string(), "f:2:3");
    assert_eq!(map["c"].key_origin.to_string(), "f:3:3");
}

#[test]
fn documents_of_a_stream() {
    assert_eq!(
        all("a: 1\n---\n---\n# nothing\n---\nb: 2\n...\n"),
        [json!({"a": 1}), json!(null), json!(null), json!({"b": 2})]
    );
    assert_eq!(all(""), [] as [Json; 0]);
    assert_eq!(all("# nothing\n"), [] as [Json; 0]);
    assert_eq!(one("---\n"), json!(null));
}

#[test]
fn files_as_people_have_them() {
    assert_eq!(one("router:\t10.28.0.1\n"), json!({"router": "10.28.0.1"}));
    assert_eq!(
        one("a:\t\t1\nb:  \t'x'\t# tabs\n"),
        json!({"a": 1, "b": "x"})
    );
    assert_eq!(
        one("a: 1\r\nb: |\r\n  x\r\n  z\r\nc:\r\n- d\r\n"),
        json!({"a": 1, "b": "x\nz\n", "c": ["d"]})
    );
    assert_eq!(one("a: |\n  x"), json!({"a": "x"}));
    assert_eq!(one("%YAML 1.1\n---\na: yes\n"), json!({"a": true}));
    assert_eq!(
        one("all: {28: 10.0.0.255}\n"),
        json!({"all": {"28": "10.0.0.255"}})
    );
    assert_eq!(
        one("{\"a\": [1, 2.5, null, true], \"b\": {}}"),
        json!({"a": [1, 2.5, null, true], "b": {}})
    );
    let tree = read_bytes("f", b"\xEF\xBB\xBFa: 1\n").unwrap().remove(0);
    assert_eq!(Json::from(&tree), json!({"a": 1}));
}

#[test]
fn anchors_aliases_and_merge_keys() {
    assert_eq!(
        one("a: &x {k: [1]}\nb: *x\nc: &s text\n*s : d"),
        json!({"a": {"k": [1]}, "b": {"k": [1]}, "c": "text", "text": "d"})
    );
    assert_eq!(
        one(
            "a: &a {x: 1, w: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n  w: 3\nd: {w: 4, <<: *a}\n"
        ),
        json!({"a": {"x": 1, "w": 1}, "b": {"x": 2, "z": 2}, "c": {"w": 3, "x": 1, "z": 2}, "d": {"w": 4, "x": 1}})
    );
    assert_eq!(one("'<<': text"), json!({"<<": "text"}));
    assert_eq!(
        one("&k key: 1\nother: *k"),
        json!({"key": 1, "other": "key"})
    );
    assert!(fault("<<: text").starts_with("f:1:5: error: << takes a map"));
    assert!(fault("<<: [text]").starts_with("f:1:5: error: << takes a map"));
}

#[test]
fn tags() {
    assert_eq!(
        one(
            "[!!str 1, !!int '7', !!float 1, !!bool 'yes', !!null '', !!str {a: b}]"
                .replace(", !!str {a: b}", "")
                .as_str()
        ),
        json!(["1", 7, 1, true, null])
    );
    assert_eq!(one("!!map {!!str 1: !!seq [a]}"), json!({"1": ["a"]}));
    for (text, message) in [
        ("a: !!int x", "f:1:4: error: \"x\" is not an int"),
        (
            "a: !!binary aGk=",
            "f:1:4: error: this tag has no meaning here",
        ),
        ("a: !secret x", "f:1:4: error: this tag has no meaning here"),
        (
            "a: !secret {}",
            "f:1:4: error: this tag has no meaning here",
        ),
        (
            "a: !!seq {}",
            "f:1:4: error: the tag !!seq does not fit a map",
        ),
        (
            "!!map [1]",
            "f:1:4: error: the tag !!map does not fit a list",
        ),
        (
            "a: !!map b",
            "f:1:4: error: the tag !!map does not fit a text",
        ),
        (
            "!!int 1: b",
            "f:1:4: error: the tag !!int does not fit a key",
        ),
        ("!x a: b", "f:1:1: error: this tag has no meaning here"),
    ] {
        let found = fault(text);
        // Where a tag stands before its value, either place is right.
        let found_message = found.split(": ").skip(1).collect::<Vec<_>>().join(": ");
        let message = message.split(": ").skip(1).collect::<Vec<_>>().join(": ");
        assert!(found_message.starts_with(&message), "{text}: {found}");
        assert!(found.starts_with("f:1:"), "{found}");
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    for (text, message) in [
        (
            "a: 1\nb: 2\na: 3\n",
            "f:3:1: error: duplicate key \"a\", first written at f:1:1",
        ),
        (
            "'1': a\n1: b\n",
            "f:2:1: error: duplicate key \"1\", first written at f:1:1",
        ),
        (
            "on: 1",
            "f:1:1: error: a key must be text, but \"on\" without quotes is the boolean true (write the key as \"on\")",
        ),
        (
            "a:\n  ~: 1",
            "f:2:3: error: a key must be text, but \"~\" without quotes is null",
        ),
        (
            "1.5: 1",
            "f:1:1: error: a key must be text, but \"1.5\" without quotes is the number 1.5",
        ),
        (
            "0x10: 1",
            "f:1:1: error: a key must be text, but \"0x10\" without quotes is the number 16",
        ),
        (".nan: 1", "f:1:1: error: a key must be text"),
        (
            "{a: b}: 1",
            "f:1:1: error: a key must be text, not a map or a list",
        ),
        (
            "? [a]\n: 1",
            "f:1:3: error: a key must be text, not a map or a list",
        ),
        (
            "a: &x 1\n*x : 2",
            "f:2:1: error: a key must be text, not a number",
        ),
        ("a: .inf", "f:1:4: error: .inf is not a number in JSON"),
        (
            "a: *x",
            "f:1:4: error: there is no anchor for this alias above it",
        ),
        (
            "a: &x [*x]",
            "f:1:8: error: this alias is inside of its own anchor",
        ),
        ("a: b: c", "f:1:5: error: not valid YAML: "),
        ("a: 'b", "f:1:4: error: not valid YAML: "),
        (
            "a:\n\tb: 1",
            "f:2:1: error: not valid YAML: a tab in the indentation (indent with spaces)",
        ),
        (
            "a:\n  b: 1\n\n \tc: 2",
            "f:4:2: error: not valid YAML: a tab in the indentation",
        ),
        (
            "a: >\n  b\n\tc\nd: 1",
            "f:3:1: error: not valid YAML: a tab in the indentation",
        ),
        (
            "a: |\n\tb",
            "f:2:1: error: not valid YAML: a tab in the indentation",
        ),
        ("a: \"b\n\tc\"\nd: [", "f:3:4: error: not valid YAML: "),
        (
            ": b",
            "f:1:1: error: a key must be text, but this one is empty",
        ),
        (
            "a: {: b}",
            "f:1:5: error: a key must be text, but this one is empty",
        ),
        (
            "? \n: b",
            "f:2:1: error: a key must be text, but this one is empty",
        ),
        (
            "a: &x {}\nb:\n  <<: *x\n  c: 1\n  <<: *x",
            "f:5:3: error: duplicate key \"<<\", first written at f:3:3",
        ),
        (
            "a: b\n c: d",
            "f:2:2: error: not valid YAML: indented deeper than",
        ),
        ("a: 1\nb: \0", "f:2:4: error: a NUL character"),
    ] {
        let found = fault(text);
        assert!(found.starts_with(message), "{text:?}: {found}");
    }
}

#[test]
fn every_line_break_of_yaml_ends_a_line() {
    for text in ["a: 1\rb: *x", "a: 1\r\nb: *x", "a: 1\nb: *x"] {
        assert!(fault(text).starts_with("f:2:4: error: there is no anchor for this alias"));
        assert_eq!(lines(text).collect::<Vec<_>>(), ["a: 1", "b: *x"]);
    }
    assert_eq!(lines("a\r\r\n").collect::<Vec<_>>(), ["a", "", ""]);
}

#[test]
fn anchors_end_with_their_document() {
    assert!(
        fault("a: &x 1\n---\nb: *x").starts_with("f:3:4: error: there is no anchor for this alias")
    );
}

#[test]
fn says_where_text_ends_and_bytes_begin() {
    let found = read_bytes("f", b"a: b\nc: \xC3\xA9\xFF\n")
        .unwrap_err()
        .to_string();
    assert!(found.starts_with("f:2:5: error: not UTF-8 text"), "{found}");
    let found = read_bytes("f", b"a: b\rc: d\r\ne: \0").unwrap_err();
    assert!(found.to_string().starts_with("f:3:4: error: a NUL"));
    let found = read_bytes("f", b"\xFF\xFEa\0").unwrap_err().to_string();
    assert!(found.starts_with("f:1:1: error: not UTF-8 text"), "{found}");
    let found = read_bytes("f", b"\x7fELF\x02\0").unwrap_err().to_string();
    assert!(
        found.starts_with("f:1:6: error: a NUL character"),
        "{found}"
    );
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert!(fault(&text).contains("aliases expand to more than 1000000 values"));
    let heavy = format!(
        "a: &a \"{}\"\nb: [{}]\n",
        "x".repeat(1_000_000),
        "*a, ".repeat(1_000)
    );
    assert!(fault(&heavy).contains("aliases expand to more than"));
}

#[test]
fn anchors_around_anchors_are_bounded() {
    let list = |items: usize, anchors: usize| {
        let opened: String = (0..anchors).map(|level| format!("&a{level} [")).collect();
        format!("a: {opened}{}{}", "x, ".repeat(items), "]".repeat(anchors))
    };
    assert_eq!(all(&list(100_000, 9)).len(), 1);
    assert!(fault(&list(100_000, 10)).starts_with("f:1:8: error: anchors hold more than 1000000"));
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!("{}x{}", open.repeat(10_000), close.repeat(10_000));
        let found = fault(&text);
        assert!(found.starts_with("f:1:"), "{found}");
    }
    let block = (0..10_000).fold(String::new(), |text, level| {
        text + &" ".repeat(level) + "a:\n"
    });
    assert!(fault(&block).contains("nested deeper than 128 levels"));
    let depth = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(all(&depth(MAX_DEPTH)).len(), 1);
    assert!(fault(&depth(MAX_DEPTH + 1)).contains("nested deeper than 128 levels"));
    assert!(fault(&depth(10_000)).contains("nested deeper than 128 levels"));
}

#[test]
fn aliases_cannot_go_deeper_either() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..1_000 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(fault(&text).contains("nested deeper than 128 levels"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn never_panics(text in "[ \t\r\nab01:,\\[\\]{}&*!|>'\"%@?<~.#\\\\-]{0,40}") {
        let _ = parse("f", &text);
    }

    #[test]
    fn never_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = read_bytes("f", &bytes);
    }
}
