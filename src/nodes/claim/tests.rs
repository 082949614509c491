//! Layouts that people write, each with a node more.

use proptest::prelude::*;

use super::*;

fn new() -> NewNode {
    NewNode {
        name: "new".to_owned(),
        mac: "02:00:00:40:07:0a".to_owned(),
        address: None,
    }
}

fn claimed(text: &str, pool: Option<&str>) -> String {
    match claim("values.yaml", text, pool, &new()) {
        Ok(claimed) => claimed.text,
        Err(problem) => panic!("{problem}\n{text}"),
    }
}

const ITEM: &str = "name: new\n      mac: \"02:00:00:40:07:0a\"\n";
const FLOW: &str = "{name: \"new\", mac: \"02:00:00:40:07:0a\"}";

#[test]
fn a_node_stands_behind_the_last_one_in_its_layout() {
    for (before, after) in [
        (
            "nodePools:\n  a:\n    nodes:\n    - name: x # one\n\n    # of the next\n    tags: [b]\n# end\n",
            format!("    - {ITEM}"),
        ),
        (
            "nodePools:\n  - nodes:\n    - {name: x, mac: 02:00:00:00:00:01}\n",
            format!("    - {FLOW}\n"),
        ),
        (
            "nodePools:\n- nodes:\n    -   name: x\n        ip: 10.0.0.1\n\nz: 1\n",
            format!("    -   {}", ITEM.replace("\n      ", "\n        ")),
        ),
    ] {
        let text = claimed(before, None);
        let at = text
            .find(&after)
            .unwrap_or_else(|| panic!("no {after:?} in\n{text}"));
        assert_eq!(text.replacen(&after, "", 1), before);
        assert!(text[..at].trim_end().ends_with(['e', '}', '1']), "{text}");
    }
}

#[test]
fn lists_in_brackets_get_it_in_brackets() {
    for (before, after) in [
        (
            "nodePools: {a: {nodes: []}}\n",
            format!("nodePools: {{a: {{nodes: [{FLOW}]}}}}\n"),
        ),
        (
            "nodePools: []\n",
            format!("nodePools: [{{nodes: [{FLOW}]}}]\n"),
        ),
        (
            "nodePools: {} # none\n",
            format!("nodePools: {{claimed: {{nodes: [{FLOW}]}}}} # none\n"),
        ),
        (
            "nodePools: {a: {range: x}}\n",
            format!("nodePools: {{a: {{range: x, nodes: [{FLOW}]}}}}\n"),
        ),
        (
            "nodePools:\n- nodes: [\n    {name: x}, # ]\n    {name: y},  # the last\n  ]\n",
            format!(
                "nodePools:\n- nodes: [\n    {{name: x}}, # ]\n    {{name: y}}, {FLOW},  # the last\n  ]\n"
            ),
        ),
    ] {
        assert_eq!(claimed(before, None), after);
    }
}

#[test]
fn what_is_missing_is_added() {
    let nodes = "    nodes:\n    - name: new\n      mac: \"02:00:00:40:07:0a\"\n";
    let pool = format!("  claimed:\n{nodes}");
    for (before, after) in [
        ("", format!("nodePools:\n{pool}")),
        ("# A farm.\n", format!("# A farm.\nnodePools:\n{pool}")),
        ("a: 1", format!("a: 1\nnodePools:\n{}", pool.trim_end())),
        (
            "a: 1\n\n# end\n",
            format!("a: 1\n\n# end\nnodePools:\n{pool}"),
        ),
        (
            "nodePools:\n# none yet\na: 1\n",
            format!("nodePools:\n{pool}# none yet\na: 1\n"),
        ),
        (
            "nodePools: null # none\n",
            format!("nodePools: # none\n{pool}"),
        ),
        ("nodePools:\n  claimed: ~\n", format!("nodePools:\n{pool}")),
        (
            "nodePools:\n  claimed:\n    range: x\n  # more\n",
            format!("nodePools:\n  claimed:\n    range: x\n{nodes}  # more\n"),
        ),
        (
            "nodePools:\n- range: x\n  tags:\n  - a\n",
            format!(
                "nodePools:\n- range: x\n  tags:\n  - a\n{}",
                nodes
                    .replace("    nodes", "  nodes")
                    .replace("    -", "  -")
                    .replace("      mac", "    mac")
            ),
        ),
        (
            "nodePools:\n  claimed:\n    nodes:\n",
            format!(
                "nodePools:\n  claimed:\n    nodes:\n      - {}",
                ITEM.replace("\n      ", "\n        ")
            ),
        ),
        (
            "a: 1\r\nnodePools:\r\n  claimed:\r\n",
            format!("a: 1\r\nnodePools:\r\n{}", pool.replace('\n', "\r\n")),
        ),
    ] {
        let text = claimed(before, None);
        let (left, right) = (yaml::parse("x", &text), yaml::parse("x", &after));
        let json = |read: Result<Vec<Node>, Problem>| {
            read.unwrap().iter().map(Json::from).collect::<Vec<_>>()
        };
        assert_eq!(json(left), json(right), "{text}");
        assert_eq!(text.len(), after.len(), "{text}\n{after}");
    }
}

#[test]
fn a_pool_is_named_or_the_only_one() {
    let two = "nodePools:\n  racks: {nodes: []}\n  hall: {nodes: []}\n";
    let fails = |text: &str, pool| claim("v", text, pool, &new()).unwrap_err().to_string();
    assert!(fails(two, None).contains("name one with --pool; this file has racks, hall"));
    assert!(fails(two, Some("rakcs")).contains("did you mean racks?"));
    assert!(claimed(two, Some("hall")).contains("hall: {nodes: [{name"));
    assert!(fails("nodePools: [{nodes: []}]\n", Some("1")).contains("this file has 0"));
    assert!(claimed("", Some("racks")).contains("  racks:\n"));
}

#[test]
fn what_is_not_one_map_of_pools_is_refused() {
    for (text, part) in [
        ("[1]\n", "values are a map"),
        ("a: 1\n---\nb: 1\n", "several documents"),
        ("nodePools: 1\n", "not a pool with a list of nodes"),
        (
            "nodePools: {a: {nodes: {}}}\n",
            "not a pool with a list of nodes",
        ),
        ("nodePools: [1]\n", "not a pool"),
        ("nodePools: [\n", "not valid YAML"),
        // Both pools have the list: one place cannot change alone.
        (
            "nodePools:\n  a:\n    nodes: &x [{name: y}]\n  b:\n    nodes: *x\n",
            "cannot be changed without",
        ),
    ] {
        let problem = claim("v", text, text.contains("b:\n").then_some("b"), &new()).unwrap_err();
        assert!(problem.to_string().contains(part), "{problem}");
    }
}

/// A list of nodes as people write them: behind the key `nodes:`, whose indentation is given.
fn nodes(indent: usize) -> impl Strategy<Value = String> {
    let item = prop_oneof![
        Just("name: a{}\n{i}mac: 02:00:00:00:01:{}".to_owned()),
        Just("name: a{} # {b: [\n\n{i}# a comment\n{i}mac: [02:00:00:00:01:{}]".to_owned()),
        Just("{name: a{}, mac: '02:00:00:00:01:{}'}".to_owned()),
        Just("{name: a{},\n{i}  mac: '02:00:00:00:01:{}'} # c".to_owned()),
        Just("name: >-\n{i}  a{}\n{i}clientID: |\n{i}  x: y # {}\n{i}  - z".to_owned()),
        Just("# first\n{i}name: \"a{}\\\n{i}  \"\n{i}ip: 10.0.0.{}".to_owned()),
    ];
    let between = prop_oneof![
        Just(""),
        Just("\n"),
        Just("{d}# next\n"),
        Just("  # in between\n\n"),
        Just("# at the edge\n")
    ];
    let items = prop::collection::vec((item, between), 1..5);
    (items, 0usize..3, 0usize..3).prop_map(move |(items, deeper, gap)| {
        let dash = indent + deeper;
        let inside = " ".repeat(dash + 2 + gap);
        let lines = items.iter().enumerate().map(|(index, (item, between))| {
            let number = format!("{:02}", index + 10);
            let item = item.replace("{i}", &inside).replace("{}", &number);
            let item = if item.starts_with('#') {
                format!("{item}\n")
            } else {
                format!("{}{item}\n", " ".repeat(1 + gap))
            };
            let item = if item.starts_with('#') {
                format!(" {item}")
            } else {
                item
            };
            let between = between.replace("{d}", &" ".repeat(dash));
            format!("{}-{item}{between}", " ".repeat(dash))
        });
        format!(
            "{}nodes:\n{}",
            " ".repeat(indent),
            lines.collect::<String>()
        )
    })
}

/// A whole file around such a list, and the name of the pool.
fn files() -> impl Strategy<Value = (String, Option<&'static str>)> {
    let in_map = nodes(4).prop_map(|nodes| {
        (
            format!("# head\nname: x\nnodePools:\n  other: {{range: y}}\n  one:\n{nodes}"),
            Some("one"),
        )
    });
    let in_list = nodes(4).prop_map(|nodes| (format!("nodePools:\n  - range: y\n{nodes}"), None));
    let first_in_list = nodes(2).prop_map(|nodes| {
        (
            format!("nodePools:\n- tags: [a]\n{nodes}- {{}}\n"),
            Some("0"),
        )
    });
    let tail = prop_oneof![
        Just(""),
        Just("# end\n"),
        Just("\n\ntags: {}\n"),
        Just("tags:\n  - nodes:\n"),
        Just("...\n"),
        Just("    # deep\nz: |+\n  text\n\n"),
    ];
    (
        prop_oneof![in_map, in_list, first_in_list],
        tail,
        any::<[bool; 3]>(),
    )
        .prop_map(|((text, pool), tail, [is_dos, is_open, has_mark])| {
            let mut text = text + tail;
            // A text block without a line feed at its end would get one.
            let ends_in_block = tail.contains("|+") || text.trim_end().ends_with("- z");
            if is_open && !ends_in_block {
                text.truncate(text.trim_end_matches('\n').len());
            }
            if is_dos {
                text = text.replace('\n', "\r\n");
            }
            (
                if has_mark {
                    format!("\u{feff}{text}")
                } else {
                    text
                },
                pool,
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// What is there stays, byte for byte, and one node more is read.
    #[test]
    fn every_other_byte_stays_and_one_node_is_added((text, pool) in files()) {
        let read = |text: &str| {
            let documents = yaml::read_bytes("v", text.as_bytes()).unwrap();
            documents.first().map_or(Json::Null, Json::from)
        };
        let before = read(&text);
        let claimed = claim("v", &text, pool, &new());
        let claimed = claimed.map_err(|problem| TestCaseError::fail(format!("{problem}\n{text}")))?;
        let after = &claimed.text;
        let length = after.len() - text.len();
        let start = text.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
        prop_assert!(length > 0);
        // Cutting out what was inserted gives the text again, wherever equal bytes let the cut begin.
        let is_cut = |at: usize| after.as_bytes()[..at] == text.as_bytes()[..at] && after.as_bytes()[at + length..] == text.as_bytes()[at..];
        prop_assert!((0..=start).any(is_cut), "{}\n{}", text, after);
        let wanted = with_node(before, &claimed.pool, &new().as_json());
        prop_assert_eq!(read(after), wanted);
    }
}
