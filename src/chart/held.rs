//! Values passed to the manifest reader beside the text, with placeholders in it.
//!
//! Where a template of `templates/` emits a map, a list or a long text, its text gets a placeholder, and the
//! manifest's reader puts the value in its place. Most of a manifest is then not written as YAML only to be read again,
//! which saves an eighth of the instructions, and no reader can misread it.

use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::value::{Object, ValueKind};
use minijinja::{State, Value};
use serde_json::Value as Json;

use crate::values::write::Item;

/// The first character of a placeholder, before the value's number. It is in Unicode's private use area. A text that
/// contains it is always held.
pub const MARK: char = '\u{E000}';

/// Texts up to this length, in bytes, are written as they are: a placeholder would not be shorter.
const SHORT: usize = 32;

/// The name under which the engine keeps the values of a rendering.
const NAME: &str = "held";

/// A value that a text has a placeholder for.
#[derive(Debug, Clone)]
pub enum Held {
    Json(Json),
    /// One item for each of a farm's nodes: made when its object is written, and not kept.
    List(Arc<dyn List>),
}

/// A list that can be very long.
pub trait List: fmt::Debug + Send + Sync {
    /// Its items, each made when it is needed.
    fn items(&self) -> Box<dyn Iterator<Item = Item> + '_>;

    /// An upper limit of its size as JSON, in bytes.
    fn max_size(&self) -> usize;
}

/// A list as one value.
pub fn whole(list: &dyn List) -> Json {
    let object = |item: Item| {
        let entries = item.into_iter();
        Json::Object(
            entries
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    };
    list.items().map(object).collect()
}

/// The values held so far in one rendering.
#[derive(Debug, Default)]
struct Values(Mutex<Vec<Held>>);

impl Object for Values {}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Json(value) => write!(f, "{value}"),
            Held::List(list) => write!(f, "{}", whole(&**list)),
        }
    }
}

/// Whether to hold a value instead of writing it. A text with a [`MARK`] could be taken for a placeholder.
pub(super) fn should_hold(value: &Value) -> bool {
    match value.kind() {
        ValueKind::String => value
            .as_str()
            .is_some_and(|text| text.len() > SHORT || text.contains(MARK)),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => true,
        _ => false,
    }
}

/// Holds a value, and returns the placeholder, with quotes, to write in its place.
pub(super) fn hold(state: &mut State, value: Held) -> String {
    let held = state.get_temp(NAME).unwrap_or_else(|| {
        let held = Value::from_object(Values::default());
        state.set_temp(NAME, held.clone());
        held
    });
    let number = held.downcast_object_ref::<Values>().map_or(0, |held| {
        let mut values = held
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        values.push(value);
        values.len() - 1
    });
    format!("\"{MARK}{number}\"")
}

/// The values that were held in a rendering, by number.
pub(super) fn take(state: &State) -> Vec<Held> {
    let held = state.get_temp(NAME);
    let held = held
        .as_ref()
        .and_then(|held| held.downcast_object_ref::<Values>());
    held.map_or_else(Vec::new, |held| {
        let mut values = held
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        std::mem::take(&mut *values)
    })
}

/// A captured text with its values written out, so that its hash covers them.
pub(super) fn written_values(state: &State, text: &str) -> String {
    let held = state.get_temp(NAME);
    let held = held
        .as_ref()
        .and_then(|held| held.downcast_object_ref::<Values>());
    match held {
        None => text.to_owned(),
        Some(held) => {
            let values = held
                .0
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            write_out(text, &values)
        }
    }
}

/// A text with each placeholder's value in its place, as JSON.
pub(super) fn write_out(text: &str, values: &[Held]) -> String {
    let json = |number| Some(values.get(number).map(Held::to_string).unwrap_or_default());
    written_out(text, json).unwrap_or_default()
}

/// A text with `json` in place of each placeholder and its quotes; `None` if `json` returns `None`.
pub fn written_out(text: &str, json: impl Fn(usize) -> Option<String>) -> Option<String> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARK) {
        let (digits, behind) = after.split_at_checked(digits(after)).unwrap_or((after, ""));
        whole.push_str(before.strip_suffix('"').unwrap_or(before));
        whole.push_str(&json(number(digits).unwrap_or(usize::MAX))?);
        rest = behind.strip_prefix('"').unwrap_or(behind);
    }
    whole.push_str(rest);
    Some(whole)
}

/// The numbers of all placeholders in a manifest's text, in its order.
pub fn placeholders(text: &str) -> impl Iterator<Item = usize> {
    let behind = text.split(MARK).skip(1);
    behind.filter_map(|rest| number(rest.get(..digits(rest))?))
}

/// How many digits a text begins with.
fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len())
}

/// The number in a placeholder; `None` if the text is not one.
pub fn placeholder(text: &str) -> Option<usize> {
    text.strip_prefix(MARK).and_then(number)
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok()
}
