use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::super::tree::Path;
use super::super::yaml;
use super::{to_yaml, to_yaml_with_comments};

fn ours(text: &str) -> Value {
    let documents = yaml::parse("test", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(documents.len(), 1, "{text}");
    Value::from(&documents[0])
}

fn theirs(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn writes_as_people_do() {
    let value = json!({
        "apiVersion": "v1",
        "image": "registry.k8s.io/kube-apiserver:v1.36.0",
        "args": ["--bind-address=0.0.0.0", "--v=2", "-c", "echo a"],
        "empty": {},
        "none": [],
        "nothing": null,
        "numbers": [1, -2, 1.5, 1e16, 1e-7, 0.0],
        "hosts": [{"mac": "52:54:00:12:34:56", "ip": "10.0.0.1"}, {"name": "aa:bb"}],
        "nested": [[1, [2, {"k": ["v"]}]], {}],
        "app.kubernetes.io/name": "etcd",
        "script": "#!/bin/sh\n\techo\n\n  done\n",
        "no end": "a\nb",
        "two ends": "a\n\n\n",
        "indented": "  a\nb\n",
    });
    let expected = r#"apiVersion: v1
image: registry.k8s.io/kube-apiserver:v1.36.0
args:
- "--bind-address=0.0.0.0"
- --v=2
- "-c"
- echo a
empty: {}
none: []
nothing: null
numbers:
- 1
- -2
- 1.5
- 1.0e+16
- 1.0e-7
- 0.0
hosts:
- mac: "52:54:00:12:34:56"
  ip: "10.0.0.1"
- name: aa:bb
nested:
- - 1
  - - 2
    - k:
      - v
- {}
app.kubernetes.io/name: etcd
script: |
  #!/bin/sh
  	echo

    done
no end: |-
  a
  b
two ends: |+
  a


indented: |2
    a
  b
"#
    .replace("\"--bind-address=0.0.0.0\"", "--bind-address=0.0.0.0");
    assert_eq!(to_yaml(&value), expected);
    assert_eq!(ours(&expected), value);
    assert_eq!(theirs(&expected), value);
}

#[test]
fn quotes_what_a_reader_could_mistake() {
    for text in [
        "",
        " ",
        "~",
        "null",
        "Null",
        "yes",
        "NO",
        "On",
        "off",
        "y",
        "N",
        "true",
        "1",
        "-1",
        "0x1f",
        "0o7",
        "1_000",
        "1:30",
        "12:30:45",
        "2001-01-01",
        "1e3",
        ".5",
        ".inf",
        "NaN",
        "=",
        "<<",
        "-",
        "--",
        "---",
        "...",
        "- a",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "[a",
        "{a",
        "*a",
        "&a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'a",
        "\"a",
        "?",
        "? a",
        ",a",
        " a",
        "a ",
        "a  b",
        "10.0.0.1",
        "24h",
        "a\tb",
        "a\rb",
        "ä",
        "+1",
        "\u{FEFF}",
        "a\u{85}b",
        "a\u{2028}b",
        "\u{7f}",
        "\u{1F600}",
        "\\",
        "infinity",
    ] {
        for value in [json!(text), json!([text]), json!({text: text})] {
            let written = to_yaml(&value);
            assert!(written.contains('"'), "{written}");
            assert_eq!(ours(&written), value, "{written}");
            assert_eq!(theirs(&written), value, "{written}");
        }
    }
}

#[test]
fn escapes_as_yaml_and_json_both_know() {
    let text = "a\0\u{1b}\u{85}\u{2028}\u{feff}\u{1F600}\"\\\t";
    let written = to_yaml(&json!(text));
    assert_eq!(
        written,
        "\"a\\u0000\\u001b\\u0085\\u2028\\ufeff\u{1F600}\\\"\\\\\\t\"\n"
    );
}

#[test]
fn comments_stand_after_leaves() {
    let value = json!({"a": {"b": 1, "text": "x\ny\n"}, "l": ["p", {}], "q": "plain"});
    let comment = |path: &Path| (path.to_string() != "q").then(|| format!("at\n{path}"));
    let expected = "a:\n  b: 1 # at a.b\n  text: | # at a.text\n    x\n    y\nl:\n- p # at l[0]\n- {} # at l[1]\nq: plain\n";
    let written = to_yaml_with_comments(&value, &comment);
    assert_eq!(written, expected);
    assert_eq!(ours(&written), value);
    assert_eq!(theirs(&written), value);
}

/// Text from characters that mean something to YAML, words that readers take for something else, and anything else.
fn nasty_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ \t\n\r:#,\\[\\]{}&*!|>'\"%@`?=<~.+0-9a-eyn_\\\\-]{0,12}",
        2 => "[ \t\nab]{0,16}",
        1 => "[a-z/]{0,6}[:. -][a-z0-9]{0,6}",
        1 => "[0-9:._eExo+-]{1,10}",
        1 => any::<String>(),
        1 => "[\u{0}-\u{a0}\u{2027}-\u{202a}\u{feff}\u{fffd}-\u{10003}]{0,6}",
        1 => prop::sample::select(vec!["y", "No", "ON", "null", "~", "<<", "=", "---", "...", "1e3", "Infinity"])
            .prop_map(str::to_owned),
        1 => "[a\u{1}]{990,1060}",
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        nasty_text().prop_map(Value::from),
        nasty_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((nasty_text(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_reader_reads_it_back(value in any_value()) {
        let written = to_yaml(&value);
        prop_assert_eq!(&ours(&written), &value, "{}", written);
        prop_assert_eq!(&theirs(&written), &value, "{}", written);
    }

    #[test]
    fn comments_change_nothing(value in any_value(), comment in "[^a]{0,8}") {
        let written = to_yaml_with_comments(&value, &|_| Some(comment.clone()));
        prop_assert_eq!(&ours(&written), &value, "{}", written);
        prop_assert_eq!(&theirs(&written), &value, "{}", written);
    }
}

/// PyYAML is the strictest YAML 1.1 reader in wide use. It gets texts with what they should mean, and names the first
/// that it reads otherwise.
const PYTHON: &str = r#"
import json, sys, yaml
for text, meant in json.load(sys.stdin):
    found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader) if sys.argv[1] == "c" else yaml.SafeLoader)
    if json.dumps(found, sort_keys=True) != json.dumps(meant, sort_keys=True):
        sys.exit(f"{text!r}\nis {found!r}\nnot {meant!r}")
"#;

#[test]
fn python_reads_it_back() {
    let has_yaml = std::process::Command::new("python3")
        .args(["-c", "import yaml"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_yaml {
        let needed = "python3 with PyYAML (Debian: python3-yaml)";
        assert!(std::env::var_os("CI").is_none(), "needs {needed}");
        eprintln!("SKIPPED: needs {needed}");
        return;
    }
    let batch = samples(600);
    for loader in ["python", "c"] {
        let mut python = std::process::Command::new("python3")
            .args(["-c", PYTHON, loader])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        serde_json::to_writer(python.stdin.take().unwrap(), &batch).unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Pairs of what was written and what it means; the same ones in every run.
fn samples(count: usize) -> Vec<(String, Value)> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    (0..count)
        .map(|_| {
            let value = any_value().new_tree(&mut runner).unwrap().current();
            (to_yaml(&value), value)
        })
        .collect()
}
