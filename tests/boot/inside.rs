//! What the farm's values say of machines is so inside of them.

use crate::boot::guest::Guest;
use crate::boot::nodes::{PLAIN, STORAGE};
use crate::boot::{Farm, Seen};

/// What both have: a command and what it prints.
const FACTS: [(&str, &str); 13] = [
    (
        "readlink /etc/localtime",
        "/usr/share/zoneinfo/Europe/Vienna",
    ),
    ("findmnt -n -o FSTYPE /", "overlay"),
    ("findmnt -n -o FSTYPE /run/kubefarm", "tmpfs"),
    ("ls /run/kubefarm", "root.squashfs"),
    ("ls /run/kubefarm-boot", "configuration\nkeys.pem"),
    ("sysctl -n net.ipv4.ip_forward", "1"),
    (
        "grep -c -w -e ^br_netfilter -e ^overlay -e ^ip_vs /proc/modules",
        "3",
    ),
    ("sed -n 's/.*\tserver$/is there/p' /etc/hosts", "is there"),
    ("stat -c %a /root/.ssh/authorized_keys", "600"),
    (
        "ls /etc/ssh/ssh_host_*_key",
        "/etc/ssh/ssh_host_ed25519_key",
    ),
    ("systemctl is-enabled ltsp.service", "masked"),
    (
        "lsblk --noheadings --nodeps --output NAME --exclude 7 | wc -l",
        "0",
    ),
    ("systemctl is-failed kubefarm-boot.service", "inactive"),
];

/// Looks into both.
pub fn look(farm: &mut Farm) -> Seen {
    let mut wrong = Vec::new();
    for (guest, [name, address, _], own) in [
        (&farm.guests[0], PLAIN, "0"),
        (&farm.guests[1], STORAGE, "1"),
    ] {
        let mut facts = FACTS.to_vec();
        facts.push(("hostname", name));
        // The one node's own parameters, and nobody else's.
        facts.push(("grep -c -w kubefarm.test=own /proc/cmdline", own));
        let address_there =
            format!("ip -o -4 address show scope global | grep -c ' {address}/16 '");
        facts.push((&address_there, "1"));
        let commands: Vec<&str> = facts.iter().map(|(command, _)| *command).collect();
        let answers = answers(guest, address, &commands);
        assert_eq!(answers.len(), facts.len(), "{name}: {answers:?}");
        for ((command, expected), found) in facts.iter().zip(&answers) {
            if found != expected {
                wrong.push(format!("{name}: {command}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    "host name, address, kernel parameters, time zone, SSH key, sysctls, modules, overlay over an image in RAM, no disk"
        .to_owned()
}

/// What the commands print, in one session: each takes seconds under emulation.
fn answers(guest: &Guest, address: &str, commands: &[&str]) -> Vec<String> {
    const END: &str = "--- end of answer";
    let script: String = commands
        .iter()
        .map(|command| format!("{command}\necho '{END}'\n"))
        .collect();
    let text = guest.shell(address, &script).success();
    let mut answers: Vec<&str> = text.split(END).collect();
    answers.pop();
    answers
        .into_iter()
        .map(|answer| answer.trim().to_owned())
        .collect()
}
