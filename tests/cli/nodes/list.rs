//! `kubefarm nodes list`.

use super::{Files, GENERIC, json, of_generic};
use crate::cli::assert_refused;
use crate::support::kubefarm;

/// Nodes whose order is another one by each key, and one without a name.
const NODES: &str = "
nodePools:
  b:
    range: 10.0.0.0,static,255.255.255.0,10.0.0.255,infinite
    tags: [x, t]
    nodes:
      - {name: n2, mac: '02:00:00:00:00:03', ip: 10.0.0.10}
      - {name: n10, mac: '02:00:00:00:00:01', ip: 10.0.0.9, leaseTime: 2h}
  a:
    tags: [x]
    nodes:
      - {mac: '02:00:00:00:00:02'}
      - {name: m, clientID: 'abc', ip: 10.0.0.8}
  open:
    range: 10.0.1.10,10.0.1.99,255.255.255.0,10.0.1.255,1h
  others:
    ignore: true
    nodes: [{name: z, mac: '02:00:00:00:00:09'}]
";

fn listed(args: &[&str]) -> String {
    let files = Files::new();
    let file = files.with("values.yaml", NODES);
    kubefarm(["nodes", "list", "-f", &file].iter().chain(args)).success()
}

/// The first columns of a table's first rows.
fn column(text: &str, index: usize) -> Vec<&str> {
    let rows = text.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|row| row.split_whitespace().nth(index).expect("a cell"))
        .collect()
}

#[test]
fn a_node_is_a_row() {
    let text = of_generic(&["list"]);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 7, "{text}");
    assert_eq!(
        rows[0],
        "NAME   POOL  MACS                                 ADDRESSES   TAGS"
    );
    assert_eq!(
        rows[1],
        "r1n01  0     02:00:00:40:01:0a 02:00:00:40:01:0b  10.64.1.11  -"
    );
    assert_eq!(
        rows[6],
        "r1n06  1     02:00:00:40:06:0a 02:00:00:40:06:0b  10.64.1.16  debug storage"
    );
}

#[test]
fn rows_are_in_the_order_that_is_asked_for() {
    for (order, names) in [
        ("name", ["m", "n10", "n2", "z", "-"]),
        ("pool", ["-", "m", "n10", "n2", "z"]),
        ("mac", ["n10", "-", "n2", "z", "m"]),
        ("address", ["m", "n10", "n2", "-", "z"]),
    ] {
        assert_eq!(column(&listed(&["--sort-by", order]), 0), names, "{order}");
    }
}

#[test]
fn rows_are_those_that_are_asked_for() {
    for (args, names) in [
        (&["--pool", "b"] as &[&str], &["n10", "n2"] as &[&str]),
        (&["--tag", "x"], &["m", "n10", "n2", "-"]),
        (&["--tag", "x,t"], &["n10", "n2"]),
        (&["N*"], &["n10", "n2"]),
        (&["n?"], &["n2"]),
        (&["n*", "--tag", "t", "--pool", "a"], &[]),
    ] {
        assert_eq!(column(&listed(args), 0), names, "{args:?}");
    }
}

#[test]
fn ranges_for_any_machine_are_named() {
    let text = listed(&[]);
    let (_, ranges) = text
        .split_once("\n\nAny other machine gets an address from:\n")
        .expect("ranges");
    let row = "open  10.0.1.10,10.0.1.99,255.255.255.0,10.0.1.255,1h";
    assert_eq!(ranges, format!("POOL  RANGE\n{row}\n"));
    assert!(!listed(&["n*"]).contains("Any other"));
    let catchall = ["nodes", "list", "-f", "examples/catchall/values.yaml"];
    let text = kubefarm(catchall).success();
    assert!(
        text.starts_with("Any other machine gets an address from:\nPOOL"),
        "{text}"
    );
    let found = json(&kubefarm(catchall.iter().chain(&["-o", "json"])).success());
    assert_eq!(found["openRanges"][0]["pool"], "unlisted");
}

#[test]
fn wide_has_client_identifiers_leases_and_places() {
    let text = listed(&["-o", "wide"]);
    let rows: Vec<&str> = text.lines().collect();
    assert!(
        rows[0].contains("CLIENT ID  LEASE     WRITTEN AT"),
        "{text}"
    );
    assert!(rows[1].contains("abc        infinite"), "{text}");
    assert!(rows[2].contains("-          2h"), "{text}");
    assert!(rows[2].ends_with("values.yaml:8:9"), "{text}");
    assert!(rows[4].contains("others (ignored)"), "{text}");
}

#[test]
fn json_has_everything() {
    let found = json(&of_generic(&["list", "-o", "json", "r1n06"]));
    let expected = serde_json::json!({
        "nodes": [{
            "name": "r1n06",
            "pool": "1",
            "macs": ["02:00:00:40:06:0a", "02:00:00:40:06:0b"],
            "addresses": ["10.64.1.16"],
            "tags": ["debug", "storage"],
            "clientID": null,
            "leaseTime": "infinite",
            "ignored": false,
            "writtenAt": "examples/generic/values.yaml:99:9",
        }],
        "openRanges": [],
    });
    assert_eq!(found, expected);
}

/// What is exported can be imported.
#[test]
fn csv_is_a_table_that_import_reads() {
    let files = Files::new();
    let table = of_generic(&["list", "-o", "csv"]);
    assert!(table.starts_with(
        "name,mac,ip,pool,tags\nr1n01,02:00:00:40:01:0a 02:00:00:40:01:0b,10.64.1.11,0,\n"
    ));
    let table = files.with("nodes.csv", &table);
    let layer = kubefarm(["nodes", "import", "--format", "csv", &table]).success();
    let layer = files.with("layer.yaml", &layer);
    let again = kubefarm([
        "nodes",
        "list",
        "-o",
        "json",
        "-f",
        &layer,
        "--set=tags=null",
    ])
    .success();
    let [mut before, mut after] =
        [of_generic(&["list", "-o", "json"]), again].map(|text| json(&text));
    for found in [&mut before, &mut after] {
        for node in found["nodes"].as_array_mut().expect("nodes") {
            node["writtenAt"].take();
        }
    }
    assert_eq!(before, after);
}

#[test]
fn wrong_input_is_refused() {
    let generic = |args: &[&str]| kubefarm(["nodes", "list"].iter().chain(args).chain(&GENERIC));
    assert_refused(
        &generic(&["--pool", "2"]),
        &["there is no pool \"2\"", "choose one of 0, 1"],
    );
    assert_refused(&generic(&["--sort-by", "age"]), &["'age'", "address"]);
    assert_refused(
        &generic(&["-o", "yaml"]),
        &["'yaml'", "table, wide, json, csv"],
    );
    let wrong = generic(&["--set", "nodePools[0].nodes[0].mac=x"]);
    assert_refused(&wrong, &["`x` is not a MAC address"]);
}
