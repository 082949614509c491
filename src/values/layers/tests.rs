use std::io::Read;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::super::problem::Problem;
use super::super::tree::{Node, Path};
use super::{Defaults, Input, MAX_BYTES, load_with_stdin, put_at_nulls};

fn defaults() -> Defaults<'static> {
    Defaults {
        layers: vec![
            ("charts/one/values.yaml", "a: {x: 1, list: [p, q]}\nb: 2\n"),
            ("charts/two/values.yaml", "c: 3\n"),
        ],
        is_section: |_| false,
    }
}

fn load(inputs: &[Input]) -> Result<Node, Vec<String>> {
    load_with(inputs, "")
}

fn load_with(inputs: &[Input], stdin: &str) -> Result<Node, Vec<String>> {
    load_with_stdin(&defaults(), inputs, &mut stdin.as_bytes())
        .map(|loaded| loaded.tree)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn builtin(name: &str, text: &str) -> Input {
    Input::Builtin {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn missing(name: &str) -> Input {
    Input::File(PathBuf::from(format!("no/such/folder/{name}")))
}

/// A file that is removed when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Scratch {
        let name = format!("kubefarm-layers-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Scratch(path)
    }

    fn input(&self) -> Input {
        Input::File(self.0.clone())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn defaults_alone() {
    let tree = load(&[]).unwrap();
    assert_eq!(
        Json::from(&tree),
        json!({"a": {"x": 1, "list": ["p", "q"]}, "b": 2, "c": 3})
    );
    assert_eq!(tree.origin.to_string(), "charts/one/values.yaml:1:1");
}

#[test]
fn nothing_at_all_is_an_empty_map() {
    let none = Defaults {
        layers: Vec::new(),
        is_section: |_| false,
    };
    let loaded = load_with_stdin(&none, &[], &mut std::io::empty()).unwrap();
    assert_eq!(Json::from(&loaded.tree), json!({}));
}

#[test]
fn every_document_is_a_layer_and_later_wins() {
    let file = Scratch::new(
        "documents.yaml",
        b"\xEF\xBB\xBFb: 10\n---\n# nothing\n---\nb: 11\nc: 12\n",
    );
    let tree = load(&[
        file.input(),
        builtin("ha", "c: 13"),
        builtin("empty", "# nothing\n"),
    ])
    .unwrap();
    assert_eq!(
        tree.get(&Path::from("b")).unwrap().value,
        super::Value::Number(11.into())
    );
    assert_eq!(Json::from(&tree)["c"], json!(13));
    assert_eq!(
        tree.origin_at(&Path::from("c")).to_string(),
        "builtin:ha:1:4"
    );
    let place = format!("{}:5:4", file.0.display());
    assert_eq!(tree.origin_at(&Path::from("b")).to_string(), place);
}

#[test]
fn flags_come_last_in_helms_order() {
    let file = Scratch::new("text.txt", b"from a file\n");
    let inputs = [
        Input::SetFile(format!("d={}", file.0.display())),
        Input::SetString("d=string,c=string".to_owned()),
        Input::Set("d=set,c=set,b=7".to_owned()),
        Input::SetJson("d=[],c=[],b=[],a.x=[]".to_owned()),
        builtin("layer", "d: layer\nc: layer\nb: layer\n"),
    ];
    let tree = load(&inputs).unwrap();
    assert_eq!(
        Json::from(&tree),
        json!({"a": {"x": [], "list": ["p", "q"]}, "b": 7, "c": "string", "d": "from a file\n"})
    );
    assert_eq!(tree.origin_at(&Path::from("b")).to_string(), "--set b");
}

#[test]
fn flags_index_into_the_users_lists_only() {
    let flag = Input::Set("a.list[1]=new".to_owned());
    let over_file = load(&[builtin("layer", "a: {list: [r, s]}"), flag.clone()]).unwrap();
    assert_eq!(Json::from(&over_file)["a"]["list"], json!(["r", "new"]));
    let over_defaults = load(&[flag]).unwrap();
    assert_eq!(
        Json::from(&over_defaults)["a"]["list"],
        json!([null, "new"])
    );
}

#[test]
fn null_removes_a_default_from_any_layer() {
    let tree = load(&[
        builtin("layer", "b: null\n"),
        Input::Set("a.x=null".to_owned()),
    ])
    .unwrap();
    assert_eq!(
        Json::from(&tree),
        json!({"a": {"list": ["p", "q"]}, "c": 3})
    );
}

#[test]
fn problems_of_what_null_removed_stand_at_the_null() {
    let inputs = [
        builtin("layer", "a:\n  list: null\n"),
        Input::Set("b=null".to_owned()),
    ];
    let loaded = load_with_stdin(&defaults(), &inputs, &mut std::io::empty()).unwrap();
    let about = |path: &str| {
        let path = Path::from(path);
        let origin = loaded.tree.origin_at(&path).clone();
        Problem::error("missing").at(origin).about(path)
    };
    let mut problems = [about("b"), about("c"), about("a.list.more"), about("a")];
    problems[2].help = Some("of its own".to_owned());
    put_at_nulls(&mut problems, &loaded.removed);
    assert_eq!(
        problems.each_ref().map(ToString::to_string),
        [
            "builtin:layer:2:9: error: a.list.more: missing (of its own)",
            "charts/one/values.yaml:1:4: error: a: missing",
            "charts/two/values.yaml:1:4: error: c: missing",
            "--set b: error: b: missing (null removed the default 2; leave the key out to keep it)",
        ]
    );
}

#[test]
fn stdin_is_a_layer_once() {
    let stdin = Input::File(PathBuf::from("-"));
    let tree = load_with(std::slice::from_ref(&stdin), "b: 20\n").unwrap();
    assert_eq!(tree.origin_at(&Path::from("b")).to_string(), "-:1:4");
    let problems = load_with(&[stdin.clone(), stdin], "b: 20\n").unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("stdin can be read only once"),
        "{problems:?}"
    );
}

#[test]
fn reports_every_layer_that_cannot_be_used() {
    let binary = Scratch::new("binary.yaml", b"a: b\nc: \xFF\n");
    let problems = load(&[
        missing("one.yaml"),
        builtin("list", "- a\n"),
        builtin("broken", "a: b\na: c\n"),
        binary.input(),
        missing("two.yaml"),
        Input::Set("not even a value".to_owned()),
    ])
    .unwrap_err();
    let starts = [
        "error: cannot read \"no/such/folder/one.yaml\": ".to_owned(),
        "builtin:list:1:1: error: values must be a map, but this is a list".to_owned(),
        "builtin:broken:2:1: error: duplicate key \"a\", first written at builtin:broken:1:1"
            .to_owned(),
        format!("{}:2:4: error: not UTF-8 text", binary.0.display()),
        "error: cannot read \"no/such/folder/two.yaml\": ".to_owned(),
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:?}");
    for (problem, start) in problems.iter().zip(&starts) {
        assert!(problem.starts_with(start), "{problem} instead of {start}");
    }
}

#[test]
fn reports_every_flag_that_cannot_be_applied() {
    let problems = load(&[
        Input::Set("a".to_owned()),
        Input::SetFile("a=no/such/file".to_owned()),
        Input::SetJson("a=nope".to_owned()),
    ])
    .unwrap_err();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems[2].starts_with("--set-file a: error: cannot read"),
        "{problems:?}"
    );
}

/// What is said of layers beside errors: warnings, and where there is nothing.
fn said(inputs: &[Input], stdin: &str) -> (Vec<String>, Vec<String>) {
    let loaded = load_with_stdin(&defaults(), inputs, &mut stdin.as_bytes()).unwrap();
    let all = |problems: &[Problem]| problems.iter().map(ToString::to_string).collect();
    (all(&loaded.warnings), all(&loaded.empty))
}

#[test]
fn several_documents_are_reported_once() {
    let (warnings, _) = said(
        &[builtin("a", "b: 1\n---\n# none\n---\nb: 2\n---\nb: 3\n")],
        "",
    );
    assert_eq!(
        warnings,
        [
            "builtin:a:5:1: warning: this file has 3 documents, each merged over those before it \
             (Helm 3 reads only the first, Helm 4 reads all)"
        ]
    );
    assert!(said(&[builtin("a", "---\nb: 1\n---\n")], "").0.is_empty());
}

#[test]
fn nothing_given_is_reported() {
    let stdin = Input::File(PathBuf::from("-"));
    let file = Scratch::new("empty.yaml", b"\xEF\xBB\xBF\n \n");
    let layer = builtin("layer", "b: 1");
    for (inputs, text, expected) in [
        (vec![], "", "error: no values are given"),
        (vec![stdin.clone()], "\n", "error: stdin is empty"),
        (
            vec![stdin.clone(), layer.clone()],
            "",
            "error: stdin is empty",
        ),
        (
            vec![stdin.clone()],
            "# b: 1\n",
            "error: there are no values in -",
        ),
        (
            vec![stdin.clone()],
            "---\n{}\n---\n",
            "error: there are no values in -",
        ),
        (
            vec![stdin.clone()],
            "x-b: &b 1\n",
            "error: there are no values in -",
        ),
        (
            vec![Input::Set(String::new())],
            "",
            "error: no values are given",
        ),
        (
            vec![file.input(), layer.clone()],
            "",
            "empty.yaml\" is empty",
        ),
    ] {
        let (_, empty) = said(&inputs, text);
        assert!(empty.len() == 1 && empty[0].contains(expected), "{empty:?}");
        assert!(empty[0].contains("--allow-empty"), "{empty:?}");
    }
    for (inputs, text) in [
        (vec![layer.clone(), stdin.clone()], "# nothing yet\n"),
        (vec![Input::Set("b=1".to_owned())], ""),
        (
            vec![stdin, Input::SetJson("{\"b\": 1}".to_owned())],
            "# none",
        ),
    ] {
        assert_eq!(said(&inputs, text).1, Vec::<String>::new());
    }
}

#[test]
fn keys_for_anchors_and_editors_are_not_values() {
    let text = "$schema: s\nx-one: &one {x: 5}\n.two: [1]\na: {<<: *one, x-three: 1}\n";
    let tree = load(&[builtin("layer", text), builtin("next", "x-one: [1]\n")]).unwrap();
    assert_eq!(
        Json::from(&tree)["a"],
        json!({"x": 5, "list": ["p", "q"], "x-three": 1})
    );
    assert_eq!(Json::from(&tree).as_object().unwrap().len(), 3);
}

#[test]
fn a_layer_of_another_kind_is_refused() {
    let list = builtin("list", "pools: [{name: a}]");
    let map = builtin("map", "pools: {rack: {name: b}}");
    for flag in [
        Input::Set("pools.rack.name=b".to_owned()),
        Input::SetJson("{\"pools\": {\"rack\": {}}}".to_owned()),
        Input::SetJson("pools={\"rack\": {}}".to_owned()),
        map.clone(),
    ] {
        let problems = load(&[list.clone(), flag]).unwrap_err();
        assert!(
            problems.len() == 1 && problems[0].contains("builtin:list:1:8"),
            "{problems:?}"
        );
    }
    let between = builtin("between", "pools: null");
    load(&[list, between, map]).unwrap();
}

#[test]
fn what_has_no_end_is_not_read_to_it() {
    for input in [
        Input::File(PathBuf::from("/dev/zero")),
        Input::SetFile("a=/dev/zero".to_owned()),
    ] {
        let problems = load(&[input]).unwrap_err();
        assert!(problems[0].contains("more than 64 MiB"), "{problems:?}");
    }
    let problems = load_with_stdin(
        &defaults(),
        &[Input::File(PathBuf::from("-"))],
        &mut std::io::repeat(b'#').take(MAX_BYTES + 1),
    );
    assert!(
        problems.unwrap_err()[0]
            .message
            .contains("more than 64 MiB")
    );
}
