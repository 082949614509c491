//! One escape for each kind of file, so that a value from a template stays a value.

use minijinja::Value;
use minijinja::value::ValueKind;

pub(super) mod dnsmasq;
mod grub;
pub(super) mod json;
pub(super) mod ltsp;
pub(super) mod shell;
#[cfg(test)]
mod tests;
mod unit;

/// The template engine's name for files without a rule.
pub(super) const NO_RULE: &str = "none";

/// How values are written into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// `.yaml`, `.json`: JSON, which every YAML reader reads too.
    Json,
    /// `.sh`: POSIX shell words.
    Shell,
    /// `ltsp.conf`, `ltsp-*.conf`: values of LTSP's configuration, which awk and a shell read.
    Ltsp,
    /// `dnsmasq.conf`, `dnsmasq-*.conf`: fields of dnsmasq's configuration.
    Dnsmasq,
    /// `.service`: text in a systemd unit.
    Unit,
    /// `.cfg`: words of GRUB's script language.
    Grub,
}

impl Rule {
    const ALL: [Rule; 6] = [
        Rule::Json,
        Rule::Shell,
        Rule::Ltsp,
        Rule::Dnsmasq,
        Rule::Unit,
        Rule::Grub,
    ];

    /// The rule that follows from a file's name; `None` where only raw text can be emitted.
    pub fn of(path: &str) -> Option<Rule> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.')?;
        match extension {
            "yaml" | "json" => Some(Rule::Json),
            "sh" => Some(Rule::Shell),
            "service" => Some(Rule::Unit),
            "cfg" => Some(Rule::Grub),
            "conf" if stem == "ltsp" || stem.starts_with("ltsp-") => Some(Rule::Ltsp),
            "conf" if stem == "dnsmasq" || stem.starts_with("dnsmasq-") => Some(Rule::Dnsmasq),
            _ => None,
        }
    }

    /// The template engine's name for the rule.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Json => "json",
            Rule::Shell => "shell",
            Rule::Ltsp => "ltsp",
            Rule::Dnsmasq => "dnsmasq",
            Rule::Unit => "unit",
            Rule::Grub => "grub",
        }
    }

    /// The rule with this [`name`](Rule::name).
    pub fn from_name(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// The value as it is written into the file.
    ///
    /// # Errors
    /// Why this value cannot be written there; the message shows the value.
    pub fn escape(self, value: &Value) -> Result<String, String> {
        match self {
            Rule::Json => json::to_json(value),
            Rule::Shell => shell::words(value),
            Rule::Ltsp => ltsp::word(&scalar(value)?),
            Rule::Dnsmasq => dnsmasq::fields(value),
            Rule::Unit => unit::text(&scalar(value)?),
            Rule::Grub => grub::word(&scalar(value)?),
        }
    }
}

/// Checks a whole rendered text for errors that cannot be seen in a single value.
pub(super) fn check_text(path: &str, text: &str) -> Result<(), String> {
    match Rule::of(path) {
        Some(Rule::Dnsmasq) => dnsmasq::check_lines(text),
        _ => Ok(()),
    }
}

/// The text of a string, a number or a boolean.
pub(super) fn scalar(value: &Value) -> Result<String, String> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number => json::number(value),
        kind => Err(format!("cannot write {} as text", type_name(kind))),
    }
}

/// The items of a list as text, or one item where the value is not a list.
fn scalars(value: &Value) -> Result<Vec<String>, String> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => items(value)?.iter().map(scalar).collect(),
        _ => Ok(vec![scalar(value)?]),
    }
}

fn items(value: &Value) -> Result<Vec<Value>, String> {
    Ok(value
        .try_iter()
        .map_err(|error| error.to_string())?
        .collect())
}

/// The name of this type in a message.
pub(super) fn type_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Undefined => "an undefined value",
        ValueKind::None => "null",
        ValueKind::Bool => "a boolean",
        ValueKind::Number => "a number",
        ValueKind::String => "a string",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "a value that is not data",
    }
}

/// A value as a message shows it: quoted, on one line, and cut if it is long.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
