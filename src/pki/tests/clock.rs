//! A second before and after each moment at which something changes.

use super::*;
use crate::pki::Certificate;

const DAY: i64 = 24 * 3600;
/// Certificates begin five minutes before they are made.
const SKEW: i64 = 300;
const LEAF_LIFE: i64 = 365 * DAY;
const AUTHORITY_LIFE: i64 = 3650 * DAY;

/// From the start to the last moment at which a third of a life is left that ends `end` after the start.
fn third(end: i64) -> i64 {
    end - (end + SKEW) / 3
}

fn ends(found: &Store, short: &str) -> i64 {
    let certificate = Certificate::parse(&found[&secret(short)].certificate).expect("it");
    certificate.not_after.as_second() - START
}

#[test]
fn lives_are_as_long_as_they_should_be() {
    let pki = pki("");
    let found = made(&pki);
    for wanted in &pki.certificates {
        let life = if wanted.is_ca || wanted.boots {
            AUTHORITY_LIFE
        } else {
            LEAF_LIFE
        };
        assert_eq!(ends(&found, &wanted.short), life, "{}", wanted.short);
        let text = &found[&wanted.secret_name].certificate;
        let begin = Certificate::parse(text).expect("it").not_before;
        assert_eq!(begin, after(-SKEW), "{}", wanted.short);
    }
}

#[test]
fn leaves_are_issued_anew_when_less_than_a_third_is_left() {
    let pki = pki("");
    let found = made(&pki);
    let threshold = third(LEAF_LIFE);
    for seconds in [threshold - 1, threshold] {
        assert!(changes(&completed(&pki, &found, seconds)).is_empty());
    }
    let completed = completed(&pki, &found, threshold + 1);
    let changed = changes(&completed);
    for wanted in &pki.certificates {
        let is_due = !wanted.is_ca && !wanted.boots;
        let reason = is_due.then_some(&Change::Issued(Reason::Due));
        assert_eq!(changed.get(wanted.short.as_str()), reason);
    }
    let end = ends(&store(&completed), "admin-client");
    assert_eq!(end, threshold + 1 + LEAF_LIFE);
}

#[test]
fn each_leaf_has_its_own_threshold() {
    let pki = pki("");
    let mut found = made(&pki);
    found.remove(&secret("admin-client"));
    let found = store(&completed(&pki, &found, 10 * DAY));
    let threshold = third(LEAF_LIFE) + 10 * DAY;
    let early = completed(&pki, &found, threshold);
    assert!(!changes(&early).contains_key("admin-client"));
    assert!(changes(&early).contains_key("scheduler-client"));
    let late = completed(&pki, &store(&early), threshold + 1);
    assert_eq!(only(&late), ("admin-client", Reason::Due));
}

#[test]
fn a_leaf_that_ended_is_issued_anew() {
    let pki = pki("");
    let found = made(&pki);
    for seconds in [LEAF_LIFE - 1, LEAF_LIFE, LEAF_LIFE + 1, 3 * LEAF_LIFE] {
        let completed = completed(&pki, &found, seconds);
        let reason = Change::Issued(Reason::Due);
        assert_eq!(changes(&completed).get("etcd-server"), Some(&reason));
    }
}

#[test]
fn no_leaf_outlives_its_authority() {
    let pki = pki("");
    let found = made(&pki);
    let moment = AUTHORITY_LIFE - 90 * DAY;
    let found = store(&completed(&pki, &found, moment));
    assert_eq!(ends(&found, "admin-client"), AUTHORITY_LIFE);
    // Its own life is shorter then, and so is the third of it.
    let threshold = AUTHORITY_LIFE - (90 * DAY + SKEW) / 3;
    assert!(changes(&completed(&pki, &found, threshold)).is_empty());
    let changed = completed(&pki, &found, threshold + 1);
    let reason = Change::Issued(Reason::Due);
    assert_eq!(changes(&changed).get("admin-client"), Some(&reason));
}

#[test]
fn an_authority_that_ends_within_a_year_is_said_and_kept() {
    let pki = pki("");
    let found = made(&pki);
    let year_before = AUTHORITY_LIFE - 365 * DAY;
    assert!(completed(&pki, &found, year_before).ending.is_empty());
    let late = completed(&pki, &found, year_before + 1);
    let names: Vec<&str> = late.ending.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["etcd-ca", "ca", "sa", "front-proxy-ca"]);
    assert!(
        late.ending
            .iter()
            .all(|(_, end)| *end == after(AUTHORITY_LIFE))
    );
    assert_eq!(store(&late)[&secret("ca")], found[&secret("ca")]);
}

#[test]
fn an_authority_that_ended_is_refused() {
    let pki = pki("");
    let found = made(&pki);
    completed(&pki, &found, AUTHORITY_LIFE - 1);
    for seconds in [AUTHORITY_LIFE, AUTHORITY_LIFE + 1] {
        let said = refused(&pki, &found, seconds, &Intent::default());
        assert_eq!(said.lines().count(), 4, "{said}");
        for line in said.lines() {
            assert!(
                line.contains("cannot be used: it expired at 2035-12-30T00:00:00Z"),
                "{line}"
            );
        }
    }
}

#[test]
fn a_clock_that_is_behind_by_more_than_five_minutes_is_refused() {
    let pki = pki("");
    let found = made(&pki);
    assert!(changes(&completed(&pki, &found, -2 * SKEW)).is_empty());
    let said = refused(&pki, &found, -2 * SKEW - 1, &Intent::default());
    assert_eq!(said.lines().count(), 4, "{said}");
    for line in said.lines() {
        assert!(line.ends_with("one of the clocks is wrong"), "{line}");
    }

    // A leaf alone says it as well.
    let mut found = found;
    found.remove(&secret("admin-client"));
    let found = store(&completed(&pki, &found, DAY));
    assert!(changes(&completed(&pki, &found, DAY - 2 * SKEW)).is_empty());
    let said = refused(&pki, &found, DAY - 2 * SKEW - 1, &Intent::default());
    assert!(
        said.starts_with(&format!("{}: it is valid from", secret("admin-client"))),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_renewed_authority_gets_a_new_end_and_keeps_its_key() {
    let pki = pki("");
    let found = made(&pki);
    let moment = AUTHORITY_LIFE - 100 * DAY;
    let found = store(&completed(&pki, &found, moment));
    let renewed =
        complete(&pki, &found, Some(after(moment + 1)), &renewing(&["ca"])).expect("done");
    let ca = secret("ca");
    let now = store(&renewed);
    assert_eq!(now[&ca].key, found[&ca].key);
    assert_eq!(ends(&now, "ca"), moment + 1 + AUTHORITY_LIFE);
    // What it signed stays as it is, and trusts the new certificate only.
    let admin = secret("admin-client");
    assert_eq!(now[&admin].certificate, found[&admin].certificate);
    assert_eq!(now[&admin].authorities, now[&ca].certificate);
    assert!(changes(&completed(&pki, &now, moment + 1)).is_empty());
}
