//! The three steps of a rotation: from every stage, repeated, and killed between any two writes.

use super::*;
use crate::pki::Certificate;

/// Authorities of every kind: of many leaves, of one, and the key that signs tokens.
const ROTATED: [&str; 4] = ["ca", "etcd-ca", "front-proxy-ca", "sa"];

fn step(pki: &Pki, found: &Store, authority: &str, step: Step, seconds: i64) -> Completed {
    let intent = stepping(authority, step);
    complete(pki, found, Some(after(seconds)), &intent).expect("the step is taken")
}

fn certificates(text: &str) -> Vec<Certificate> {
    Certificate::parse_all(text).expect("certificates")
}

/// What the authority signs, and so has to trust it; of `sa`, nothing.
fn dependents<'a>(pki: &'a Pki, authority: &str) -> Vec<&'a str> {
    let leaves = pki.certificates.iter().filter(|leaf| {
        let by = pki.authority_of(leaf);
        by.is_some_and(|by| by.short == authority)
    });
    leaves.map(|leaf| leaf.secret_name.as_str()).collect()
}

/// Fails unless everything that runs on these Secrets trusts everything else that does, and every certificate goes
/// with its key.
#[track_caller]
fn assert_whole(pki: &Pki, found: &Store) {
    for wanted in &pki.certificates {
        let material = &found[&wanted.secret_name];
        let (own, _) = material.pair().expect("a pair");
        let Some(authority) = pki.authority_of(wanted) else {
            continue;
        };
        let by = &found[&authority.secret_name];
        let current = Certificate::parse(&by.certificate).expect("an authority");
        assert!(own.is_signed_by(&current), "{}", wanted.short);
        let trusted = certificates(&material.authorities);
        assert_eq!(trusted, certificates(&by.authorities), "{}", wanted.short);
        assert!(trusted.contains(&current), "{}", wanted.short);
    }
}

/// What a farm is at after each step, from the beginning to the end.
struct Steps {
    steady: Store,
    trusted: Store,
    reissued: Store,
    dropped: Store,
}

fn rotated(pki: &Pki, authority: &str) -> Steps {
    let steady = made(pki);
    let trusted = store(&step(pki, &steady, authority, Step::Trust, 10));
    let reissued = store(&step(pki, &trusted, authority, Step::Reissue, 20));
    let dropped = store(&step(pki, &reissued, authority, Step::Drop, 30));
    Steps {
        steady,
        trusted,
        reissued,
        dropped,
    }
}

#[test]
fn each_step_does_what_it_says_and_touches_nothing_else() {
    let pki = pki("");
    for authority in ROTATED {
        let steps = rotated(&pki, authority);
        let (ca, next, previous) = (
            secret(authority),
            secret(&format!("{authority}-next")),
            secret(&format!("{authority}-previous")),
        );
        let stages = [
            &steps.steady,
            &steps.trusted,
            &steps.reissued,
            &steps.dropped,
        ];
        stages.iter().for_each(|stage| assert_whole(&pki, stage));
        let beside = stages.map(|stage| (stage.contains_key(&next), stage.contains_key(&previous)));
        assert_eq!(
            beside,
            [(false, false), (true, true), (false, true), (false, false)]
        );
        let signing = stages.map(|stage| &stage[&ca].key);
        assert_eq!(signing[0], signing[1], "trust swaps nothing");
        assert_eq!(
            *signing[2], steps.trusted[&next].key,
            "the new one is the one that was trusted"
        );
        assert_eq!(signing[2], signing[3], "drop swaps nothing");
        assert_ne!(signing[1], signing[2]);
        assert_eq!(steps.reissued[&previous].key, steps.steady[&ca].key);
        let trusted = stages.map(|stage| certificates(&stage[&ca].authorities).len());
        assert_eq!(trusted, [1, 2, 2, 1]);

        let touched = dependents(&pki, authority);
        for wanted in pki.certificates.iter().filter(|one| one.short != authority) {
            let name = wanted.secret_name.as_str();
            let of = stages.map(|stage| &stage[name]);
            if !touched.contains(&name) {
                assert!(of.iter().all(|material| *material == of[0]), "{name}");
                continue;
            }
            assert_eq!(of[0].key, of[1].key, "{name}");
            assert_ne!(of[1].key, of[2].key, "{name}");
            assert_eq!(of[2].certificate, of[3].certificate, "{name}");
        }
    }
}

#[test]
fn a_step_taken_again_changes_nothing() {
    let pki = pki("");
    for authority in ROTATED {
        let steps = rotated(&pki, authority);
        for (found, again) in [
            (&steps.trusted, Step::Trust),
            (&steps.reissued, Step::Reissue),
        ] {
            let completed = step(&pki, found, authority, again, 60);
            assert!(changes(&completed).is_empty(), "{again:?}");
            assert_eq!(store(&completed), *found);
        }
        for found in [
            &steps.steady,
            &steps.trusted,
            &steps.reissued,
            &steps.dropped,
        ] {
            let completed = completed(&pki, found, 60);
            assert!(changes(&completed).is_empty());
            assert_eq!(store(&completed), *found, "an apply in between");
        }
    }
}

#[test]
fn a_step_out_of_its_order_is_refused() {
    let pki = pki("");
    let steps = rotated(&pki, "ca");
    for (found, wrong, reason) in [
        (&steps.steady, Step::Reissue, "take the step trust first"),
        (
            &steps.steady,
            Step::Drop,
            "there is no old authority to drop",
        ),
        (&steps.trusted, Step::Drop, "take the step reissue first"),
        (&steps.reissued, Step::Trust, "take the step drop first"),
        (&steps.dropped, Step::Reissue, "take the step trust first"),
        (
            &steps.dropped,
            Step::Drop,
            "there is no old authority to drop",
        ),
    ] {
        let said = refused(&pki, found, 60, &stepping("ca", wrong));
        assert!(said.starts_with("ca: ") && said.ends_with(reason), "{said}");
    }
}

#[test]
fn a_farm_can_be_rotated_again_and_again() {
    let pki = pki("");
    let mut found = made(&pki);
    let mut keys = vec![found[&secret("ca")].key.clone()];
    for round in 0..3 {
        for one in [Step::Trust, Step::Reissue, Step::Drop] {
            found = store(&step(&pki, &found, "ca", one, 60 + round));
            assert_whole(&pki, &found);
        }
        let key = found[&secret("ca")].key.clone();
        assert!(!keys.contains(&key));
        keys.push(key);
    }
    assert_eq!(found.len(), pki.certificates.len());
}

#[test]
fn two_authorities_can_be_rotated_at_once() {
    let pki = pki("");
    let mut found = made(&pki);
    for one in [Step::Trust, Step::Reissue, Step::Drop] {
        for authority in ["ca", "etcd-ca"] {
            found = store(&step(&pki, &found, authority, one, 60));
            assert_whole(&pki, &found);
        }
    }
    assert_eq!(found.len(), pki.certificates.len());
}

/// What is there after some of the writes were done: authorities first, in any order; leaves only when all of those
/// are written; what is left over is removed last.
fn killed(before: &Store, completed: &Completed, pki: &Pki) -> Vec<Store> {
    let is_leaf = |one: &&Issued| {
        let mut leaves = pki.certificates.iter().filter(|wanted| !wanted.is_ca);
        leaves.any(|leaf| leaf.secret_name == one.secret)
    };
    let changed = completed.issued.iter();
    let changed = changed.filter(|one| one.change != Change::Kept);
    let (leaves, authorities): (Vec<&Issued>, Vec<&Issued>) = changed.partition(is_leaf);
    let written = |some: &[&Issued]| {
        let mut there = before.clone();
        for one in some {
            there.insert(one.secret.clone(), one.material.clone());
        }
        there
    };
    let mut stores = Vec::new();
    for subset in 0..1_u32 << authorities.len() {
        let some = authorities.iter().enumerate();
        let some = some.filter(|(place, _)| subset & (1 << place) != 0);
        stores.push(written(&some.map(|(_, one)| *one).collect::<Vec<_>>()));
    }
    for count in 0..=leaves.len() {
        let from_the_start = [&authorities[..], &leaves[..count]].concat();
        let from_the_end = [&authorities[..], &leaves[leaves.len() - count..]].concat();
        stores.push(written(&from_the_start));
        stores.push(written(&from_the_end));
    }
    // All is written, and some of what is left over is removed.
    let all = written(&[&authorities[..], &leaves[..]].concat());
    let wanted = store(completed);
    let left_over: Vec<&String> = all
        .keys()
        .filter(|name| !wanted.contains_key(*name))
        .collect();
    for name in left_over {
        let mut without = all.clone();
        without.remove(name);
        stores.push(without);
    }
    stores
}

#[test]
fn killed_between_any_two_writes_the_first_making_is_completed() {
    let pki = pki("");
    let first = completed(&pki, &Store::new(), 0);
    for found in killed(&Store::new(), &first, &pki) {
        let now = store(&completed(&pki, &found, 60));
        assert_whole(&pki, &now);
        assert!(found.iter().all(|(name, material)| now[name] == *material));
        assert_eq!(now.len(), pki.certificates.len());
    }
}

#[test]
fn killed_between_any_two_writes_a_step_is_finished_by_itself() {
    let pki = pki("");
    for authority in ROTATED {
        let steps = rotated(&pki, authority);
        let ca = secret(authority);
        for (before, one) in [
            (&steps.steady, Step::Trust),
            (&steps.trusted, Step::Reissue),
            (&steps.reissued, Step::Drop),
        ] {
            let done = step(&pki, before, authority, one, 60);
            for found in killed(before, &done, &pki) {
                // Drop is over once the old one is gone.
                let is_over = one == Step::Drop && !found.contains_key(&format!("{ca}-previous"));
                let finished = if is_over {
                    completed(&pki, &found, 120)
                } else {
                    step(&pki, &found, authority, one, 120)
                };
                let finished = store(&finished);
                assert_whole(&pki, &finished);
                assert_eq!(
                    finished.keys().collect::<Vec<_>>(),
                    store(&done).keys().collect::<Vec<_>>(),
                    "{authority} {one:?}"
                );
                let is_new = finished[&ca].key != steps.steady[&ca].key;
                assert_eq!(is_new, one != Step::Trust, "{authority} {one:?}");
            }
        }
    }
}

#[test]
fn killed_in_a_step_an_apply_keeps_everything_trusted() {
    let pki = pki("");
    let steps = rotated(&pki, "ca");
    let ca = secret("ca");
    for (before, one) in [
        (&steps.steady, Step::Trust),
        (&steps.trusted, Step::Reissue),
        (&steps.reissued, Step::Drop),
    ] {
        let done = step(&pki, before, "ca", one, 60);
        for found in killed(before, &done, &pki) {
            let now = store(&completed(&pki, &found, 120));
            assert_whole(&pki, &now);
            // Whatever signed something that is there is still trusted.
            let trusted = certificates(&now[&ca].authorities);
            for name in dependents(&pki, "ca") {
                let leaf = Certificate::parse(&found[name].certificate).expect("a leaf");
                let is_trusted = trusted.iter().any(|by| leaf.is_signed_by(by));
                assert!(is_trusted, "{one:?}: {name}");
            }
            // Neither key is lost: that which signs, and in the middle of a rotation the other one.
            let keys: Vec<_> = now.values().map(|material| &material.key).collect();
            assert!(keys.contains(&&found[&ca].key), "{one:?}");
            if let Some(next) = found.get(&format!("{ca}-next")) {
                assert!(keys.contains(&&next.key), "{one:?}");
            }
        }
    }
}

#[test]
fn leaves_are_renewed_and_authorities_prolonged_in_the_middle_of_a_rotation() {
    let pki = pki("");
    let steps = rotated(&pki, "ca");
    for found in [&steps.trusted, &steps.reissued] {
        let renewed = complete(
            &pki,
            found,
            Some(after(60)),
            &renewing(&["admin-client", "ca"]),
        );
        let now = store(&renewed.expect("renewed"));
        assert_whole(&pki, &now);
        assert_eq!(
            now.keys().collect::<Vec<_>>(),
            found.keys().collect::<Vec<_>>()
        );
        let admin = secret("admin-client");
        assert_ne!(now[&admin].key, found[&admin].key);
        assert_eq!(now[&secret("ca")].key, found[&secret("ca")].key);
        // What was trusted before still is.
        let trusted = certificates(&now[&admin].authorities);
        let keys: Vec<_> = trusted.iter().map(|one| &one.public_key).collect();
        for before in certificates(&found[&admin].authorities) {
            assert!(keys.contains(&&before.public_key));
        }
        assert!(changes(&completed(&pki, &now, 120)).is_empty());
    }
}

#[test]
fn an_old_authority_that_ended_meanwhile_can_still_be_dropped() {
    let pki = pki("");
    let late = 3650 * 24 * 3600 - 60;
    let steady = made(&pki);
    let trusted = store(&step(&pki, &steady, "ca", Step::Trust, late));
    let reissued = store(&step(&pki, &trusted, "ca", Step::Reissue, late));
    let others = ["etcd-ca", "sa", "front-proxy-ca"];
    let prolonged = complete(&pki, &reissued, Some(after(late)), &renewing(&others));
    let found = store(&prolonged.expect("prolonged"));
    let ended = late + 120;
    assert_whole(&pki, &store(&completed(&pki, &found, ended)));
    let dropped = store(&step(&pki, &found, "ca", Step::Drop, ended));
    assert_whole(&pki, &dropped);
    assert_eq!(dropped.len(), pki.certificates.len());
}

#[test]
fn a_damaged_authority_beside_its_own_is_refused() {
    let pki = pki("");
    let steps = rotated(&pki, "ca");
    for (found, name) in [
        (&steps.trusted, "ca-next"),
        (&steps.reissued, "ca-previous"),
    ] {
        let damaged = change(found, name, |it| *it.key = truncated(&it.key));
        let said = refused(&pki, &damaged, 60, &Intent::default());
        assert!(
            said.contains(&format!("{} cannot be used: tls.key", secret(name))),
            "{said}"
        );
    }
}
