//! A machine that no farm lists: it boots into the example catchall, and moves to a farm once that lists it.

use std::fs;

use serde_json::json;

use crate::boot::firmware::Firmware;
use crate::boot::guest::{self, Guest, LOGIN, Machine};
use crate::boot::nodes::{READY, look};
use crate::boot::{Farm, Seen};
use crate::e2e::release::{Release, is_ready};

const MAC: &str = "02:00:00:40:07:0a";
/// As dnsmasq writes it.
const NAME: &str = "02-00-00-40-07-0a";
/// What the farm makes of it: name, address.
const CLAIMED: [&str; 2] = ["r1n07", "10.64.1.17"];

/// The second node of the admin cluster, where the catch-all's DHCP server has the port for itself.
const SECOND: [&str; 3] = ["second", "10.64.0.3", "02:00:00:40:00:03"];

/// Two farms in one network, each with a boot server and a DHCP server of its own.
pub fn moves(farm: &mut Farm) -> Seen {
    farm.guests.clear();
    let cluster = farm.release.cluster;
    let [node, address, mac] = SECOND;
    cluster.add_node(node, address, mac);
    let mut catch_all_release = Release::first(cluster, catch_all(farm));
    catch_all_release.name = "catchall".to_owned();
    catch_all_release.namespace = "catchall".to_owned();
    catch_all_release.make_namespace(&catch_all_release.namespace, "restricted");
    catch_all_release.make_namespace(&catch_all_release.boot_namespace(), "privileged");
    catch_all_release.apply();
    let machine = Machine::new("unknown", &[MAC], Firmware::Bios);
    let mut guest = Guest::power_on(cluster, &machine);
    let login = guest.wait_for(&format!("{NAME} login:"), LOGIN);
    let claimed = cluster.scratch().join("claimed.yaml");
    fs::write(&claimed, claim().to_string()).expect("written");
    let claimed = claimed.to_str().expect("UTF-8");
    // The order in the example's README: the farm with the dynamic range has to be applied first.
    let ignore = "nodePools.claimed.ignore=true";
    catch_all_release.add_values(&["-f", claimed, "--set", ignore]);
    catch_all_release.apply();
    farm.release.add_values(&["-f", claimed]);
    farm.release.apply();
    let [name, address] = CLAIMED;
    drop(guest);
    let mut guest = Guest::power_on(cluster, &machine);
    let moved = guest.wait_for(&format!("{name} login:"), LOGIN);
    guest.shell(address, "true").success();
    let ready = guest.wait_until(&format!("{name} is Ready"), READY, || {
        is_ready(&look(&farm.release, &["node", name]))
    });
    format!(
        "login as {NAME} after {:.0} s; claimed, login as {name} after {:.0} s, Ready after {:.0} s",
        login.as_secs_f64(),
        moved.as_secs_f64(),
        ready.as_secs_f64()
    )
}

/// The flags of the example, for this network.
fn catch_all(farm: &Farm) -> Vec<String> {
    let key = guest::key(farm.release.cluster).with_extension("pub");
    let key = fs::read_to_string(key).expect("a key");
    let keys = json!([key.trim()]);
    let mut flags = Vec::new();
    for file in [
        "examples/catchall/values.yaml",
        "builtin:builtin-pki",
        "tests/boot/catchall.yaml",
    ] {
        flags.extend(["-f".to_owned(), file.to_owned()]);
    }
    flags.extend([
        "--set-json".to_owned(),
        format!("ltsp.config.sshAuthorizedKeys={keys}"),
    ]);
    flags
}

/// The file that both farms are given.
fn claim() -> serde_json::Value {
    let [name, address] = CLAIMED;
    json!({ "nodePools": { "claimed": { "nodes": [{ "name": name, "mac": MAC, "ip": address }] } } })
}
