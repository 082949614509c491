//! Admission plugins that kube-apiserver does not have: it does not start with one.

use serde_json::Value;

use super::servers::{Server, left_out, unknown};
use crate::farm::findings::Findings;
use crate::farm::known::{API_SERVER, Running, Standing};
use crate::values::{Path, Problem};

const FLAGS: [&str; 3] = [
    "enable-admission-plugins",
    "disable-admission-plugins",
    // The name of the first before Kubernetes 1.10, which is still read.
    "admission-control",
];

/// Takes removed plugins out of kube-apiserver's flags, and reports unknown ones.
pub fn check(server: &mut Server, findings: &mut Findings) {
    if server.running.program.name != API_SERVER.name {
        return;
    }
    for flag in FLAGS {
        let path = server.path.join(flag);
        let running = server.running;
        match server.flags.get_mut(flag) {
            Some(Value::String(plugins)) => *plugins = left_of(plugins, running, &path, findings),
            Some(Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::String(plugins) = item {
                        *plugins = left_of(plugins, running, &path.join(index), findings);
                    }
                }
                items.retain(|item| item.as_str() != Some(""));
            }
            _ => continue,
        }
        let value = server.flags.get(flag);
        if value.is_some_and(|value| value.as_str() == Some("") || value == &Value::Array(vec![])) {
            server.flags.shift_remove(flag);
        }
    }
}

/// What is left of plugins that are separated by commas.
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
                let later = match standing {
                    Standing::Later(minor) => Some(minor),
                    _ => None,
                };
                findings.record(
                    path,
                    unknown(running, &what, later, running.nearest_plugin(name)),
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
