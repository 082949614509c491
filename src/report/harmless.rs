//! Text that a terminal only shows.

/// Whether a terminal does something else with a character than to show it: move its cursor, turn its text around.
pub fn acts(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line, in which such characters are escaped.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if !acts(character) => line.push(character),
            _ if character.is_control() => line.extend(character.escape_debug()),
            _ => line.extend(character.escape_unicode()),
        }
    }
    line
}

/// The same with the tabs as they are.
pub fn printable_with_tabs(text: &str) -> String {
    let parts: Vec<String> = text.split('\t').map(printable).collect();
    parts.join("\t")
}

/// One line of the same width, in which such characters are replaced, but for tabs.
pub fn same_width(line: &str) -> String {
    let shown = |character| match character {
        '\t' => character,
        _ if acts(character) => char::REPLACEMENT_CHARACTER,
        _ => character,
    };
    line.chars().map(shown).collect()
}

/// One line as [`printable`] gives it, without the middle where it is too long to read.
pub fn short(text: &str) -> String {
    without_middle(text, 600)
}

/// A line with its first `begin` characters and its last ones.
fn without_middle(text: &str, begin: usize) -> String {
    const END: usize = 200;
    let length = text.chars().count();
    if length <= begin + END {
        return printable(text);
    }
    let first: String = text.chars().take(begin).collect();
    let last: String = text.chars().skip(length - END).collect();
    let gone = length - begin - END;
    printable(&format!("{first}… {gone} characters …{last}"))
}

/// Several lines, each as [`printable`] gives it, without the middle of those that are too long to read.
pub fn readable(text: &str) -> String {
    let lines = text.split('\n').map(|line| without_middle(line, 4_000));
    let lines: Vec<String> = lines.collect();
    lines.join("\n")
}
