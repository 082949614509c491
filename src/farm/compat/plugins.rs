//! Admission plugins that kube-apiserver does not have, and with which it does not start.

use super::servers::{Server, is_empty, left_out, rewrite, unknown};
use crate::farm::findings::Findings;
use crate::farm::known::{API_SERVER, ProgramVersion, Support};
use crate::values::{Path, Problem};

const FLAGS: [&str; 3] = [
    "enable-admission-plugins",
    "disable-admission-plugins",
    // The old name of the first one, before Kubernetes 1.10, which still works.
    "admission-control",
];

/// Removes obsolete plugins from kube-apiserver's flags, and reports unknown ones.
pub fn check(server: &mut Server, findings: &mut Findings) {
    if server.version.program.name != API_SERVER.name {
        return;
    }
    for flag in FLAGS {
        let path = server.path.join(flag);
        let version = server.version;
        let Some(value) = server.flags.get_mut(flag) else {
            continue;
        };
        rewrite(value, &path, |plugins, path| {
            left_of(plugins, version, path, findings)
        });
        if is_empty(value) {
            server.flags.shift_remove(flag);
        }
    }
}

/// Plugins separated by commas, without the obsolete ones.
fn left_of(plugins: &str, version: ProgramVersion, path: &Path, findings: &mut Findings) -> String {
    let mut left = Vec::new();
    for plugin in plugins.split(',') {
        let name = plugin.trim();
        let what = format!("the admission plugin {name}");
        let support = version.plugin(name);
        match support {
            Support::Supported => left.push(plugin),
            _ if name.is_empty() => {}
            Support::RemovedIn(since) => {
                let problem = Problem::warning(left_out(version, &what, since));
                findings.record(path, problem.help(advice(name)));
            }
            Support::AddedIn(_) | Support::Unknown => {
                findings.record(
                    path,
                    unknown(version, &what, support, version.nearest_plugin(name)),
                );
                left.push(plugin);
            }
        }
    }
    left.join(",")
}

fn advice(plugin: &str) -> &'static str {
    match plugin {
        "PodSecurityPolicy" => {
            "PodSecurity, which is on by default, enforces the Pod Security Standards by labels of namespaces"
        }
        "SecurityContextDeny" => "the Pod Security Standard `restricted` does more",
        "PersistentVolumeLabel" => "the cloud provider's controllers set the labels",
        _ => "remove it",
    }
}
