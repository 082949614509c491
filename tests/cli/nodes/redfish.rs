//! `kubefarm nodes import --format redfish`. The resources have the shape of DMTF's schema EthernetInterface (DSP0268)
//! and of its mockups: members of a collection are links, or whole where they are asked for with `$expand`.

use serde_json::{Value, json};

use super::Files;
use crate::cli::assert_refused;
use crate::support::{Finished, kubefarm};

fn import(files: &[&str], args: &[&str]) -> Finished {
    let command = ["nodes", "import", "--format", "redfish"];
    kubefarm(command.iter().chain(args).chain(files))
}

fn interface(system: &str, id: &str, mac: &str, address: &str) -> Value {
    json!({
        "@odata.type": "#EthernetInterface.v1_12_4.EthernetInterface",
        "@odata.id": format!("/redfish/v1/Systems/{system}/EthernetInterfaces/{id}"),
        "Id": id,
        "Name": "Ethernet Interface",
        "Status": {"State": "Enabled", "Health": "OK"},
        "PermanentMACAddress": mac,
        "MACAddress": mac,
        "IPv4Addresses": [{"Address": address, "SubnetMask": "255.255.0.0", "AddressOrigin": "DHCP"}],
        "IPv6Addresses": [{"Address": "fe80::1", "PrefixLength": 64, "AddressOrigin": "LinkLocal"}],
    })
}

fn collection(system: &str, members: &[Value]) -> Value {
    json!({
        "@odata.type": "#EthernetInterfaceCollection.EthernetInterfaceCollection",
        "@odata.id": format!("/redfish/v1/Systems/{system}/EthernetInterfaces"),
        "Name": "Ethernet Interface Collection",
        "Members@odata.count": members.len(),
        "Members": members,
    })
}

#[test]
fn interfaces_of_a_system_are_macs_of_a_node() {
    let files = Files::new();
    let mut bonded = interface("437XR1138R2", "2", "12:44:6A:3B:04:12", "");
    // Both cards of a bond have the MAC of the first; a VLAN has that of its card.
    bonded["MACAddress"] = "12:44:6A:3B:04:11".into();
    let mut vlan = interface("437XR1138R2", "1.100", "", "10.64.1.17");
    vlan["MACAddress"] = "12:44:6A:3B:04:11".into();
    let off = interface("437XR1138R2", "3", "00:00:00:00:00:00", "169.254.3.4");
    let first = interface("437XR1138R2", "1", "12:44:6A:3B:04:11", "0.0.0.0");
    let text = collection("437XR1138R2", &[first, bonded, vlan, off]);
    // Pretty-printed and on one line.
    for text in [format!("{text:#}"), text.to_string()] {
        let file = files.with("r1n07.json", &text);
        let layer = import(&[&file], &["--name-prefix", "hw-"]).success();
        let expected = "\
nodePools:
  imported:
    nodes:
    - name: hw-437xr1138r2
      mac:
      - \"12:44:6a:3b:04:11\"
      - \"12:44:6a:3b:04:12\"
      ip: \"10.64.1.17\"
";
        assert!(layer.ends_with(expected), "{layer}");
        let named = import(&[&file], &["--name", "{file}"]).success();
        assert!(named.contains("name: r1n07\n"), "{named}");
    }
}

#[test]
fn members_may_stand_by_themselves_and_in_a_list() {
    let files = Files::new();
    let members = [
        interface("1", "1", "12:44:6A:3B:04:11", ""),
        interface("2", "1", "12:44:6A:3B:04:21", ""),
        interface("1", "2", "12:44:6A:3B:04:12", ""),
    ];
    let file = files.with("list.json", &json!(members).to_string());
    let layer = import(&[&file], &["--name", "n{system}"]).success();
    assert!(
        layer.contains(
            "name: n1\n      mac:\n      - \"12:44:6a:3b:04:11\"\n      - \"12:44:6a:3b:04:12\"\n"
        ),
        "{layer}"
    );
    assert!(
        layer.contains("name: n2\n      mac: \"12:44:6a:3b:04:21\"\n"),
        "{layer}"
    );
    let mut alone = interface("1", "1", "12:44:6A:3B:04:31", "");
    alone.as_object_mut().expect("a map").remove("@odata.id");
    let file = files.with("r1n09.json", &alone.to_string());
    assert!(import(&[&file], &[]).success().contains("name: r1n09\n"));
}

#[test]
fn a_system_of_two_controllers_is_two_machines() {
    let files = Files::new();
    let one = files.with(
        "a.json",
        &interface("1", "1", "12:44:6A:3B:04:11", "").to_string(),
    );
    let other = files.with(
        "b.json",
        &interface("1", "1", "12:44:6A:3B:04:21", "").to_string(),
    );
    let refused = import(&[&one, &other], &["--name", "n{system}"]);
    let at = [
        format!("{other}:1:1"),
        format!("it is written at {one}:1:1"),
    ];
    assert_refused(&refused, &["the name n1 is already used", &at[0], &at[1]]);
    let layer = import(&[&one, &other], &["--name", "{file}"]).success();
    assert!(
        layer.contains("name: a\n") && layer.contains("name: b\n"),
        "{layer}"
    );
}

#[test]
fn what_is_not_an_interface_is_refused() {
    let files = Files::new();
    let link = json!({"@odata.id": "/redfish/v1/Systems/1/EthernetInterfaces/1"});
    let mut manager = interface("1", "1", "12:44:6A:3B:04:11", "");
    manager["@odata.id"] = "/redfish/v1/Managers/1/EthernetInterfaces/1".into();
    let empty = interface("1", "1", "", "");
    for (text, parts) in [
        (
            collection("1", &[link]).to_string(),
            &["only a link", "$expand"] as &[&str],
        ),
        (
            manager.to_string(),
            &["the management controller itself", "/Systems/"],
        ),
        (
            json!({"error": {}}).to_string(),
            &["not an interface", "EthernetInterfaceCollection"],
        ),
        (
            interface("1", "1", "12:44", "").to_string(),
            &["`12:44` is not a MAC"],
        ),
        (
            interface("1", "1", "12:44:6A:3B:04:11", "x").to_string(),
            &["`x` is not an IP address"],
        ),
        ("{\"Members\": [".to_owned(), &["this is not JSON"]),
        (String::new(), &["this file is empty"]),
        (
            empty.to_string(),
            &[
                "no interface of 1 has a MAC: it is left out",
                "has no machine",
            ],
        ),
    ] {
        let file = files.with("x.json", &text);
        assert_refused(&import(&[&file], &[]), parts);
    }
}
