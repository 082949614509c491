//! The programs whose flags can be set in the values.

use serde_json::Value;

use crate::farm::findings::Findings;
use crate::farm::known::{
    API_SERVER, CONTROLLER_MANAGER, ETCD, KUBE_PROXY, KUBELET, Program, ProgramVersion, SCHEDULER,
    Support,
};
use crate::farm::spec::{Flags, Image, Kubernetes};
use crate::values::{Path, Problem};

/// A program, and its flags in the values.
pub struct Server<'a> {
    pub version: ProgramVersion,
    pub flags: &'a mut Flags,
    /// Their path in the values.
    pub path: Path,
}

/// Every program whose flags are known.
pub fn servers<'a>(kubernetes: &'a mut Kubernetes, findings: &Findings) -> [Server<'a>; 5] {
    let version = kubernetes.version.clone();
    let server = |key, program, image, flags| {
        let path = Path::from("kubernetes").join(key);
        Server {
            version: program_version(program, image, &version, &path, findings),
            flags,
            path: path.join("extraArgs"),
        }
    };
    let (api, manager) = (
        &mut kubernetes.api_server,
        &mut kubernetes.controller_manager,
    );
    let (scheduler, proxy) = (&mut kubernetes.scheduler, &mut kubernetes.kube_proxy);
    let etcd = &mut kubernetes.etcd;
    [
        server("apiServer", &API_SERVER, &api.image, &mut api.extra_args),
        server(
            "controllerManager",
            &CONTROLLER_MANAGER,
            &manager.image,
            &mut manager.extra_args,
        ),
        server(
            "scheduler",
            &SCHEDULER,
            &scheduler.image,
            &mut scheduler.extra_args,
        ),
        server(
            "kubeProxy",
            &KUBE_PROXY,
            &proxy.image,
            &mut proxy.extra_args,
        ),
        server("etcd", &ETCD, &etcd.image, &mut etcd.extra_args),
    ]
}

/// The program of the component at `path`: not certain if its image cannot be read.
pub fn program_version(
    program: &'static Program,
    image: &Image,
    version: &str,
    path: &Path,
    findings: &Findings,
) -> ProgramVersion {
    let version = ProgramVersion::of(program, image, version);
    let is_read = !findings.is_wrong_inside(&path.join("image"));
    ProgramVersion {
        certain: version.certain && is_read,
        ..version
    }
}

/// The nodes' kubelets. The version in a node's image is not known here.
pub fn kubelet_version(version: &str) -> ProgramVersion {
    ProgramVersion::of_unknown_image(&KUBELET, version)
}

/// An error if the program is certain not to start, else a warning.
pub fn refused(version: ProgramVersion, message: String) -> Problem {
    if version.certain {
        Problem::error(message)
    } else {
        Problem::warning(message)
    }
}

/// Replaces a text of names separated by commas, or each in a list, by what `left_of` returns. Texts that become empty
/// are removed from a list.
pub fn rewrite(value: &mut Value, path: &Path, mut left_of: impl FnMut(&str, &Path) -> String) {
    match value {
        Value::String(names) => *names = left_of(names, path),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                if let Value::String(names) = item {
                    *names = left_of(names, &path.join(index));
                }
            }
            items.retain(|item| item.as_str() != Some(""));
        }
        _ => {}
    }
}

/// Whether a flag has no names left.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(names) => names.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The message for something that was removed and is left out.
pub fn left_out(version: ProgramVersion, what: &str, since: u32) -> String {
    format!(
        "{what} was removed in {} and is left out",
        version.program.release(since)
    )
}

/// The problem with something that a program does not have, or only in a later version.
pub fn unknown(
    version: ProgramVersion,
    what: &str,
    support: Support,
    near: Option<&str>,
) -> Problem {
    let name = version.program.name;
    let problem = match support {
        Support::AddedIn(minor) => {
            let message = format!(
                "{what} was added in {}, but this is {}",
                version.program.release(minor),
                version.release()
            );
            return refused(version, message).help("remove it, or take an image of that version");
        }
        _ => refused(
            version,
            format!("{name} has no {}", what.trim_start_matches("the ")),
        ),
    };
    match near {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("`{name} --help` lists them; remove it")),
    }
}
