//! The names of a release's objects, and whether Kubernetes accepts them.

use std::ops::Deref;

use super::findings::Findings;
use super::spec::Values;
use super::syntax::{is_namespace_name, is_service_name};
use crate::values::{Path, Problem};

/// A farm's name and the namespace of its objects: what was asked to be rendered, and what a cluster knows it by.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Release {
    pub name: String,
    pub namespace: String,
}

/// The prefixes of all object names.
#[derive(Debug, Clone)]
pub struct Names {
    /// Of the control plane's objects: `<release>-kubernetes`.
    pub kubernetes: String,
    /// Of the certificates' common names.
    pub certificates: String,
    /// The boot server, and the release's DHCP tag: `<release>-kubernetes-ltsp`.
    pub ltsp: String,
    release: String,
}

impl Names {
    /// The names from the values and the release, cut at 63 characters as Helm charts do.
    pub fn new(values: &Values, release: &Release) -> Names {
        let kubernetes = match non_empty(&values.kubernetes.fullname_override) {
            Some(name) => cut(name),
            None => {
                let part = non_empty(&values.kubernetes.name_override).unwrap_or("kubernetes");
                if part == release.name {
                    cut(part)
                } else {
                    cut(&format!("{}-{part}", release.name))
                }
            }
        };
        let ltsp = match (
            non_empty(&values.ltsp.fullname_override),
            non_empty(&values.fullname_override),
            non_empty(&values.name_override),
        ) {
            (Some(name), _, _) | (None, Some(name), _) => cut(name),
            (None, None, Some(part)) => cut(&format!("{}-{part}", release.name)),
            (None, None, None) => cut(&format!("{kubernetes}-ltsp")),
        };
        let certificates = match non_empty(&values.kubernetes.certname_override) {
            Some(name) => cut(name),
            None => kubernetes.clone(),
        };
        Names {
            kubernetes,
            certificates,
            ltsp,
            release: release.name.clone(),
        }
    }

    /// The CronJob of etcd's backups.
    pub fn etcd_backup(&self) -> String {
        format!("{}-etcd-backup", self.kubernetes)
    }

    /// The CronJob that sets the child cluster up.
    pub fn bootstrap(&self) -> String {
        format!("{}-bootstrap", self.kubernetes)
    }

    /// The CronJob that makes join tokens.
    pub fn join_token(&self) -> String {
        format!("{}-join-token", self.ltsp)
    }

    /// Records names that Kubernetes would refuse, at the value that each of them comes from.
    pub fn check(&self, values: &Values, findings: &mut Findings) {
        let causes = Causes::of(values, &self.release);
        let mut reported: Vec<&Option<Path>> = Vec::new();
        // It is also the value of a label.
        let longest = longest_release(values);
        let is_name = is_namespace_name(&self.release);
        if !is_name || self.release.len() > longest {
            let message = if self.release.len() > longest && is_label_like(&self.release) {
                format!(
                    "`{}` has {} characters, but a release's name at most {longest}: the names of its objects contain it",
                    self.release,
                    self.release.len()
                )
            } else {
                format!(
                    "`{}` is not a name for a release: lower-case letters, digits and hyphens, at most {longest}",
                    self.release
                )
            };
            record(findings, &causes.release, Problem::error(message));
            reported.push(&causes.release);
        }
        for (prefix, cause) in [
            (&self.kubernetes, &causes.kubernetes),
            (&self.ltsp, &causes.ltsp),
        ] {
            // If the boot server's name follows from the control plane's, only that is reported.
            let follows = cause == &causes.kubernetes && prefix != &self.kubernetes;
            let is_reported = follows && !is_service_name(&self.kubernetes);
            let by_release = prefix.starts_with(&self.release) && !is_service_name(&self.release);
            if by_release && !is_name {
                continue;
            }
            if !is_reported && !reported.contains(&cause) && !is_service_name(prefix) {
                let message = format!(
                    "`{prefix}` is not a name for objects: lower-case letters, digits and hyphens, beginning with a letter"
                );
                let cause = if by_release { &causes.release } else { cause };
                record(findings, cause, Problem::error(message));
                reported.push(cause);
            }
        }
        // Names that contain the release's name were reported with it.
        reported.push(&causes.release);
        for (too_long, cause) in self.too_long(values, &causes) {
            if !reported.contains(&cause) {
                record(findings, cause, Problem::error(too_long));
                reported.push(cause);
            }
        }
    }

    /// The longest names with each prefix: kind, prefix, suffix, limit, cause.
    fn longest<'a>(&'a self, values: &Values, causes: &'a Causes) -> [Longest<'a>; 5] {
        // The longest suffix that each prefix gets, by the kind with the tightest limit. A Job's name
        // ends in a hash of 10, a CronJob's Jobs in a timestamp of 10: 63 - 11 = 52 for both.
        // X.520 bounds a common name at 64 (RFC 5280, ub-common-name).
        // A certificate's name is the value of its Secret's label `app`, too.
        let certificate = if values.kubernetes.konnectivity_server.enabled {
            "-pki-konnectivity-server-client"
        } else {
            "-pki-controller-manager-server"
        };
        [
            (
                "label",
                &self.kubernetes,
                certificate,
                63,
                &causes.kubernetes,
            ),
            (
                "object name",
                &self.kubernetes,
                "-etcd-backup",
                52,
                &causes.kubernetes,
            ),
            (
                "object name",
                &self.kubernetes,
                "-controller-manager",
                63,
                &causes.kubernetes,
            ),
            (
                "object name",
                &self.ltsp,
                "-publish-address",
                52,
                &causes.ltsp,
            ),
            (
                "common name",
                &self.certificates,
                "-controller-manager-server",
                64,
                &causes.certificates,
            ),
        ]
    }

    /// The names that are too long, each with its cause; the one with the largest excess comes first.
    fn too_long<'a>(
        &'a self,
        values: &Values,
        causes: &'a Causes,
    ) -> Vec<(String, &'a Option<Path>)> {
        let mut found: Vec<(usize, String, &Option<Path>)> = Vec::new();
        for (kind, prefix, suffix, limit, cause) in self.longest(values, causes) {
            let length = prefix.len() + suffix.len();
            if length > limit {
                let message = format!(
                    "the {kind} `{prefix}{suffix}` has {length} characters, {} more than it may have; choose a shorter name",
                    length - limit
                );
                found.push((length - limit, message, cause));
            }
        }
        found.sort_by_key(|(excess, _, _)| std::cmp::Reverse(*excess));
        found
            .into_iter()
            .map(|(_, message, cause)| (message, cause))
            .collect()
    }
}

/// The kind of name, its prefix and suffix, how many characters it may have, and the value that the prefix comes from.
type Longest<'a> = (&'static str, &'a str, &'static str, usize, &'a Option<Path>);

/// The limit of a release's name in characters, which depends on what these values add to it in names.
fn longest_release(values: &Values) -> usize {
    // One letter is enough to see what is added; a long name would be cut off.
    let sample = Release {
        name: "x".to_owned(),
        namespace: String::new(),
    };
    let names = Names::new(values, &sample);
    let causes = Causes::of(values, &sample.name);
    let of_release = names.longest(values, &causes);
    let of_release = of_release
        .iter()
        .filter(|(_, _, _, _, cause)| *cause == &causes.release);
    of_release
        .map(|(_, prefix, suffix, limit, _)| {
            (limit + sample.name.len()).saturating_sub(prefix.len() + suffix.len())
        })
        .fold(63, usize::min)
}

/// Whether all characters are allowed in a release's name, whatever its length.
fn is_label_like(name: &str) -> bool {
    let shortened: String = name.chars().take(1).chain(name.chars().last()).collect();
    is_namespace_name(&shortened)
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The path of the value that each prefix comes from; `None` for a name from `--name`.
struct Causes {
    release: Option<Path>,
    kubernetes: Option<Path>,
    ltsp: Option<Path>,
    certificates: Option<Path>,
}

impl Causes {
    fn of(values: &Values, release: &str) -> Causes {
        let is_set = |value: Option<&str>, path: &str| value.map(|_| Path::from(path));
        let from_values = values.name.as_deref() == Some(release);
        let name = from_values.then(|| Path::from("name"));
        let kubernetes = &values.kubernetes;
        let prefix = is_set(
            non_empty(&kubernetes.fullname_override),
            "kubernetes.fullnameOverride",
        )
        .or(is_set(
            non_empty(&kubernetes.name_override),
            "kubernetes.nameOverride",
        ))
        .or(name.clone());
        let ltsp = is_set(
            non_empty(&values.ltsp.fullname_override),
            "ltsp.fullnameOverride",
        )
        .or(is_set(
            non_empty(&values.fullname_override),
            "fullnameOverride",
        ))
        .or(is_set(non_empty(&values.name_override), "nameOverride"))
        .or(prefix.clone());
        let certificates = is_set(
            non_empty(&kubernetes.certname_override),
            "kubernetes.certnameOverride",
        )
        .or(prefix.clone());
        Causes {
            release: name,
            kubernetes: prefix,
            ltsp,
            certificates,
        }
    }
}

fn record(findings: &mut Findings, cause: &Option<Path>, problem: Problem) {
    match cause {
        Some(path) => findings.record(path, problem),
        None => findings.add(problem.help("the release's name comes from --name")),
    }
}

/// Records namespaces that Kubernetes would refuse (RFC 1123 labels).
pub fn check_namespaces(release: &str, values: &Values, findings: &mut Findings) {
    if let Some(problem) = namespace_problem(release) {
        findings.add(problem.help("it comes from --namespace"));
    }
    if let Some(problem) = non_empty(&values.ltsp.namespace).and_then(namespace_problem) {
        findings.record(&Path::from("ltsp.namespace"), problem);
    }
}

fn namespace_problem(namespace: &str) -> Option<Problem> {
    (!is_namespace_name(namespace)).then(|| {
        Problem::error(format!(
            "`{namespace}` is not a name for a namespace: lower-case letters, digits and hyphens, at most 63"
        ))
    })
}

/// An empty name counts as not set, as in Helm's charts.
pub fn non_empty<T: Deref<Target = str>>(name: &Option<T>) -> Option<&str> {
    name.as_deref().filter(|name| !name.is_empty())
}

fn cut(name: &str) -> String {
    let first: String = name.chars().take(63).collect();
    first.trim_end_matches('-').to_owned()
}
