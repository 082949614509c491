//! What differs between two outputs, as text for people: a unified diff whose hunks name the object, and the line in it.
//!
//! A hunk's place in the whole output would be another one as soon as any object above it has a line more.

use similar::TextDiff;
use similar::udiff::UnifiedDiffHunk;

const CONTEXT: usize = 3;

/// The hunks that make `new` of `base`. Two outputs have the same only where they are the same.
pub fn of(base: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(base, new);
    let lines: Vec<&str> = base.lines().collect();
    let mut unified = diff.unified_diff();
    let hunks = unified.context_radius(CONTEXT).iter_hunks();
    hunks.map(|hunk| text(&hunk, &lines)).collect()
}

fn text(hunk: &UnifiedDiffHunk<'_, '_, '_, str>, base: &[&str]) -> String {
    let start = hunk.ops().first().map_or(0, |op| op.old_range().start);
    let whole = hunk.to_string();
    let (_, changes) = whole.split_once('\n').expect("a header");
    format!("@@ {} @@\n{changes}", place(base, start))
}

/// `StatefulSet kubefarm-etcd, line 12`, of a line of all that is counted from 0. An object begins with `---`.
fn place(lines: &[&str], at: usize) -> String {
    let before = &lines[..lines.len().min(at + 1)];
    let start = before.iter().rposition(|line| *line == "---");
    let start = start.unwrap_or_default();
    let after = lines[start..].iter().skip(1);
    let object = after.take_while(|line| **line != "---");
    let value = |key: &str| object.clone().find_map(|line| line.strip_prefix(key));
    let kind = value("kind: ").unwrap_or_default();
    let name = value("  name: ").unwrap_or_default();
    format!("{kind} {name}, line {}", at - start)
}

#[test]
fn a_hunk_names_the_object_and_the_line_in_it() {
    let object = |name: &str, value: &str| {
        format!("---\nkind: A\nmetadata:\n  name: {name}\n1\n2\n3\n4\n{value}\n")
    };
    let base = format!("{}{}", object("a", "x"), object("b", "y"));
    let new = format!("{}{}", object("a", "x"), object("b", "z"));
    let expected = "@@ A b, line 5 @@\n 2\n 3\n 4\n-y\n+z\n";
    assert_eq!(of(&base, &new), expected);
    assert_eq!(of(&base, &base), "");
    let other = format!("{}{}", object("a", "z"), object("b", "y"));
    assert!(
        of(&base, &other).starts_with("@@ A a, line 5 @@\n"),
        "{other}"
    );
}
