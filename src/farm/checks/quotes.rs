//! Typographic quotes around a value, as word processors write them: letters to YAML.

use crate::farm::findings::Findings;
use crate::values::{Node, Origin, Path, Problem, Segment, Value};

const OPENING: [char; 8] = ['“', '”', '„', '‘', '’', '‚', '«', '»'];

/// Checks every text of the values.
pub fn check(tree: &Node, findings: &mut Findings) {
    let mut found = Vec::new();
    quoted(tree, &mut found);
    for (mut segments, origin, text) in found {
        segments.reverse();
        let path = Path(segments);
        if findings.is_wrong(&path) {
            continue;
        }
        let inner = text.trim_matches(OPENING);
        let problem = Problem::warning("these typographic quotes are part of the text");
        let help = format!("write \"{inner}\"");
        let help = if crate::values::secret::is_in(&path) {
            "use \" or '"
        } else {
            &help
        };
        findings.add(problem.help(help).at(origin.clone()).about(path));
    }
}

/// A text in such quotes: its path from the end, its origin and its content.
type Quoted<'a> = (Vec<Segment>, &'a Origin, &'a str);

fn quoted<'a>(node: &'a Node, found: &mut Vec<Quoted<'a>>) {
    match &node.value {
        Value::String(text) => {
            let is_quoted = text.starts_with(OPENING) && text.ends_with(OPENING);
            // A single one is a letter like any other.
            if is_quoted && !text.contains('\n') && text.chars().nth(1).is_some() {
                found.push((Vec::new(), &node.origin, text));
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(item, &|| Segment::Index(index), found);
            }
        }
        Value::Map(map) => {
            for (key, entry) in map.iter() {
                inside(&entry.node, &|| Segment::Key(key.clone()), found);
            }
        }
        _ => {}
    }
}

fn inside<'a>(node: &'a Node, step: &dyn Fn() -> Segment, found: &mut Vec<Quoted<'a>>) {
    let known = found.len();
    quoted(node, found);
    for (segments, ..) in found.iter_mut().skip(known) {
        segments.push(step());
    }
}
