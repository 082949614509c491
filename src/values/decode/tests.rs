mod keys;

use std::collections::BTreeMap;
use std::fmt::Debug;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::super::yaml;
use super::decode;

fn run<T: DeserializeOwned>(text: &str) -> (Option<T>, Vec<String>) {
    let tree = yaml::parse("v.yaml", text).unwrap().remove(0);
    let (value, problems) = decode(&tree);
    (value, problems.iter().map(ToString::to_string).collect())
}

fn decoded<T: DeserializeOwned + Debug>(text: &str) -> T {
    let (value, problems) = run(text);
    let is_error = |problem: &&String| problem.contains(": error: ");
    assert_eq!(problems.iter().find(is_error), None);
    value.expect("a value without problems")
}

fn problems<T: DeserializeOwned>(text: &str) -> Vec<String> {
    let (_, problems) = run::<T>(text);
    assert!(!problems.is_empty(), "no problem in {text}");
    problems
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Component {
    enabled: bool,
    replica_count: u16,
    image: String,
    labels: BTreeMap<String, String>,
    extra_args: IndexMap<String, Option<Json>>,
    ratio: f64,
    note: Option<String>,
    affinity: Affinity,
    pool: Vec<Machine>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Affinity {
    #[default]
    Soft,
    Hard,
    #[serde(rename = "")]
    None,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Machine {
    name: String,
    mac: Mac,
    #[serde(default, alias = "address")]
    ip: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct Mac(String);

impl TryFrom<String> for Mac {
    type Error = String;

    fn try_from(text: String) -> Result<Mac, String> {
        match text.len() {
            17 => Ok(Mac(text)),
            _ => Err(format!("{text:?} is not a MAC address")),
        }
    }
}

#[test]
fn is_as_lenient_as_charts_were() {
    let component: Component = decoded(
        "enabled: 'true'\nreplicaCount: '3'\nimage: 1.10\nratio: '0.5'\naffinity: ''\nnote: null\n\
         labels: {a: 1, b: true, c: text, d: 1e21, e: 3.0, f: 1e-7, g: 1000000.0, h: null}\n\
         extraArgs: {v: 2, none: null, list: [a, 1.5]}\npool: [{name: 7, mac: 'aa:bb:cc:dd:ee:ff', address: x}]\n",
    );
    assert!(component.enabled);
    assert_eq!(component.replica_count, 3);
    assert_eq!(component.image, "1.1");
    assert_eq!(component.ratio, 0.5);
    assert_eq!(component.affinity, Affinity::None);
    assert_eq!(component.note, None);
    let labels: Vec<&str> = component.labels.values().map(String::as_str).collect();
    assert_eq!(
        labels,
        ["1", "true", "text", "1e+21", "3", "1e-7", "1000000"]
    );
    let arguments = Json::from_iter(
        component
            .extra_args
            .clone()
            .into_iter()
            .map(|(key, value)| (key, value.unwrap_or(Json::Null))),
    );
    assert_eq!(arguments, json!({"v": 2, "none": null, "list": ["a", 1.5]}));
    assert_eq!(component.extra_args["none"], None);
    assert_eq!(component.pool[0].name, "7");
    assert_eq!(component.pool[0].ip.as_deref(), Some("x"));
    assert_eq!(decoded::<Component>("replicaCount: 3.0").replica_count, 3);
}

#[test]
fn a_text_that_yaml_changes_is_a_warning() {
    let text = "image: 1.10\nlabels: {a: yes, b: true, c: 0x10, d: 3, e: '1.0', f: !!str 1.0}\nratio: 1e3\n\
                replicaCount: 1_0\n";
    assert_eq!(
        problems::<Component>(text),
        [
            "v.yaml:1:8: warning: image: \"1.10\" without quotes is the number 1.1 (write \"1.10\")",
            "v.yaml:2:13: warning: labels.a: \"yes\" without quotes is the boolean true (write \"yes\")",
            "v.yaml:2:30: warning: labels.c: \"0x10\" without quotes is the number 16 (write \"0x10\")",
        ]
    );
    let secret = problems::<BTreeMap<String, String>>("rootPasswd: 0123");
    assert!(
        secret.iter().all(|problem| !problem.contains("123")),
        "{secret:?}"
    );
}

#[test]
fn null_counts_as_absent() {
    let text = "enabled: null\nreplicaCount: null\nlabels: null\npool: null\naffinity:\nimage: ~\n";
    assert_eq!(decoded::<Component>(text), Component::default());
}

#[test]
fn empty_text_counts_as_absent_where_something_optional_is_wanted() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Optional {
        text: Option<String>,
        number: Option<u16>,
        word: Option<Affinity>,
        machine: Option<Machine>,
        switch: bool,
        plain: String,
        labels: BTreeMap<String, String>,
        arguments: IndexMap<String, Json>,
    }
    let found: Optional = decoded(
        "text: ''\nnumber: ''\nword: ''\nmachine: ''\nswitch: ''\nplain: ''\nlabels: {a: ''}\n\
         arguments: {a: ''}\n",
    );
    assert_eq!((found.text, found.number), (None, None));
    assert_eq!((found.word, found.machine), (None, None));
    assert!(!found.switch);
    assert_eq!(found.plain, "");
    assert_eq!(found.labels["a"], "");
    assert_eq!(found.arguments["a"], "");
    assert_eq!(
        problems::<Component>("replicaCount: ''"),
        ["v.yaml:1:15: error: replicaCount: expected an integer, found the string \"\""]
    );
}

#[test]
fn reports_everything_at_once() {
    let found = problems::<Component>(
        "enabled: maybe\nreplicaCount: 70000\nimage: [a]\nlabels: {a: {}, b: []}\nratio: x\naffinity: sofd\n\
         replicas: 1\npool:\n- name: k\n  mac: zz\n  adress: 1\n- mac: 'aa:bb:cc:dd:ee:ff'\n- text\n",
    );
    assert_eq!(
        found,
        [
            "v.yaml:1:10: error: enabled: expected a boolean, found the string \"maybe\"",
            "v.yaml:2:15: error: replicaCount: 70000 does not fit: expected 0 to 65535",
            "v.yaml:3:8: error: image: expected a string, found a list",
            "v.yaml:4:13: error: labels.a: expected a string, found a map",
            "v.yaml:4:20: error: labels.b: expected a string, found a list",
            "v.yaml:5:8: error: ratio: expected a number, found the string \"x\"",
            "v.yaml:6:11: error: affinity: expected one of \"soft\", \"hard\", \"\", found \"sofd\" (did you mean \"soft\"?)",
            "v.yaml:7:1: error: replicas: unknown key \"replicas\" (did you mean \"replicaCount\"?)",
            "v.yaml:10:8: error: pool[0].mac: \"zz\" is not a MAC address",
            "v.yaml:11:3: error: pool[0].adress: unknown key \"adress\" (did you mean \"address\"?)",
            "v.yaml:12:3: error: pool[1].name: missing field \"name\"",
            "v.yaml:13:3: error: pool[2]: expected a map, found the string \"text\"",
        ]
    );
}

#[test]
fn what_remains_can_be_checked_further() {
    let (value, found) = run::<Component>("enabled: maybe\nreplicaCount: 2\n");
    assert_eq!(found.len(), 1);
    assert_eq!(value.map(|value| value.replica_count), Some(2));
}

#[test]
fn a_missing_field_is_named() {
    assert_eq!(
        problems::<Machine>("name: k"),
        ["v.yaml:1:1: error: mac: missing field \"mac\""]
    );
}

#[test]
fn numbers_have_bounds() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Numbers {
        small: Option<i8>,
        large: Option<i64>,
        unsigned: Option<u64>,
        port: Option<u16>,
    }
    assert_eq!(
        problems::<Numbers>("small: -129\nlarge: 18446744073709551615\nunsigned: -1\nport: 1.5\n"),
        [
            "v.yaml:1:8: error: small: -129 does not fit: expected -128 to 127",
            "v.yaml:2:8: error: large: 18446744073709551615 does not fit: expected -9223372036854775808 to 9223372036854775807",
            "v.yaml:3:11: error: unsigned: -1 does not fit: expected 0 to 18446744073709551615",
            "v.yaml:4:7: error: port: expected an integer, found the number 1.5",
        ]
    );
    let numbers: Numbers =
        decoded("small: -128\nlarge: 9223372036854775807\nunsigned: 18446744073709551615\n");
    assert_eq!(numbers.large, Some(i64::MAX));
    assert_eq!(numbers.unsigned, Some(u64::MAX));
    for text in [
        "port: '+1'",
        "port: 1_0",
        "port: '1_0'",
        "port: ' 1'",
        "port: 0x1F",
    ] {
        let (value, found) = run::<Numbers>(text);
        let accepted = matches!(text, "port: 1_0" | "port: 0x1F");
        assert_eq!(found.is_empty(), accepted, "{text}: {value:?} {found:?}");
    }
}

#[test]
fn long_texts_are_cut() {
    let found = problems::<Component>(&format!("enabled: {}", "é".repeat(100)));
    let expected = format!("\"{}…\"", "é".repeat(40));
    assert!(found[0].ends_with(&expected), "{found:?}");
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Number(i64),
    Flag(bool),
    One(String),
    Many(Vec<String>),
    Map { key: String },
}

#[test]
fn untagged_types_get_native_values() {
    let found: Vec<OneOrMany> = decoded("[1, true, text, [a, b], {key: v}, '1']");
    assert_eq!(
        found,
        [
            OneOrMany::Number(1),
            OneOrMany::Flag(true),
            OneOrMany::One("text".to_owned()),
            OneOrMany::Many(vec!["a".to_owned(), "b".to_owned()]),
            OneOrMany::Map {
                key: "v".to_owned()
            },
            OneOrMany::One("1".to_owned()),
        ]
    );
    let found = problems::<BTreeMap<String, OneOrMany>>("{a: 1, b: {c: 2}}");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("v.yaml:1:11: error: b: "), "{found:?}");
}

#[test]
fn json_keeps_order_and_nulls() {
    let text = "z: 1\na: [null, {c: null}]\nb: {x: 1.5, t: text}\n";
    let json: Json = decoded(text);
    assert_eq!(
        json.to_string(),
        r#"{"z":1,"a":[null,{"c":null}],"b":{"x":1.5,"t":"text"}}"#
    );
}

#[derive(Debug, PartialEq, Deserialize)]
enum Shape {
    Empty,
    Size(u8),
    Box { width: u8 },
    Pair(u8, u8),
}

#[test]
fn stops_at_the_bound_and_at_the_root() {
    let many = (0..500).fold(String::new(), |text, n| format!("{text}k{n}: x\n"));
    let found = problems::<BTreeMap<String, u8>>(&many);
    assert_eq!(found.len(), super::MAX_RUNS + 1);
    let last = found.last().unwrap();
    assert_eq!(
        last,
        "error: further values of a wrong type were not looked for"
    );
    let (value, found) = run::<Component>("[a]");
    assert!(value.is_none());
    assert_eq!(found, ["v.yaml:1:1: error: expected a map, found a list"]);
}
