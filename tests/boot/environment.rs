//! What docs/boot-environment.md says of the environment of a node's scripts, beside what a guest has.

use std::collections::BTreeSet;

/// The page has a table for each time that scripts run at.
const PAGE: &str = include_str!("../../docs/boot-environment.md");

/// Compares the tables with what `set` printed in a section's place and after DHCP's lease is read; returns how many
/// variables there are.
#[track_caller]
pub fn is_as_documented(before: &str, after: &str) -> usize {
    let (_, tables) = PAGE.split_once("\n## ").expect("a heading");
    let (start, lease) = tables.split_once("\n## ").expect("two headings");
    let [start, lease] = [start, lease].map(documented);
    let [before, after] = [before, after].map(set);
    let missing: Vec<&String> = start
        .difference(&before)
        .chain(lease.difference(&after))
        .collect();
    assert!(missing.is_empty(), "documented, and not set: {missing:?}");
    let gone: Vec<&String> = start.difference(&after).collect();
    assert!(
        gone.is_empty(),
        "not set any more after the lease: {gone:?}"
    );
    let early: Vec<&String> = lease.intersection(&before).collect();
    assert!(early.is_empty(), "set before the page says so: {early:?}");
    let unsaid: Vec<&String> = after
        .difference(&lease)
        .filter(|name| name.starts_with("IPCONFIG_"))
        .collect();
    assert!(unsaid.is_empty(), "set, and not documented: {unsaid:?}");
    start.len() + lease.len()
}

/// The names in the first column of a table.
fn documented(section: &str) -> BTreeSet<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The variables that have a value.
fn set(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(_, value)| !matches!(*value, "" | "''"))
        .map(|(name, _)| name.to_owned())
        .collect()
}
