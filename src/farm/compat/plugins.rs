//! Admission plugins that kube-apiserver does not have, and with which it does not start.

use super::servers::{Server, is_empty, left_out, rewrite, unknown};
use crate::farm::findings::Findings;
use crate::farm::known::{API_SERVER, Running, Standing};
use crate::values::{Path, Problem};

const FLAGS: [&str; 3] = [
    "enable-admission-plugins",
    "disable-admission-plugins",
    // The old name of the first one, before Kubernetes 1.10, which still works.
    "admission-control",
];

/// Removes obsolete plugins from kube-apiserver's flags, and reports unknown ones.
pub fn check(server: &mut Server, findings: &mut Findings) {
    if server.running.program.name != API_SERVER.name {
        return;
    }
    for flag in FLAGS {
        let path = server.path.join(flag);
        let running = server.running;
        let Some(value) = server.flags.get_mut(flag) else {
            continue;
        };
        rewrite(value, &path, |plugins, path| {
            left_of(plugins, running, path, findings)
        });
        if is_empty(value) {
            server.flags.shift_remove(flag);
        }
    }
}

/// Plugins separated by commas, without the obsolete ones.
fn left_of(plugins: &str, running: Running, path: &Path, findings: &mut Findings) -> String {
    let mut left = Vec::new();
    for plugin in plugins.split(',') {
        let name = plugin.trim();
        let what = format!("the admission plugin {name}");
        let standing = running.plugin(name);
        match standing {
            Standing::Known => left.push(plugin),
            _ if name.is_empty() => {}
            Standing::Removed(since) => {
                let problem = Problem::warning(left_out(running, &what, since));
                findings.record(path, problem.help(advice(name)));
            }
            Standing::Later(_) | Standing::Unknown => {
                findings.record(
                    path,
                    unknown(running, &what, standing, running.nearest_plugin(name)),
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
