//! Which members to defragment, and in which order. etcd does not give back to the disk what is free in its database,
//! and its quota is for the whole file. A member that is defragmented answers nothing: 1.4 s with 200 MB, 7 s with 1 GB.

use super::condition::{Seen, condition, is_nearly};

use crate::version::Version;

const MIB: u64 = 1 << 20;
/// Less than this is not worth it, unless the quota is near.
const LITTLE: u64 = 100 * MIB;
/// Of fewer members, none can be missing.
const SPARE: usize = 3;

/// From 3.5.0 up to this, a member that ends while it is defragmented may have other data afterwards (etcd#14685).
const FIXED: Version = Version {
    major: 3,
    minor: 5,
    patch: 6,
};

/// The members that are worth it, the leader last; all of them where one has the alarm NOSPACE. `quota` is that of
/// their flags.
///
/// # Errors
/// Why none may be missing now.
pub fn to_defragment(
    seen: &[Seen],
    quota: Option<u64>,
    accepts_pause: bool,
) -> Result<Vec<&Seen>, Vec<String>> {
    let condition = condition(seen);
    let mut against = condition.others;
    against.extend(seen.iter().filter_map(|one| {
        let hindrance = one.hindrance()?;
        Some(format!("{} {hindrance}", one.name))
    }));
    if !against.is_empty() {
        return Err(against);
    }
    let is_wanted = |one: &&Seen| !condition.full.is_empty() || is_worth_it(one, quota);
    let mut wanted: Vec<&Seen> = seen.iter().filter(is_wanted).collect();
    let mut versions = wanted.iter().filter_map(|one| one.answer.as_ref().ok());
    if let Some(answer) = versions.find(|answer| is_unsafe(&answer.status.version)) {
        let version = &answer.status.version;
        return Err(vec![format!(
            "etcd {version} may damage its data if it ends meanwhile: update it to {FIXED} or newer first"
        )]);
    }
    if !wanted.is_empty() && seen.len() < SPARE && !accepts_pause {
        let pause = format!(
            "with fewer than {SPARE} members, etcd answers nobody while one of them is defragmented; --accept-pause goes ahead"
        );
        return Err(vec![pause]);
    }
    wanted.sort_by_key(|one| one.answer.as_ref().is_ok_and(|answer| answer.leads()));
    Ok(wanted)
}

fn is_unsafe(version: &str) -> bool {
    let version = Version::read(version);
    version.is_some_and(|it| it.minor_version() == FIXED.minor_version() && it < FIXED)
}

fn is_worth_it(one: &Seen, quota: Option<u64>) -> bool {
    let Ok(answer) = &one.answer else {
        return false;
    };
    let size = answer.status.size;
    let free = size.saturating_sub(answer.status.size_in_use);
    let is_near = answer
        .quota(quota)
        .is_some_and(|quota| is_nearly(size, quota));
    free > LITTLE.max(size / 2) || (is_near && free > size / 4)
}
