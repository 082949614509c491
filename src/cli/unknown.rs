//! Names that nothing has.

use super::failure::Failure;
use crate::values::nearest;

/// Says that no `kind` has this name, and which one was probably meant. A name may be a path's end.
pub fn unknown(kind: &str, name: &str, names: &[&str]) -> Failure {
    const FEW: usize = 8;
    let file = |name: &'_ str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let files: Vec<String> = names.iter().map(|name| file(name)).collect();
    let by_file = nearest(name, files.iter().map(String::as_str))
        .and_then(|near| names.iter().copied().find(|name| file(name) == near));
    let hint = match nearest(name, names.iter().copied()).or(by_file) {
        Some(near) => format!("did you mean {near}?"),
        None if names.len() <= FEW => format!("there are {}", names.join(", ")),
        None => format!("there are\n  {}", names.join("\n  ")),
    };
    Failure::Usage(format!("no {kind} is called {name:?}; {hint}"))
}
