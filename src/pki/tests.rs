//! What certificates become, by what is there and what time it is.

mod clock;
mod damage;
mod readers;
mod reasons;
mod rotation;
mod secrecy;
mod verify;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Change, Completed, Intent, Issued, Material, PkiError, Reason, Step, Store, complete};
use crate::chart::Charts;
use crate::farm;
use crate::farm::certificates::{CONFIGURATION, Pki};
use crate::values::{Input, load};

/// When everything is made: 2026-01-01.
const START: i64 = 1_767_225_600;
/// What the names of the Secrets begin with.
const PREFIX: &str = "farm-kubernetes-pki";

/// The PKI of the farm `farm` in the namespace `clusters`.
fn pki(values: &str) -> Pki {
    pki_of("farm", "clusters", values)
}

fn pki_of(name: &str, namespace: &str, values: &str) -> Pki {
    let charts = Charts::embedded();
    let layers = ["pki: {mode: builtin}", values].map(|text| Input::Builtin {
        name: "test".to_owned(),
        text: text.to_owned(),
    });
    let tree = load(&charts.default_values(), &layers).expect("values");
    let checked = farm::check(&tree, Some(name), namespace, || None);
    let problems = &checked.problems;
    let farm = checked.values.map(farm::CheckedValues::build);
    farm.unwrap_or_else(|| panic!("{values}\n{problems:?}")).pki
}

/// Seconds after everything is made.
fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a time")
}

fn secret(short: &str) -> String {
    if short == CONFIGURATION {
        "farm-kubernetes-ltsp-pki-configuration".to_owned()
    } else {
        format!("{PREFIX}-{short}")
    }
}

fn completed(pki: &Pki, found: &Store, seconds: i64) -> Completed {
    complete(pki, found, Some(after(seconds)), &Intent::default()).expect("completed")
}

/// Why it cannot be completed, one a line.
#[track_caller]
fn refused(pki: &Pki, found: &Store, seconds: i64, intent: &Intent) -> String {
    let result = complete(pki, found, Some(after(seconds)), intent);
    let errors = result.expect_err("it was completed");
    let lines: Vec<String> = errors.iter().map(PkiError::to_string).collect();
    lines.join("\n")
}

fn stepping(authority: &str, step: Step) -> Intent {
    Intent {
        rotation: Some((authority.to_owned(), step)),
        ..Intent::default()
    }
}

fn renewing(names: &[&str]) -> Intent {
    Intent {
        renew: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Intent::default()
    }
}

/// What is there once everything is written, and what is left over is removed.
fn store(completed: &Completed) -> Store {
    let issued = completed.issued.iter();
    let pairs = issued.map(|one| (one.secret.clone(), one.material.clone()));
    pairs.collect()
}

/// A whole PKI, made at the start.
fn made(pki: &Pki) -> Store {
    store(&completed(pki, &Store::new(), 0))
}

/// What changed, by the Secrets' short names.
fn changes(completed: &Completed) -> BTreeMap<&str, Change> {
    let changed = completed.issued.iter();
    let changed = changed.filter(|one| one.change != Change::Kept);
    let named = changed.map(|one| (short(one), one.change.clone()));
    named.collect()
}

fn short(issued: &Issued) -> &str {
    let parts = issued.secret.rsplit_once("-pki-");
    parts.expect("a Secret of the farm").1
}

/// The one Secret that is issued, and why; fails where anything else changed.
#[track_caller]
fn only(completed: &Completed) -> (&str, Reason) {
    let mut changed: Vec<_> = changes(completed).into_iter().collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    match changed.remove(0) {
        (name, Change::Issued(reason)) => (name, reason),
        other => panic!("{other:?}"),
    }
}

/// The same PEM block, with a base64 line less.
fn truncated(pem: &str) -> String {
    let lines: Vec<&str> = pem.lines().collect();
    let end = lines.len().saturating_sub(2);
    lines[..end].join("\n")
}

fn change(found: &Store, short: &str, edit: impl FnOnce(&mut Material)) -> Store {
    let mut found = found.clone();
    edit(found.get_mut(&secret(short)).expect("a Secret"));
    found
}
