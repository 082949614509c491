use std::net::IpAddr;

use jiff::Timestamp;

use super::*;
use crate::nodes::boot::lines;

const MAC: &str = "02:00:00:40:01:0a";

/// One machine with a name; any other one gets an address of a range.
struct Farm;

impl Names for Farm {
    fn of_mac(&self, mac: &str) -> Option<String> {
        (mac == MAC).then(|| "r1n01".to_owned())
    }

    fn of_address(&self, address: IpAddr) -> Option<String> {
        (address.to_string() == "10.64.1.11").then(|| "r1n01".to_owned())
    }

    fn is_listed(&self, name: &str) -> bool {
        name == "r1n01"
    }

    fn is_for_unnamed(&self, address: IpAddr) -> bool {
        address.to_string().starts_with("10.64.8.")
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn boot() -> Vec<(i64, Sight)> {
    let address: IpAddr = "10.64.1.11".parse().unwrap();
    let by_mac = |stage, text: &'static str| Sight::new(Who::Mac(MAC.to_owned()), stage, text);
    let by_address = |stage, text: &'static str| Sight::new(Who::Address(address), stage, text);
    let image = |percent| Sight {
        percent: Some(percent),
        ..by_mac(Stage::Image, "loads the system image")
    };
    vec![
        (0, by_mac(Stage::Dhcp, "asks for an address")),
        (2, by_mac(Stage::Dhcp, "asks for an address")),
        (10, by_address(Stage::Loader, "loaded core.0")),
        (20, by_address(Stage::Kernel, "loaded the kernel")),
        // The initial RAM disk asks, too.
        (30, by_mac(Stage::Dhcp, "asks for an address")),
        (40, image(10)),
        (44, image(70)),
        (50, by_mac(Stage::Configuration, "has the system image")),
        (60, by_mac(Stage::Join, "joins")),
        (
            70,
            Sight::new(Who::Name("r1n01".to_owned()), Stage::Ready, "is Ready"),
        ),
    ]
}

fn only(machines: &Machines) -> Machine {
    let [machine] = machines.since(0).machines.try_into().unwrap();
    machine
}

#[test]
fn a_boot_goes_from_dhcp_to_ready_in_whichever_order_its_logs_arrive() {
    let (mut in_order, mut backwards) = (Machines::default(), Machines::default());
    let mut stages = Vec::new();
    for (second, sight) in boot() {
        let change = in_order.take(sight, at(second), &Farm);
        stages.extend(change.map(|change| change.stage.name()));
        if second == 44 {
            assert_eq!(only(&in_order).percent, Some(70));
        }
    }
    assert_eq!(
        stages,
        [
            "dhcp",
            "loader",
            "kernel",
            "image",
            "configuration",
            "join",
            "ready"
        ]
    );
    for (second, sight) in boot().into_iter().rev() {
        backwards.take(sight, at(second), &Farm);
    }
    for machines in [in_order, backwards] {
        let machine = only(&machines);
        assert_eq!(
            (machine.name.as_str(), machine.mac.as_deref()),
            ("r1n01", Some(MAC))
        );
        assert_eq!(
            (machine.stage, machine.since, machine.seen),
            (Stage::Ready, at(70), at(70))
        );
        assert_eq!((machine.began, machine.percent), (Some(at(0)), None));
    }
}

#[test]
fn the_begin_of_a_boot_is_kept_however_many_steps_it_has() {
    let mut machines = Machines::default();
    for (second, sight) in boot() {
        machines.take(sight, at(second), &Farm);
    }
    for second in 0..100 {
        let text = format!("step {second}");
        machines.take(
            Sight::new(Who::Mac(MAC.to_owned()), Stage::Join, text),
            at(100 + second),
            &Farm,
        );
    }
    let machine = only(&machines);
    assert_eq!((machine.began, machine.steps.len()), (Some(at(0)), 24));
    assert_eq!(machine.steps[23].text, "step 99");
}

#[test]
fn a_machine_that_stops_says_why_until_it_goes_on() {
    let mut machines = Machines::default();
    let mut boot = boot();
    boot.truncate(6);
    for (second, sight) in boot {
        machines.take(sight, at(second), &Farm);
    }
    let last = Sight::new(Who::Mac(MAC.to_owned()), Stage::Dhcp, "NO SPACE");
    let last = Sight {
        stage: None,
        ..last
    }
    .fault();
    let change = machines.take(last.clone(), at(45), &Farm).unwrap();
    assert_eq!(
        (change.stage, change.fault.as_deref()),
        (Stage::Image, Some("NO SPACE"))
    );
    // Again: nothing new.
    assert_eq!(machines.take(last, at(46), &Farm), None);
    let again = Sight::new(Who::Mac(MAC.to_owned()), Stage::Loader, "loaded core.0");
    let change = machines.take(again, at(60), &Farm).unwrap();
    assert_eq!((change.stage, change.fault), (Stage::Loader, None));
    assert_eq!(only(&machines).began, Some(at(60)));
}

#[test]
fn a_node_that_renews_its_lease_stays_where_it_is_and_one_that_asks_anew_boots() {
    let mut machines = Machines::default();
    for (second, sight) in boot() {
        machines.take(sight, at(second), &Farm);
    }
    let line = "dnsmasq-dhcp: DHCPACK(eth0) 10.64.1.11 02:00:00:40:01:0a r1n01";
    assert_eq!(
        machines.take(lines::dhcp(line).unwrap(), at(1000), &Farm),
        None
    );
    assert_eq!(only(&machines).stage, Stage::Ready);
    let line = "dnsmasq-dhcp: DHCPDISCOVER(eth0) 02:00:00:40:01:0a";
    let change = machines
        .take(lines::dhcp(line).unwrap(), at(2000), &Farm)
        .unwrap();
    assert_eq!(change.stage, Stage::Dhcp);
    // Its Node is found to be dead a while after that.
    let dead = Sight::new(
        Who::Name("r1n01".to_owned()),
        Stage::NotReady,
        "is not Ready",
    );
    assert_eq!(machines.take(dead.clone(), at(2040), &Farm), None);
    assert_eq!(only(&machines).began, Some(at(2000)));
    let ready = Sight::new(Who::Name("r1n01".to_owned()), Stage::Ready, "is Ready");
    machines.take(ready, at(2100), &Farm);
    assert_eq!(
        machines.take(dead, at(3000), &Farm).unwrap().stage,
        Stage::NotReady
    );
}

#[test]
fn what_is_seen_of_an_address_belongs_to_whom_it_was_given() {
    let mut machines = Machines::default();
    let loader =
        |address| lines::tftp(&format!("dnsmasq-tftp: sent /shared/core.0 to {address}")).unwrap();
    // The log of TFTP came before that of DHCP.
    machines.take(loader("10.64.8.15"), at(5), &Farm);
    assert_eq!(only(&machines).name, "10.64.8.15");
    let given = "dnsmasq-dhcp: DHCPACK(eth0) 10.64.8.15 02:00:00:40:07:0b ";
    machines.take(lines::dhcp(given).unwrap(), at(4), &Farm);
    let machine = only(&machines);
    assert_eq!(
        (machine.name.as_str(), machine.stage),
        ("02:00:00:40:07:0b", Stage::Loader)
    );
    // Its Node has no name but that.
    let node = Sight::new(
        Who::Name("02-00-00-40-07-0b".to_owned()),
        Stage::Ready,
        "is Ready",
    );
    machines.take(node, at(60), &Farm);
    assert_eq!(only(&machines).stage, Stage::Ready);
    machines.version("02-00-00-40-07-0b", "v1.37.0");
    assert_eq!(only(&machines).version.as_deref(), Some("v1.37.0"));
    // An address that no machine of the farm has.
    assert_eq!(machines.take(loader("10.9.9.9"), at(70), &Farm), None);
    assert_eq!(machines.since(0).machines.len(), 1);
}

/// The same, with a name for the one that had none.
struct Named;

impl Names for Named {
    fn of_mac(&self, mac: &str) -> Option<String> {
        Some(format!("node-{}", mac.replace(':', "")))
    }

    fn of_address(&self, _: IpAddr) -> Option<String> {
        None
    }

    fn is_listed(&self, name: &str) -> bool {
        name.starts_with("node-")
    }

    fn is_for_unnamed(&self, _: IpAddr) -> bool {
        false
    }
}

#[test]
fn a_machine_that_gets_a_name_keeps_its_way() {
    let mut machines = Machines::default();
    let line = "dnsmasq-dhcp: DHCPDISCOVER(eth0) 02:00:00:40:07:0b";
    machines.take(lines::dhcp(line).unwrap(), at(0), &Farm);
    let revision = machines.since(0).revision;
    machines.rename(&Named);
    let changed = machines.since(revision);
    assert_eq!(changed.machines.len(), 1);
    let machine = only(&machines);
    assert_eq!(
        (machine.name.as_str(), machine.steps.len()),
        ("node-02000040070b", 1)
    );
    // An agent that was not there before has other revisions.
    assert_eq!(machines.since(u64::MAX).machines.len(), 1);
    assert!(machines.since(changed.revision).machines.is_empty());
}

#[test]
fn strangers_are_forgotten_and_never_the_machines_of_the_values() {
    let mut machines = Machines::default();
    let asks = |mac: String| Sight::new(Who::Mac(mac), Stage::Dhcp, "asks for an address");
    machines.take(asks(MAC.to_owned()), at(0), &Farm);
    for number in 0..5000_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        machines.take(
            asks(format!("02:ff:00:00:{high:02x}:{low:02x}")),
            at(number.into()),
            &Farm,
        );
    }
    let all = machines.since(0).machines;
    assert!((3000..=4097).contains(&all.len()), "{}", all.len());
    assert!(all.iter().any(|machine| machine.name == "r1n01"));
    assert!(
        all.iter()
            .any(|machine| machine.name == "02:ff:00:00:13:87")
    );
    assert!(
        all.iter()
            .all(|machine| machine.name != "02:ff:00:00:00:00")
    );
}
