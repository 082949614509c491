//! Counts: the limits of Kubernetes, and of what can be meant.

use crate::farm::findings::Findings;
use crate::farm::spec::Values;
use crate::values::{Path, Problem};

/// Each member of etcd is listed in flags and certificates. (etcd's FAQ advises no more than seven.)
const MOST_MEMBERS: u32 = 99;
/// More of a control plane's pods than a cluster has nodes (Kubernetes, "Considerations for large clusters").
const MOST_REPLICAS: u32 = 5_000;
/// A CronJob keeps as many Jobs (a 32-bit number with a sign in batch/v1).
const MOST_JOBS: u32 = i32::MAX as u32;

/// Checks the counts.
pub fn check(values: &Values, findings: &mut Findings) {
    for (path, component) in values.components() {
        let most = match path {
            "kubernetes.etcd" => MOST_MEMBERS,
            _ => MOST_REPLICAS,
        };
        let count = component.replicas();
        at_most(
            count,
            most,
            &Path::from(path).join("replicaCount"),
            findings,
        );
    }
    let (backup, bootstrap) = (&values.kubernetes.etcd.backup, &values.kubernetes.admin.job);
    for (path, successful, failed) in [
        (
            "kubernetes.etcd.backup",
            backup.successful_jobs_history_limit,
            backup.failed_jobs_history_limit,
        ),
        (
            "kubernetes.admin.job",
            bootstrap.successful_jobs_history_limit,
            bootstrap.failed_jobs_history_limit,
        ),
    ] {
        let path = Path::from(path);
        at_most(
            successful,
            MOST_JOBS,
            &path.join("successfulJobsHistoryLimit"),
            findings,
        );
        at_most(
            failed,
            MOST_JOBS,
            &path.join("failedJobsHistoryLimit"),
            findings,
        );
    }
}

fn at_most(count: Option<u32>, most: u32, path: &Path, findings: &mut Findings) {
    if let Some(count) = count.filter(|count| *count > most) {
        let problem = Problem::error(format!("{count} is too many"));
        findings.record(path, problem.help(format!("at most {most}")));
    }
}
