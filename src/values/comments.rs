//! The comments of a file about its keys: those right above them.

use super::problem::Problem;
use super::tree::{Node, Origin, Path, Value};
use super::yaml;

/// The comments above the keys of a file's first document, each as one line of text, in the order of the keys. A
/// comment begins in the column of its key, with nothing between them. Its text ends at `Example:` at the end of a
/// line, at an empty line, and where its indentation changes: what follows is only for readers of the file.
///
/// # Errors
/// Text that is not YAML.
pub fn comments(source: &str, text: &str) -> Result<Vec<(Path, String)>, Problem> {
    let documents = yaml::parse(source, text)?;
    let lines: Vec<&str> = yaml::lines(text).collect();
    let mut found = Vec::new();
    if let Some(document) = documents.first() {
        collect(document, &Path::default(), &lines, &mut found);
    }
    Ok(found)
}

fn collect(node: &Node, path: &Path, lines: &[&str], found: &mut Vec<(Path, String)>) {
    let Value::Map(map) = &node.value else {
        return;
    };
    for (key, entry) in map.iter() {
        let path = path.join(key.as_str());
        let comment = above(&entry.key_origin, lines);
        if !comment.is_empty() {
            found.push((path.clone(), comment));
        }
        collect(&entry.node, &path, lines, found);
    }
}

/// The comment above a place.
fn above(origin: &Origin, lines: &[&str]) -> String {
    let Origin::Place { line, column, .. } = origin else {
        return String::new();
    };
    let (line, indent) = (*line as usize, (*column as usize).saturating_sub(1));
    let before = lines.get(..line.saturating_sub(1)).unwrap_or_default();
    let is_key_first = lines
        .get(line.saturating_sub(1))
        .is_some_and(|line| indent_of(line) == indent);
    let comments = before.iter().rev().map_while(|line| {
        let comment = line.trim_start().strip_prefix('#')?;
        (is_key_first && indent_of(line) == indent).then_some(comment)
    });
    let mut comments: Vec<&str> = comments.collect();
    comments.reverse();
    let is_text = |line: &&&str| !line.trim().is_empty() && !line.starts_with("  ");
    let words: Vec<&str> = comments
        .iter()
        .take_while(is_text)
        .map(|line| line.trim())
        .collect();
    let text = words.join(" ");
    match text.strip_suffix("Example:") {
        Some(before) => before.trim_end().to_owned(),
        None => text,
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_right_above_its_key_and_in_its_column() {
        let text = "\
# Of the file.
#
# More of it.

# Of a,
# in two lines.
a:
  # Of b.
  b: {c: 1}
# Not of d: in another column.
  d: 1
  # Not of e.

  e: 1  # nor this
# Of f. Example:
#   f: 2
'f': |
  # text
  g: 1
";
        let found: Vec<(String, String)> = comments("x", text)
            .unwrap()
            .into_iter()
            .map(|(path, comment)| (path.to_string(), comment))
            .collect();
        let pairs: Vec<(&str, &str)> = found
            .iter()
            .map(|(path, comment)| (path.as_str(), comment.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("a", "Of a, in two lines."),
                ("a.b", "Of b."),
                ("f", "Of f.")
            ]
        );
        assert!(comments("x", "a: [").is_err());
    }
}
