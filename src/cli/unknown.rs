//! Names that do not exist.

use super::failure::Failure;
use crate::values::nearest;

/// The failure for a `kind` that does not exist, with the name that was probably meant; that may be the end of a path.
pub fn unknown(kind: &str, name: &str, names: &[&str]) -> Failure {
    const FEW: usize = 8;
    let file = |name: &'_ str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let files: Vec<String> = names.iter().map(|name| file(name)).collect();
    let by_file = nearest(name, files.iter().map(String::as_str))
        .and_then(|near| names.iter().copied().find(|name| file(name) == near));
    let hint = match nearest(name, names.iter().copied()).or(by_file) {
        Some(near) => format!("did you mean {near}?"),
        None if names.len() <= FEW => format!("choose one of {}", names.join(", ")),
        None => format!("choose one of\n  {}", names.join("\n  ")),
    };
    Failure::Usage(format!("there is no {kind} {name:?}; {hint}"))
}
