//! Merges a map of fields over an object: a JSON merge patch (RFC 7386), except for the lists that Kubernetes merges by
//! a key.

use serde_json::{Map, Value as Json};

use super::Fault;
use super::lists::MergedLists;
use crate::manifest::Object;
use crate::values::Segment;

/// The key with an instruction in Kubernetes' strategic merge patches.
const INSTRUCTION: &str = "$patch";

/// Merges `patch` over the object.
///
/// # Errors
/// An item of a merged list without a key, or whose key several items of the object have; an unknown instruction.
pub(super) fn merge(object: &mut Object, patch: &Map<String, Json>) -> Result<(), Fault> {
    if instruction(patch)? != Instruction::Merge {
        let message = "an object cannot be replaced or deleted by a patch";
        return Err(Fault::new(message).inside(INSTRUCTION));
    }
    let lists = MergedLists::of(object);
    let mut merge = Merge {
        lists: &lists,
        path: Vec::new(),
    };
    merge.maps(&mut object.content, patch)
}

struct Merge<'a> {
    lists: &'a MergedLists,
    /// From the object's root, with `*` for items.
    path: Vec<String>,
}

/// The instruction of a map in the patch.
#[derive(PartialEq)]
enum Instruction {
    Merge,
    Replace,
    Delete,
}

impl Merge<'_> {
    fn maps(
        &mut self,
        found: &mut Map<String, Json>,
        patch: &Map<String, Json>,
    ) -> Result<(), Fault> {
        if instruction(patch)? == Instruction::Replace {
            found.clear();
        }
        for (key, value) in patch.iter().filter(|(key, _)| *key != INSTRUCTION) {
            self.path.push(key.clone());
            self.entry(found, key, value)
                .map_err(|fault| fault.inside(key.as_str()))?;
            self.path.pop();
        }
        Ok(())
    }

    fn entry(
        &mut self,
        found: &mut Map<String, Json>,
        key: &str,
        patch: &Json,
    ) -> Result<(), Fault> {
        match patch {
            Json::Null => {
                found.shift_remove(key);
                return Ok(());
            }
            Json::Object(patch) if instruction(patch)? == Instruction::Delete => {
                found.shift_remove(key);
                return Ok(());
            }
            _ => {}
        }
        let place = found.entry(key.to_owned()).or_insert(Json::Null);
        self.value(place, patch)
    }

    fn value(&mut self, found: &mut Json, patch: &Json) -> Result<(), Fault> {
        match patch {
            Json::Object(patch) => {
                if !found.is_object() {
                    *found = Json::Object(Map::new());
                }
                match found {
                    Json::Object(found) => self.maps(found, patch),
                    _ => Ok(()),
                }
            }
            Json::Array(items) => match self.lists.key(&self.path) {
                Some(key) => self.list(found, items, key),
                None => {
                    *found = patch.clone();
                    Ok(())
                }
            },
            scalar => {
                *found = scalar.clone();
                Ok(())
            }
        }
    }

    /// Merges the items of a list into those with the same `key`; new ones are added at the end.
    fn list(&mut self, found: &mut Json, items: &[Json], key: &str) -> Result<(), Fault> {
        if !found.is_array() {
            *found = Json::Array(Vec::new());
        }
        let Json::Array(found) = found else {
            return Ok(());
        };
        self.path.push("*".to_owned());
        for (index, item) in items.iter().enumerate() {
            self.item(found, item, key)
                .map_err(|fault| fault.inside(Segment::Index(index)))?;
        }
        self.path.pop();
        Ok(())
    }

    fn item(&mut self, found: &mut Vec<Json>, item: &Json, key: &str) -> Result<(), Fault> {
        let keyless = || {
            Fault::new(format!(
                "an item of this list needs `{key}`, by which it is merged"
            ))
        };
        let Json::Object(item) = item else {
            return Err(keyless());
        };
        let instruction = instruction(item)?;
        let Some(value) = item.get(key).filter(|value| !value.is_null()) else {
            if instruction == Instruction::Replace && item.len() == 1 {
                found.clear();
                return Ok(());
            }
            return Err(keyless());
        };
        let mut same = (0..)
            .zip(found.iter())
            .filter(|(_, other)| other.get(key) == Some(value));
        let place: Option<usize> = same.next().map(|(place, _)| place);
        if same.next().is_some() {
            let message = format!("several items of the object have {key} {value}");
            return Err(Fault::new(message).help("use the operations of a JSON patch"));
        }
        if instruction == Instruction::Delete {
            let place = place
                .ok_or_else(|| Fault::new(format!("no item of the object has {key} {value}")))?;
            found.remove(place);
            return Ok(());
        }
        match place.and_then(|place| found.get_mut(place)) {
            Some(Json::Object(found)) => self.maps(found, item),
            _ => {
                let mut new = Map::new();
                self.maps(&mut new, item)?;
                found.push(Json::Object(new));
                Ok(())
            }
        }
    }
}

/// The instruction of a map. Kubernetes has more of them, in keys that start with `$`: these are refused.
fn instruction(patch: &Map<String, Json>) -> Result<Instruction, Fault> {
    let mut instructions = patch.iter().filter(|(key, _)| key.starts_with('$'));
    let Some((key, value)) = instructions.next() else {
        return Ok(Instruction::Merge);
    };
    let found = match (key.as_str(), value.as_str()) {
        (INSTRUCTION, Some("merge")) => Instruction::Merge,
        (INSTRUCTION, Some("replace")) => Instruction::Replace,
        (INSTRUCTION, Some("delete")) => Instruction::Delete,
        (INSTRUCTION, _) => {
            let message = "expected \"delete\", \"merge\" or \"replace\"";
            return Err(Fault::new(message).inside(INSTRUCTION));
        }
        _ => return Err(unsupported(key)),
    };
    match instructions.next() {
        Some((key, _)) => Err(unsupported(key)),
        None => Ok(found),
    }
}

fn unsupported(key: &str) -> Fault {
    Fault::new("an instruction that is not supported; `$patch` is").inside(key)
}
