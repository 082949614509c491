//! Ranges and options: a farm takes what `dnsmasq --test` takes, and refuses what it refuses.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{kubefarm_command, program, run};

/// Ranges that a farm takes, and dnsmasq too.
const RANGES: [&str; 44] = [
    "10.0.0.1,static",
    "10.0.0.1,proxy",
    "10.0.0.0,proxy,255.255.255.0",
    "10.0.0.1,static,255.255.255.0",
    "10.0.0.0,static,255.255.255.0,10.0.0.255",
    "10.0.0.0,static,255.255.255.0,10.0.0.255,infinite",
    "10.0.0.0,static,1h",
    "10.0.0.1,10.0.0.9",
    "10.0.0.9,10.0.0.1",
    "10.0.0.1,10.1.0.1",
    "10.0.0.1,10.0.0.9,12H",
    "10.0.0.1,10.0.0.9,1W",
    "10.0.0.1,10.0.0.9,3600",
    "10.0.0.1,10.0.0.9,deprecated",
    "10.0.0.1,10.0.0.9,255.255.255.0",
    "10.0.0.1,10.0.0.9,255.255.255.0,45m",
    "10.0.0.1,10.0.0.9,255.255.255.0,10.0.0.255,45m",
    " 10.0.0.1 , 10.0.0.9 , 1h ",
    "10.0.0.1,10.0.0.9,",
    "tag:x,tag:!y,10.0.0.1,10.0.0.9",
    "fd00::1,64",
    "fd00::1,1h",
    "fd00::1,static",
    "fd00::,static,64,infinite",
    "fd00::1,fd00::ff",
    "fd00::ff,fd00::1",
    "fd00::1,fd00::ff,80",
    "fd00::1,fd00::ff,64,1h",
    "fd00::1,fd00::ff,129",
    "fd00::1,fd00::ff,off-link",
    "fd00::1,fd00::ff,ra-names,ra-stateless,slaac,64,1h",
    "fd00::,ra-only",
    "fd00::,ra-only,64",
    "fd00::,ra-advrouter",
    "fd00::,ra-only,infinite",
    "fd00::,static,ra-only",
    "::,constructor:eth0",
    "::,constructor:*",
    "::1,::ff,constructor:eth*,64,12h",
    "::,constructor:eth0,ra-only",
    "::,static,constructor:eth0",
    "::,ra-only",
    "::,ra-stateless",
    "tag:!x,fd00::1,fd00::ff",
];

/// Ranges that dnsmasq does not start with, nor a farm takes.
const NO_RANGES: [&str; 46] = [
    "10.0.0.1",
    "10.0.0.1,12h",
    "fd00::1",
    "::",
    "constructor:eth0",
    "static,10.0.0.0",
    "255.255.255.0,10.0.0.1,10.0.0.9",
    "10.0.0.1,10.0.0.9,static",
    "10.0.0.1,10.0.0.9,12h,255.255.255.0",
    "10.0.0.0,static,255.255.255.0,infinite,10.0.0.255",
    "10.0.0.1,10.0.0.9,tag:x",
    "10.0.0.1,10.1.0.1,255.255.255.0",
    "10.0.0.1,10.0.0.9,10.0.0.255",
    "10.0.0.1,10.0.0.9,255.255.255.0,10.0.0.255,10.0.0.7",
    "10.0.0.1,10.0.0.9,1h,1h",
    "10.0.0.1,10.0.0.9,,1h",
    "10.0.0.1,10.0.0.9,1x",
    "10.0.0.1,10.0.0.9,INFINITE",
    "10.0.0.1,10.0.0.9,1h,off-link",
    "10.0.0.1,Static",
    "10.0.0.1,static,static",
    "10.0.0.0,static,1h,255.255.255.0",
    "eth0,10.0.0.1,10.0.0.9",
    "fd00::1,fd01::1",
    "10.0.0.1,fd00::1",
    "fd00::1,10.0.0.1",
    "10.0.0.0,ra-only",
    "10.0.0.0,static,off-link",
    "10.0.0.1,10.0.0.9,constructor:eth0",
    "fd00::1,proxy",
    "fd00::1,fd00::ff,255.255.255.0",
    "fd00::1,fd00::ff,63",
    "fd00::1,fd00::ff,12",
    "fd00::1,fd00::ff,128",
    "fd00::1,fd00::1:ff,120",
    "fd00::,ra-only,56",
    "fd00::,ra-only,80",
    "fd00::,static,56",
    "fd00::1,fd00::ff,1h,64",
    "fd00::1,fd00::ff,64,ra-stateless,1h",
    "fd00::,64,ra-only",
    "fd00::1,fd00::ff,constructor:eth0",
    "::,constructor:eth0,80",
    "fd00::,constructor:eth0",
    "[fd00::1],[fd00::ff]",
    "set:y,10.0.0.1,10.0.0.9",
];

#[test]
fn ranges_are_taken_as_dnsmasq_takes_them() {
    let pools = |ranges: &[&str]| {
        let pools: Vec<Value> = ranges.iter().map(|range| json!({"range": range})).collect();
        format!("--set-json=nodePools={}", json!(pools))
    };
    run(kubefarm_command().args(["render", &pools(&RANGES)])).success();
    let refused = run(kubefarm_command().args(["render", &pools(&NO_RANGES)])).stderr;
    for (index, range) in NO_RANGES.iter().enumerate() {
        let message = format!("nodePools[{index}].range: ");
        assert!(refused.contains(&message), "{range}\n{refused}");
    }
    let Some(dnsmasq) = program("dnsmasq", "dnsmasq-base") else {
        return;
    };
    let expected = [(RANGES.as_slice(), true), (NO_RANGES.as_slice(), false)];
    for (ranges, verdict) in expected {
        for range in ranges {
            // A farm takes spaces away, as dnsmasq does in a file.
            let line = format!("--dhcp-range=set:x,{}", range.replace(' ', ""));
            let arguments = ["--test", "--conf-file=/dev/null", &line];
            let finished = run(Command::new(&dnsmasq).args(arguments));
            let is_taken = finished.status.success();
            assert_eq!(is_taken, verdict, "{range}: {}", finished.stderr);
        }
    }
}

/// Every name that dnsmasq lists is taken, by name and by number; and as dnsmasq refuses text, or does not.
#[test]
fn options_are_those_that_dnsmasq_lists() {
    let Some(dnsmasq) = program("dnsmasq", "dnsmasq-base") else {
        return;
    };
    for (help, prefix) in [("dhcp", "option"), ("dhcp6", "option6")] {
        let list = run(Command::new(&dnsmasq).args(["--help", help])).success();
        let options = list.lines().filter_map(|line| {
            let (number, name) = line.trim().split_once(' ')?;
            number.parse::<u8>().ok().map(|number| (number, name))
        });
        for (number, name) in options {
            let key = format!("{prefix}:{name}");
            let test = format!("--dhcp-option={key},a.example");
            let takes_text = run(Command::new(&dnsmasq).args(["--test", "-C", "/dev/null", &test]));
            let by_number = format!("{prefix}:{number}");
            let keys = if number == 255 {
                vec![key]
            } else {
                vec![key, by_number]
            };
            for key in keys {
                let options = json!({"all": {(&key): "a.example"}});
                let set = format!("--set-json=tags.dhcpOptions={options}");
                let finished = run(kubefarm_command().args(["render", &set]));
                let said = &finished.stderr;
                assert_eq!(
                    finished.status.success(),
                    takes_text.status.success(),
                    "{key}: {said}"
                );
                assert!(
                    finished.status.success() || said.contains("address"),
                    "{said}"
                );
            }
        }
    }
}
