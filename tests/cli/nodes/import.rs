//! `kubefarm nodes import`: tables, chassis, leases.

use super::Files;
use crate::cli::assert_refused;
use crate::support::{Finished, kubefarm, kubefarm_with_stdin};

/// Imports a text from stdin.
fn import(format: &str, args: &[&str], text: &str) -> Finished {
    let command = ["nodes", "import", "--format", format];
    kubefarm_with_stdin(command.iter().chain(args), text)
}

/// The layer without the comment above it.
#[track_caller]
fn layer(format: &str, args: &[&str], text: &str) -> String {
    let layer = import(format, args, text).success();
    let (comment, layer) = layer.split_once('\n').expect("lines");
    assert!(comment.starts_with("# "), "{comment}");
    layer.to_owned()
}

const TABLE: &str = "\
MAC,name,ip,tags,pool
02-00-00-40-07-0A,r1n07,10.64.1.17,,
# Two cards.
0200.0040.080a 0200.0040.080b,r1n08,\"10.64.1.18,fd00::18\",storage debug,racks
02:00:00:40:09:0a,r1n09
";

#[test]
fn a_table_becomes_pools_by_name_and_tags() {
    let expected = "\
nodePools:
  imported:
    nodes:
    - name: r1n07
      mac: \"02:00:00:40:07:0a\"
      ip: \"10.64.1.17\"
    - name: r1n09
      mac: \"02:00:00:40:09:0a\"
  racks:
    nodes:
    - name: r1n08
      mac:
      - \"02:00:00:40:08:0a\"
      - \"02:00:00:40:08:0b\"
      ip:
      - \"10.64.1.18\"
      - fd00::18
    tags:
    - storage
    - debug
";
    assert_eq!(layer("csv", &[], TABLE), expected);
    let semicolons = "\u{feff}name;mac\r\nr1n07;02:00:00:40:07:0a\r\n";
    assert!(layer("csv", &[], semicolons).contains("- name: r1n07\n"));
}

#[test]
fn machines_of_a_pool_with_other_tags_get_a_pool_of_their_own() {
    let table = "name,mac,tags,pool\na,020000000001,x,p\nb,020000000002,,p\nc,020000000003,x y,p\nd,020000000004,,p-x-y\n";
    let layer = layer("csv", &[], table);
    let pools: Vec<&str> = layer
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .collect();
    assert_eq!(pools, ["  p:", "  p-untagged:", "  p-x-y-2:", "  p-x-y:"]);
}

#[test]
fn wrong_rows_are_refused_with_their_lines() {
    for (table, parts) in [
        (
            "name,mca\n",
            &["`mca` is not a column", "did you mean `mac`?", "-:1:1"] as &[&str],
        ),
        (
            "name,ip\n",
            &["there is no column mac", "wanted is a header"],
        ),
        ("", &["there is no header"]),
        ("mac,mac\n", &["the column mac is there twice"]),
        ("mac,name\nx,a\n", &["`x` is not a MAC address", "-:2:1"]),
        (
            "mac,name\n01:00:5e:00:00:01,a\n",
            &["no network card has the MAC", "-:2:1"],
        ),
        ("mac,name\n\n,a\n", &["a machine without a MAC", "-:3:1"]),
        (
            "mac,name\n020000000001,a_b\n",
            &["`a_b` is not a host name", "-:2:1"],
        ),
        (
            "mac,name\n020000000001\n",
            &["a machine without a name", "--name"],
        ),
        (
            "mac,name,ip\n020000000001,a,10.0.0.300\n",
            &["`10.0.0.300` is not an IP address"],
        ),
        ("mac,name,tags\n020000000001,a,b!\n", &["`b!` is not a tag"]),
        (
            "mac,name\n020000000001,a,b\n",
            &["3 cells in a row, and the header has 2"],
        ),
    ] {
        assert_refused(&import("csv", &[], table), parts);
    }
}

#[test]
fn what_is_there_twice_is_refused_with_both_places() {
    let files = Files::new();
    let first = files.with("first.csv", "name,mac,ip\na,020000000001,10.0.0.1\n");
    for (name, row, what) in [
        (
            "name",
            "A,020000000002,10.0.0.2",
            "the name A is already used",
        ),
        (
            "mac",
            "b,02-00-00-00-00-01,10.0.0.2",
            "the MAC 02:00:00:00:00:01 is already used",
        ),
        (
            "ip",
            "b,020000000002,10.0.0.1",
            "the address 10.0.0.1 is already used",
        ),
    ] {
        let second = files.with(&format!("{name}.csv"), &format!("name,mac,ip\n\n{row}\n"));
        let finished = kubefarm(["nodes", "import", "--format", "csv", &first, &second]);
        let at = [
            format!("{second}:3:1"),
            format!("it is written at {first}:2:1"),
        ];
        assert_refused(&finished, &[what, &at[0], &at[1]]);
    }
}

const CHASSIS: &str = "\
hpiLO-> show node macaddr all\r
\r
Slot ID    NIC 1 (Switch A)  NIC 2 (Switch B)  NIC 3 (Switch A)  NIC 4 (Switch B)\r
---- ----- ----------------- ----------------- ----------------- -----------------\r
  1  c1n1  a0:1d:48:b5:04:34 a0:1d:48:b5:04:35 a0:1d:48:b5:04:36 a0:1d:48:b5:04:37\r
  2  c2n1  N/A\r
 45  c45n4 A0:1D:48:B5:05:34 N/A\r
\r
hpiLO->\r
";

#[test]
fn a_moonshot_chassis_becomes_a_pool() {
    let args = [
        "--name-prefix",
        "ch1-",
        "--pool",
        "moonshot",
        "--tag",
        "x,z",
    ];
    let expected = "\
nodePools:
  moonshot:
    nodes:
    - name: ch1-c1n1
      mac:
      - a0:1d:48:b5:04:34
      - a0:1d:48:b5:04:35
      - a0:1d:48:b5:04:36
      - a0:1d:48:b5:04:37
    - name: ch1-c45n4
      mac: a0:1d:48:b5:05:34
    tags:
    - x
    - z
";
    assert_eq!(layer("moonshot", &args, CHASSIS), expected);
    let warned = import("moonshot", &[], CHASSIS);
    warned.failed(0, &["warning: c2n1 has no MAC, and is left out", "-:6:1"]);
    let named = layer("moonshot", &["--name", "s{slot}-{node}"], CHASSIS);
    assert!(named.contains("name: s45-c45n4\n"), "{named}");
}

#[test]
fn other_lines_of_a_chassis_are_refused() {
    for (line, parts) in [
        (
            "COMMAND NOT FOUND",
            &[
                "not a row of this listing",
                "show node macaddr all",
                "-:2:1",
            ] as &[&str],
        ),
        (
            "1 c1n1 a0:1d:48:b5:04:34 a0:1d:48:b5:04",
            &["`a0:1d:48:b5:04` is not a MAC"],
        ),
        ("1 n1 a0:1d:48:b5:04:34", &["not a row of this listing"]),
        (
            "1 c1n1 a0:1d:48:b5:04:34\n2 c2n1 a0:1d:48:b5:04:34",
            &[
                "the MAC a0:1d:48:b5:04:34 is already used",
                "-:3:1",
                "at -:2:1",
            ],
        ),
    ] {
        let text = format!("Slot ID NIC 1\n{line}\n");
        assert_refused(&import("moonshot", &[], &text), parts);
    }
    let pattern = import("moonshot", &["--name", "{serial}"], CHASSIS);
    assert_refused(
        &pattern,
        &["{serial} is not known", "slot, node, file, mac"],
    );
    assert_refused(
        &import("moonshot", &[], "Slot ID NIC 1\n"),
        &["the listing has no machine"],
    );
}

const LEASES: &str = "\
1764515512 02:00:00:40:07:0a 10.64.200.17 02-00-00-40-07-0a 01:02:00:00:40:07:0a
0 06-02:00:00:40:07:0b 10.64.200.18 * *
duid 00:01:00:01:2c:9e:4c:1f:02:00:00:40:00:01
1764515512 4196871 fd00::17 * 00:04:1b
";

#[test]
fn leases_become_a_pool() {
    let expected = "\
nodePools:
  imported:
    nodes:
    - name: \"02-00-00-40-07-0a\"
      mac: \"02:00:00:40:07:0a\"
      ip: \"10.64.200.17\"
    - name: new-02-00-00-40-07-0b
      mac: \"02:00:00:40:07:0b\"
      ip: \"10.64.200.18\"
";
    assert_eq!(
        layer("dnsmasq-leases", &["--name-prefix", "new-"], LEASES),
        expected
    );
    let warned = import("dnsmasq-leases", &[], LEASES);
    warned.failed(0, &["leases of DHCPv6 have no MAC, and are left out: 1"]);
}

#[test]
fn lines_that_are_not_leases_are_refused() {
    for (line, parts) in [
        (
            "lease 10.0.0.1 {",
            &["not a lease", "dnsmasq's file of leases", "-:1:1"] as &[&str],
        ),
        (
            "soon 02:00:00:00:00:01 10.0.0.1 a *",
            &["`soon` is not a time in seconds"],
        ),
        (
            "1 02:00:00:00:00:01 fd00::1 a *",
            &["the third field is not an IPv4 address"],
        ),
        (
            "1 02:00:00:00:00 10.0.0.1 a *",
            &["`02:00:00:00:00` is not a MAC"],
        ),
        (
            "1 02:00:00:00:00:01 10.0.0.1 a_b *",
            &["`a_b` is not a host name"],
        ),
        (
            "1 02:00:00:00:00:01 10.0.0.1 a *\n1 02:00:00:00:00:02 10.0.0.2 a *",
            &["the name a is already used", "at -:1:1"],
        ),
    ] {
        assert_refused(&import("dnsmasq-leases", &[], line), parts);
    }
}

/// A layer is laid over values in which nodePools is a map, and over a list that null has taken away.
#[test]
fn layers_are_taken_by_render() {
    let files = Files::new();
    let emptied = files.with(
        "emptied.yaml",
        "{nodePools: null, kubernetes: {networking: {nodeNetworks: null}}}\n",
    );
    for (format, text) in [
        ("csv", TABLE),
        ("moonshot", CHASSIS),
        ("dnsmasq-leases", LEASES),
    ] {
        let text = import(format, &["--tag", "new"], text).success();
        let layer = files.with("layer.yaml", &text);
        let generic = ["-f", "examples/generic/values.yaml", "-f", &emptied];
        for base in [
            &["-f", "examples/catchall/values.yaml"] as &[&str],
            &generic,
        ] {
            let render = ["render"].iter().chain(base).copied();
            kubefarm(render.chain(["-f", &layer])).success();
        }
    }
}

#[test]
fn usage_is_refused_before_anything_is_read() {
    assert_refused(&kubefarm(["nodes", "import"]), &["--format"]);
    assert_refused(
        &import("xlsx", &[], ""),
        &["'xlsx'", "csv, moonshot, dnsmasq-leases, redfish"],
    );
    assert_refused(
        &import("csv", &["--tag", "a!"], TABLE),
        &["`a!` is not a tag"],
    );
    let missing = kubefarm(["nodes", "import", "--format", "csv", "/does/not/exist"]);
    missing.failed(
        1,
        &["error: /does/not/exist: No such file or directory (os error 2)\n"],
    );
}
