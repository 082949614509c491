//! Text that would mean something to YAML, a shell, awk, LTSP, dnsmasq or a template, if anything let it.

use proptest::prelude::*;

use crate::injection::places::Fixture;

/// What has a meaning somewhere. `pwned` is a file that must never come to be.
pub const NASTY: [&str; 73] = [
    "'",
    "\"",
    "''",
    "\\",
    "\\\\",
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    "  ",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{7f}",
    "\u{1b}[2J",
    "\u{fffe}",
    "\0",
    "é",
    "\u{1f600}",
    "---",
    "\n---\n",
    "...",
    ": ",
    ":",
    "#",
    " #",
    "- ",
    "? ",
    "| ",
    "> ",
    "&a",
    "*a",
    "!tag ",
    "%",
    "%s",
    "%b",
    "@",
    "`",
    "`touch pwned`",
    "$(touch pwned)",
    "${IFS}",
    "$IFS",
    "$x",
    "$$",
    ";touch pwned;",
    "\ntouch pwned\n",
    "&& touch pwned",
    "|",
    "<",
    ">",
    "~",
    "*",
    "(",
    ")",
    "{",
    "}",
    "]",
    "[init/]",
    "\n[init/]\n",
    "\nINCLUDE=x\n",
    "{{ release.name }}",
    "{% raw %}",
    "{# ",
    ",",
    "set:x",
    "\\c",
    "\\n",
    "\\0101",
    "\n  extra: true\n",
    // Begins what the product itself might put in a value's place for a while.
    "\u{e000}0",
];

/// What readers of YAML take for something other than text.
pub const NOT_TEXT: [&str; 17] = [
    "",
    "no",
    "y",
    "null",
    "~",
    "1",
    "0o17",
    "1_000",
    "1:30",
    "1e3",
    ".5",
    "0x1f",
    "2001-01-01",
    "=",
    "<<",
    ".nan",
    "\u{e000}1",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        10 => prop::sample::select(&NASTY[..]).prop_map(str::to_owned),
        2 => any::<char>().prop_map(String::from),
        4 => "[a-z0-9]{1,6}",
    ];
    let long = prop::sample::select(&NASTY[..]).prop_map(|piece| piece.repeat(1500 / piece.len()));
    prop_oneof![
        20 => prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat()),
        4 => prop::sample::select(&NOT_TEXT[..]).prop_map(str::to_owned),
        1 => long,
    ]
}

/// Text alone, or inside of text that is fine.
pub fn near(harmless: &'static str) -> impl Strategy<Value = String> {
    (text(), position()).prop_map(move |(text, position)| match position {
        Some(position) => insert(harmless, position, &text),
        None => text,
    })
}

/// Where one piece is put into the harmless text, as a fraction of its length; `None` replaces all of it.
fn position() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        Just(None),
        (0.0..=1.0).prop_map(Some),
        Just(Some(0.0)),
        Just(Some(1.0))
    ]
}

/// A text for every place of the farm.
pub fn texts(fixture: &Fixture) -> impl Strategy<Value = Vec<String>> + use<'_> {
    let count = fixture.places.len();
    prop::collection::vec((text(), position()), count).prop_map(|drawn| {
        let drawn = drawn.iter().zip(&fixture.places).enumerate();
        drawn
            .map(|(number, ((text, position), place))| {
                let text = match position {
                    Some(position) if place.has_grammar => insert(&place.harmless, *position, text),
                    _ => text.clone(),
                };
                place.frame(number, &text)
            })
            .collect()
    })
}

fn insert(harmless: &str, position: f64, text: &str) -> String {
    let (before, after) = harmless.split_at((harmless.len() as f64 * position) as usize);
    format!("{before}{text}{after}")
}
