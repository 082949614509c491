//! Why a farm was not applied, with what the user can do about it.

use std::io::{self, Write};

use super::harmless::printable;
use crate::cluster::change::{ApplyError, Refusal};
use crate::cluster::guard::Danger;
use crate::cluster::{FieldConflict, Unready};
use crate::manifest::Key;

/// Writes what helps against refusals.
type Hints<W> = fn(&[(Key, Refusal)], &mut W) -> io::Result<()>;

/// How many objects are named before the rest is counted.
const NAMED: usize = 20;

/// Prints an error of apply or delete: for refusals, each object with its reason and what helps.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn print_apply_error(error: &ApplyError, out: &mut impl Write) -> io::Result<()> {
    print_error(error, hints, out)
}

/// Prints an error of the bootstrap Job, where no flag helps.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn print_bootstrap_error(error: &ApplyError, out: &mut impl Write) -> io::Result<()> {
    print_error(error, bootstrap_hints, out)
}

fn print_error<W: Write>(error: &ApplyError, hints: Hints<W>, out: &mut W) -> io::Result<()> {
    match error {
        ApplyError::Refused(refusals) => {
            for (key, refusal) in refusals {
                print_refusal(key, refusal, out)?;
            }
            writeln!(out, "error: {error}")?;
            hints(refusals, out)
        }
        ApplyError::Pki(errors) => {
            for error in errors {
                writeln!(out, "{}", printable(&error.to_string()))?;
            }
            writeln!(out, "error: {error}")
        }
        ApplyError::Stopped { done, not_done, .. } => {
            writeln!(out, "error: {}", printable(&error.to_string()))?;
            print_keys("done", done, out)?;
            print_keys("not done", not_done, out)?;
            writeln!(out, "Run the same command again to continue.")
        }
        other => writeln!(out, "error: {}", printable(&other.to_string())),
    }
}

/// Prints what did not get ready, with what is known of the reasons.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn print_unready(unready: &[Unready], out: &mut impl Write) -> io::Result<()> {
    for object in unready {
        let reason = printable(&object.reason);
        writeln!(out, "{}: {reason}", printable(&object.key.to_string()))?;
        for detail in &object.details {
            writeln!(out, "  {}", printable(detail))?;
        }
    }
    let count = unready.len();
    writeln!(out, "error: {count} of the applied objects are not ready")
}

fn print_refusal(key: &Key, refusal: &Refusal, out: &mut impl Write) -> io::Result<()> {
    let key = printable(&key.to_string());
    match refusal {
        Refusal::Conflicts(conflicts) => {
            writeln!(out, "{key}: other field managers own some of its fields")?;
            conflicts
                .iter()
                .try_for_each(|FieldConflict { field, manager }| {
                    writeln!(
                        out,
                        "  {} belongs to {}",
                        printable(field),
                        printable(manager)
                    )
                })
        }
        Refusal::Immutable { status, .. } => {
            writeln!(
                out,
                "{key}: cannot be changed: {}",
                printable(&status.to_string())
            )
        }
        Refusal::Foreign(id) => writeln!(out, "{key}: belongs to another farm ({})", printable(id)),
        Refusal::UnknownKind => writeln!(
            out,
            "{key}: the cluster does not serve this kind{}",
            missing_provider(&key)
        ),
        Refusal::NoNamespace => writeln!(out, "{key}: its namespace does not exist"),
        Refusal::Danger(danger) => print_danger(&key, danger, out),
        Refusal::Server(status) => writeln!(out, "{key}: {}", printable(&status.to_string())),
    }
}

/// What would break, what to do instead, and how to do it anyway.
fn print_danger(key: &str, danger: &Danger, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{key}: {}", printable(&danger.what))?;
    writeln!(out, "  instead: {}", printable(&danger.way))?;
    writeln!(out, "  --accept={} does it anyway", danger.risk)
}

/// Who serves the kinds that charts use and Kubernetes does not have.
fn missing_provider(key: &str) -> &'static str {
    match key.split(' ').next().unwrap_or_default() {
        "Certificate" | "Issuer" | "ClusterIssuer" => {
            "; install cert-manager, or set pki.mode: builtin"
        }
        "DhcpHosts" | "DhcpOptions" | "DnsmasqOptions" => {
            "; install dnsmasq-controller, or set dhcp.mode: standalone"
        }
        _ => "",
    }
}

fn hints(refusals: &[(Key, Refusal)], out: &mut impl Write) -> io::Result<()> {
    let any = |wanted: fn(&Refusal) -> bool| refusals.iter().any(|(_, refusal)| wanted(refusal));
    let by_helm = |refusal: &Refusal| match refusal {
        Refusal::Conflicts(conflicts) => {
            conflicts.iter().any(|conflict| conflict.manager == "helm")
        }
        _ => false,
    };
    if any(by_helm) {
        writeln!(out, "help: --adopt takes over what Helm installed")?;
    }
    if any(|refusal| matches!(refusal, Refusal::Conflicts(_))) {
        writeln!(
            out,
            "help: --force-conflicts takes over these fields; or remove them from the values"
        )?;
    }
    if any(|refusal| {
        matches!(
            refusal,
            Refusal::Immutable {
                replaceable: true,
                ..
            }
        )
    }) {
        writeln!(out, "help: --replace deletes and recreates these objects")?;
    }
    if any(|refusal| {
        matches!(
            refusal,
            Refusal::Immutable {
                replaceable: false,
                ..
            }
        )
    }) {
        writeln!(
            out,
            "help: volumes and certificate authorities are never replaced; restore their old values"
        )?;
    }
    if any(|refusal| matches!(refusal, Refusal::NoNamespace)) {
        writeln!(
            out,
            "help: --create-namespace creates the namespaces of the release"
        )?;
    }
    Ok(())
}

fn bootstrap_hints(refusals: &[(Key, Refusal)], out: &mut impl Write) -> io::Result<()> {
    let is_fixed = |refusal: &Refusal| matches!(refusal, Refusal::Immutable { .. });
    if refusals.iter().any(|(_, refusal)| is_fixed(refusal)) {
        writeln!(
            out,
            "help: delete these objects in the child cluster, and the next run recreates them"
        )?;
    }
    Ok(())
}

fn print_keys(word: &str, keys: &[Key], out: &mut impl Write) -> io::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let plural = if keys.len() == 1 { "" } else { "s" };
    writeln!(out, "{word}: {} object{plural}", keys.len())?;
    for key in keys.iter().take(NAMED) {
        writeln!(out, "  {}", printable(&key.to_string()))?;
    }
    match keys.len().checked_sub(NAMED) {
        Some(rest) if rest > 0 => writeln!(out, "  and {rest} more"),
        _ => Ok(()),
    }
}
