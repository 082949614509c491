//! Keys: unknown ones, those of another section, and those that are not text.

use super::*;

#[test]
fn a_key_unlike_any_other_lists_the_few_there_are() {
    assert_eq!(
        problems::<Machine>("name: k\nmac: 'aa:bb:cc:dd:ee:ff'\nvlan: 1\n"),
        ["v.yaml:3:1: error: vlan: unknown key \"vlan\" (known keys: name, mac, address, ip)"]
    );
    let found = problems::<Component>("vlan: 1");
    assert_eq!(found, ["v.yaml:1:1: error: vlan: unknown key \"vlan\""]);
}

#[test]
fn a_key_of_one_section_has_to_move_there() {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    #[allow(dead_code)]
    struct Sections {
        server: Component,
        machine: Option<Machine>,
        names: Names,
    }
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    #[allow(dead_code)]
    struct Names {
        name: String,
    }
    assert_eq!(
        problems::<Sections>(
            "ratio: 1\nname: k\nmac: m\nserver: {mac: m}\nmachine: {name: k, mac: 'aa:bb:cc:dd:ee:ff'}\nnames: {}\n"
        ),
        [
            "v.yaml:1:1: error: ratio: unknown key \"ratio\" (move it under `server`)",
            // Both `machine` and `names` have it.
            "v.yaml:2:1: error: name: unknown key \"name\" (did you mean \"names\"?)",
            "v.yaml:3:1: error: mac: unknown key \"mac\" (move it under `machine`)",
            "v.yaml:4:10: error: server.mac: unknown key \"mac\"",
        ]
    );
}

#[test]
fn enums_with_content_are_maps_of_one_key() {
    let found: Vec<Shape> = decoded("[Empty, {Size: 3}, {Box: {width: 4}}, {Pair: [1, 2]}]");
    assert_eq!(
        found,
        [
            Shape::Empty,
            Shape::Size(3),
            Shape::Box { width: 4 },
            Shape::Pair(1, 2)
        ]
    );
    assert_eq!(
        problems::<Vec<Shape>>("[{Size: 300}, [], {Pair: [1, 2, 3]}, {Bix: {}}]"),
        [
            "v.yaml:1:9: error: [0].Size: 300 does not fit: expected 0 to 255",
            "v.yaml:1:15: error: [1]: expected one of \"Empty\", \"Size\", \"Box\", \"Pair\", found a list",
            "v.yaml:1:26: error: [2].Pair: expected a list of 2, found one of 3",
            "v.yaml:1:38: error: [3]: expected one of \"Empty\", \"Size\", \"Box\", \"Pair\", found \"Bix\" (did you mean \"Box\"?)",
        ]
    );
}

#[test]
fn keys_have_types_too() {
    let found: BTreeMap<u8, String> = decoded("{28: a, '3': b}");
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [3, 28]);
    assert_eq!(
        problems::<BTreeMap<u8, String>>("{28: a, x: b}"),
        ["v.yaml:1:9: error: x: expected u8, found the string \"x\""]
    );
    let found: BTreeMap<Mac, String> = decoded("{'aa:bb:cc:dd:ee:ff': b}");
    assert_eq!(found.len(), 1);
    assert_eq!(
        problems::<BTreeMap<Mac, String>>("\nzz: b"),
        ["v.yaml:2:1: error: zz: \"zz\" is not a MAC address"]
    );
}

impl PartialOrd for Mac {
    fn partial_cmp(&self, other: &Mac) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Mac {}

impl Ord for Mac {
    fn cmp(&self, other: &Mac) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
