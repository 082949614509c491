//! `ltsp.namespace`: what boots nodes is in a namespace of its own, and what refers to it follows.

use serde_json::Value;

use crate::support::farms::{Farm, Objects, generic_with};

const BOOT: &str = "farm-boot";

fn in_two_namespaces(further: &str) -> Farm {
    generic_with(&format!(
        "-n farm --set ltsp.namespace={BOOT} -f builtin:builtin-pki {further}"
    ))
}

/// The modes of DHCP and of joining, with everything that each can bring.
const MODES: [&str; 2] = [
    "dhcp.installController=true",
    "dhcp.mode=standalone,join.mode=token",
];

fn objects() -> [Objects; 2] {
    MODES.map(|mode| in_two_namespaces(&format!("--set {mode}")).objects())
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Each object is where it is without the value, or in the namespace for booting where it is of those charts.
#[test]
fn boot_server_and_dhcp_move_and_nothing_else() {
    for mode in MODES {
        let flags = format!("--set {mode}");
        for object in &in_two_namespaces(&flags).objects().0 {
            let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
            let boots =
                name.contains("-ltsp") || name.starts_with("dnsmasq") || name.starts_with("dhcp");
            let expected = match kind {
                "ClusterRole" | "ClusterRoleBinding" | "CustomResourceDefinition" => "",
                // The Job is the control plane's, for it has its keys; only where it writes to is elsewhere.
                _ if name.contains("-ltsp-join-token") => "farm",
                _ if boots => BOOT,
                _ => "farm",
            };
            assert_eq!(
                text(object, "/metadata/namespace"),
                expected,
                "{mode}: {kind} {name}"
            );
        }
    }
}

/// A binding is beside its role, and its service account is where the pods are that use it.
#[test]
fn rights_follow() {
    for objects in objects() {
        let pods: Vec<(&str, &str)> = objects
            .0
            .iter()
            .filter_map(|object| {
                let account = [
                    "/spec/template/spec",
                    "/spec/jobTemplate/spec/template/spec",
                ]
                .iter()
                .map(|spec| text(object, &format!("{spec}/serviceAccountName")))
                .find(|account| !account.is_empty())?;
                Some((text(object, "/metadata/namespace"), account))
            })
            .collect();
        for (namespace, account) in &pods {
            let accounts = objects.of_kind("ServiceAccount");
            let found = accounts
                .filter(|one| text(one, "/metadata/name") == *account)
                .any(|one| text(one, "/metadata/namespace") == *namespace);
            assert!(found, "no {account} in {namespace}");
        }
        let bindings = objects
            .of_kind("RoleBinding")
            .chain(objects.of_kind("ClusterRoleBinding"));
        let mut seen = 0;
        for binding in bindings {
            seen += 1;
            let name = text(binding, "/metadata/name");
            let namespace = text(binding, "/metadata/namespace");
            let role = text(binding, "/roleRef/name");
            let roles = objects.of_kind(text(binding, "/roleRef/kind"));
            let is_there = roles
                .filter(|one| text(one, "/metadata/name") == role)
                .any(|one| text(one, "/metadata/namespace") == namespace);
            assert!(is_there, "{name}: no role {role} in {namespace}");
            let subject = (
                text(binding, "/subjects/0/namespace"),
                text(binding, "/subjects/0/name"),
            );
            assert!(
                pods.contains(&subject),
                "{name}: no pod runs as {subject:?}"
            );
        }
        assert!(seen >= 3, "{seen} bindings");
    }
}

/// The Jobs get the namespaces to read from and to write to.
#[test]
fn jobs_know_both_namespaces() {
    let says = |job: &Value, argument: &str| {
        let arguments = job.pointer("/spec/template/spec/containers/0/args");
        let mut arguments = arguments.and_then(Value::as_array).into_iter().flatten();
        arguments.any(|one| one == argument)
    };
    for mode in ["dhcp.installController=true", "dhcp.mode=standalone"] {
        let objects = in_two_namespaces(&format!("--set {mode},join.mode=token")).objects();
        let job = |part: &str| {
            let mut jobs = objects.of_kind("Job");
            jobs.find(|job| text(job, "/metadata/name").contains(part))
                .expect(part)
        };
        assert!(says(
            job("join-token"),
            &format!("--secret-namespace={BOOT}")
        ));
        assert!(says(job("publish-address"), &format!("--namespace={BOOT}")));
        // Its certificate has the name of the API server's Service, which has not moved.
        let role = objects
            .of_kind("Role")
            .find(|role| text(role, "/metadata/name").ends_with("-join-token"));
        assert_eq!(
            text(role.expect("a role"), "/rules/0/resources/0"),
            "services"
        );
    }
}

/// Without the value, and with an empty one, everything is in the release's namespace.
#[test]
fn without_it_there_is_one_namespace() {
    for flags in ["", "--set ltsp.namespace="] {
        for object in &generic_with(&format!("-n farm {flags}")).objects().0 {
            assert_eq!(text(object, "/metadata/namespace"), "farm", "{flags}");
        }
    }
}
