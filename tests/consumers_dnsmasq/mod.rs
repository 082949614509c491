//! dnsmasq on what both DHCP modes give it: its own syntax check, and real leases in a network namespace.

mod flags;
mod verdicts;

use std::path::Path;
use std::process::Command;

use crate::support::dnsmasq::{Server, controller, mount, standalone};
use crate::support::farms::{Farm, Objects, big_values, catchall, generic, matrix};
use crate::support::yaml_readers::python_with;
use crate::support::{program, project, run, skip};
use serde_json::{Value, json};

const STANDALONE: &str = "kubefarm-kubernetes-ltsp-dhcp";

/// Runs `dnsmasq --test` on everything in one file.
#[track_caller]
fn assert_syntax(dnsmasq: &Path, name: &str, server: &Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dnsmasq.conf");
    std::fs::write(&file, server.as_one_file()).expect("written");
    let mut command = Command::new(dnsmasq);
    command
        .arg("--test")
        .arg(format!("--conf-file={}", file.display()));
    let finished = run(&mut command);
    assert!(
        finished.status.success(),
        "{name}: {}\n{}",
        finished.stderr,
        server.as_one_file()
    );
}

fn is_standalone(objects: &Objects) -> bool {
    let mut maps = objects.of_kind("ConfigMap");
    maps.any(|map| !map["data"]["dnsmasq.conf"].is_null())
}

fn server(objects: &Objects, folder: &Path) -> Server {
    let mut deployments = objects.of_kind("Deployment");
    let names = deployments
        .by_ref()
        .filter_map(|object| object["metadata"]["name"].as_str());
    match (
        is_standalone(objects),
        names.into_iter().find(|name| name.ends_with("-dhcp")),
    ) {
        (true, Some(name)) => standalone(objects, name, folder),
        _ => controller(&[objects], folder),
    }
}

#[test]
fn dnsmasq_accepts_the_lines_of_every_farm() {
    let Some(dnsmasq) = program("dnsmasq", "dnsmasq-base") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nodes.yaml");
    std::fs::write(&file, big_values(2_000)).expect("written");
    let big = |mode: &str| {
        Farm::new(format!("big {mode}"), &format!("--set dhcp.mode={mode}")).with_file(&file)
    };
    let mut counts = [0, 0];
    for farm in matrix()
        .into_iter()
        .chain([big("controller"), big("standalone")])
    {
        let objects = farm.objects();
        let folder = tempfile::tempdir().expect("a folder");
        let server = server(&objects, folder.path());
        assert_syntax(&dnsmasq, &farm.name, &server);
        if farm.name.starts_with("big") {
            assert_eq!(server.hosts.len(), 2_000, "{}", farm.name);
        }
        counts[usize::from(is_standalone(&objects))] += 1;
    }
    assert!(counts.iter().all(|count| *count > 3), "{counts:?}");
}

/// What a network namespace and a client need; `None`, and said so, where something is missing.
fn laboratory() -> Option<Command> {
    let unshare = program("unshare", "util-linux")?;
    program("ip", "iproute2")?;
    program("dnsmasq", "dnsmasq-base")?;
    let mut command = Command::new(unshare);
    command.args(["--net", "--map-root-user", "--kill-child", "--fork"]);
    let mut probe = Command::new(command.get_program());
    if !run(probe.args(command.get_args()).arg("true"))
        .status
        .success()
    {
        skip("needs the right to make a network namespace");
        return None;
    }
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    Some(command)
}

/// What machines are given (`MAC/ARCHITECTURE`), and, after a change, to others.
fn leases(
    server: &Server,
    folder: &Path,
    machines: &[&str],
    then: Option<(&str, &[&str])>,
) -> Option<Vec<Value>> {
    let mut command = laboratory()?;
    let python = python_with("socket", "python3")?;
    let support = project().join("tests/support");
    command
        .arg("sh")
        .arg(support.join("dhcp-network.sh"))
        .arg("eth1");
    command
        .arg(python)
        .arg(support.join("dhcp_client.py"))
        .arg(folder.join("log"));
    command
        .arg(server.command.join(" "))
        .arg("--")
        .args(machines);
    if let Some((change, machines)) = then {
        command.arg("--").arg(change).args(machines);
    }
    let finished = run(&mut command);
    assert!(finished.status.success(), "{}", finished.stderr);
    let answers = serde_json::Deserializer::from_str(&finished.stdout).into_iter::<Vec<Value>>();
    Some(answers.flat_map(|list| list.expect("JSON")).collect())
}

const GENERIC_NODE: [&str; 5] = [
    "02:00:00:40:06:0a/0",
    "02:00:00:40:06:0b/7",
    "02:00:00:40:06:0a/9",
    "02:00:00:40:06:0b/11",
    "02:ff:00:00:00:01/7",
];

/// What the storage node of `generic` gets; an unknown machine gets nothing.
fn expected_leases() -> Vec<Value> {
    let lease = |file: &str| {
        json!({
            "type": 5, "by": "10.64.0.2", "ip": "10.64.1.16", "next-server": "10.64.0.11", "name": "r1n06",
            "netmask": "255.255.0.0", "broadcast": "10.64.255.254", "router": "10.64.0.1",
            "dns": "10.64.0.1", "server": "10.64.0.11", "file": file,
        })
    };
    let efi = "ltsp/grub/x86_64-efi/shimx64.efi";
    let files = [
        "ltsp/grub/i386-pc/core.0",
        efi,
        efi,
        "ltsp/grub/arm64-efi/core.efi",
    ];
    files.map(lease).into_iter().chain([Value::Null]).collect()
}

fn with_address(farm: Farm, address: &str) -> Farm {
    farm.with(format!("--set=ltsp.service.loadBalancerIP={address}"))
}

/// `generic`, with an option that says something else than what dnsmasq finds out itself.
fn observed_generic() -> Farm {
    generic().with("--set=tags.dhcpOptions.all.broadcast=10.64.255.254")
}

fn standalone_farm() -> Farm {
    observed_generic().with("--set=dhcp.mode=standalone,dhcp.standalone.interface=eth1")
}

fn controller_farm() -> Farm {
    with_address(observed_generic(), "10.64.0.11").with("--set=dhcp.installController=true")
}

#[test]
fn both_modes_give_the_same() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, other] = folders.each_ref().map(tempfile::TempDir::path);
    let alone = with_address(standalone_farm(), "10.64.0.11").objects();
    let servers = [
        (standalone(&alone, STANDALONE, one), one),
        (controller(&[&controller_farm().objects()], other), other),
    ];
    for (server, folder) in servers {
        if let Some(leases) = leases(&server, folder, &GENERIC_NODE, None) {
            assert_eq!(leases, expected_leases(), "{:?}", server.command);
        }
    }
}

/// A known node stays with its farm, and every other machine gets what the catch-all farm says.
#[test]
fn two_releases_on_one_server_do_not_mix() {
    let folder = tempfile::tempdir().expect("a folder");
    let catchall =
        with_address(catchall(), "10.64.0.12").with("--set=tags.dhcpOptions.all.router=10.64.0.3");
    let releases = [controller_farm().objects(), catchall.objects()];
    let server = controller(&[&releases[0], &releases[1]], folder.path());
    let machines = [GENERIC_NODE[1], GENERIC_NODE[4]];
    let Some(leases) = leases(&server, folder.path(), &machines, None) else {
        return;
    };
    assert_eq!(leases[0], expected_leases()[1]);
    let unknown = &leases[1];
    assert_eq!(unknown["router"], "10.64.0.3");
    assert_eq!(unknown["server"], "10.64.0.12");
    assert_eq!(unknown["next-server"], "10.64.0.12");
    assert_eq!(unknown["file"], "ltsp/grub/x86_64-efi/shimx64.efi");
    assert_eq!(unknown["name"], "02-ff-00-00-00-01");
    let address = unknown["ip"].as_str().expect("an address");
    assert!(address.starts_with("10.64.200."), "{address}");
}

/// The farm's own server reads nodes and the boot server's address again when Kubernetes turns the mounts.
#[test]
fn changes_reach_the_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = standalone(&standalone_farm().objects(), STANDALONE, folder.path());
    let option = "tag:kubefarm-kubernetes-ltsp,option:server-ip-address,10.64.0.11\n\
                  tag:kubefarm-kubernetes-ltsp,option:tftp-server,10.64.0.11\n";
    let hosts = folder.path().join("hosts");
    let data = std::fs::read_link(hosts.join("..data")).expect("a link");
    let name = "kubefarm-kubernetes-ltsp-clients".to_owned();
    let fewer = server.hosts[1..].join("\n") + "\n";
    let address = [("dhcp-options".to_owned(), option.to_owned())];
    mount(&folder.path().join("address"), "first", &address);
    mount(&hosts, "second", &[(name, fewer)]);
    // Back to the first version: the change comes while the server runs.
    std::fs::remove_file(hosts.join("..data")).expect("removed");
    std::os::unix::fs::symlink(&data, hosts.join("..data")).expect("linked");
    let change = format!("ln -sfn ..second {}/..data", hosts.display());
    let machines = ["02:00:00:40:01:0a/7", GENERIC_NODE[1]];
    let then = Some((change.as_str(), machines.as_slice()));
    let Some(leases) = leases(&server, folder.path(), &machines, then) else {
        return;
    };
    assert_eq!(leases[0]["ip"], "10.64.1.11");
    assert_eq!(leases[1], expected_leases()[1]);
    assert_eq!(leases[2], Value::Null, "a node that was removed");
    assert_eq!(leases[3], expected_leases()[1]);
}

/// The boot server's TFTP is ready while dnsmasq listens, and not before.
#[test]
fn tftp_is_ready_once_it_listens() {
    let (Some(dnsmasq), Some(unshare)) = (
        program("dnsmasq", "dnsmasq-base"),
        program("unshare", "util-linux"),
    ) else {
        return;
    };
    let mut namespace = Command::new(unshare);
    namespace.args(["--net", "--map-root-user"]);
    let mut probe = Command::new(namespace.get_program());
    if !run(probe.args(namespace.get_args()).arg("true"))
        .status
        .success()
    {
        skip("needs the right to make namespaces");
        return;
    }
    let objects = generic().objects();
    let pod = &objects.get("Deployment", "kubefarm-kubernetes-ltsp")["spec"]["template"]["spec"];
    let mut containers = pod["containers"].as_array().expect("containers").iter();
    let tftp = containers
        .find(|container| container["name"] == "tftp")
        .expect("tftp");
    let command = tftp["readinessProbe"]["exec"]["command"].as_array();
    let command = command.expect("a command").iter();
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!(
        "ip link set lo up; ! \"$@\" || exit 3\n{} --no-daemon --conf-file=/dev/null --port=0 --enable-tftp \
         --tftp-root={} 2>/dev/null &\n\
         for _ in $(seq 50); do ! \"$@\" || {{ kill $!; exit 0; }}; sleep 0.1; done; kill $!; exit 4",
        dnsmasq.display(),
        folder.path().display()
    );
    namespace.args(["sh", "-c", &script, "sh"]);
    namespace.args(command.map(|word| word.as_str().expect("text")));
    let finished = run(&mut namespace);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
}
