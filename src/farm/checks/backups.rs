//! Backups: who makes them, and who can read them.

use crate::farm::findings::Findings;
use crate::farm::spec::Values;
use crate::values::{Path, Problem};

/// Checks the values of backups against each other.
pub fn check(values: &Values, findings: &mut Findings) {
    let backup = &values.kubernetes.etcd.backup;
    let path = Path::from("kubernetes.etcd.backup");
    if backup.unencrypted && !backup.recipients.is_empty() {
        let problem = Problem::error("backups are encrypted for the recipients, or not at all");
        let help = "leave out recipients, or unencrypted";
        findings.record(&path.join("unencrypted"), problem.help(help));
    }
    if backup.is_by_kubefarm() {
        return;
    }
    for (key, is_set) in [
        ("keepFor", backup.keep_for.is_some()),
        ("secrets", !backup.secrets.is_empty()),
    ] {
        if is_set {
            let problem = Problem::warning(
                "nothing reads this: snapshots of etcdctl have no Secrets, and nothing removes them",
            );
            let help = "set recipients, or unencrypted: true, and kubefarm makes the backups";
            findings.record(&path.join(key), problem.help(help));
        }
    }
}
