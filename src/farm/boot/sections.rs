//! The user's sections of ltsp.conf: the part that stays in that file, and the shell text, which gets a file of its
//! own.

use crate::farm::syntax::is_variable_name;
use crate::farm::tag_settings::fold;

/// Separates a section's `INCLUDE=` lines, which are LTSP's own, from its shell text.
pub fn split_section(text: &str) -> (Vec<String>, Option<String>) {
    let (includes, script): (Vec<&str>, Vec<&str>) = text
        .split_inclusive('\n')
        .partition(|line| included(line).is_some());
    let script = script.concat();
    let includes = includes.into_iter().filter_map(included);
    (
        includes.map(str::to_owned).collect(),
        (!script.trim().is_empty()).then(|| joined_assignments(&script)),
    )
}

/// A section's shell text as the nodes get it, with empty lines in place of its `INCLUDE=` lines.
pub fn shell_text(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    let shell = lines.map(|line| included(line).map_or(line, |_| "\n"));
    joined_assignments(&shell.collect::<String>())
}

fn included(line: &str) -> Option<&str> {
    let (keyword, name) = line.split_once('=')?;
    keyword
        .trim_end_matches(' ')
        .eq_ignore_ascii_case("include")
        .then_some(name.trim())
}

/// The file that a section's shell text is kept in: `section-init.sh` for `init/`, `section-tag_x.sh` for `tag_x`.
/// Different sections of LTSP have different files: a changed name has no hyphen.
pub fn section_file(header: &str) -> String {
    match (header, fold(header).as_str()) {
        ("init/", _) => "section-init.sh".to_owned(),
        (_, "init") => "section-init-.sh".to_owned(),
        (_, name) => format!("section-{name}.sh"),
    }
}

/// Removes the spaces around the `=` of assignments, as ini2sh does (ltsp.conf(5) writes `NAME = value` too). Text
/// inside quotes and here-documents is not changed.
fn joined_assignments(script: &str) -> String {
    let mut state = Shell::default();
    let mut joined = String::with_capacity(script.len());
    for line in script.split_inclusive('\n') {
        match assignment(line).filter(|_| state.is_at_a_command()) {
            Some((name, value)) => {
                joined.push_str(name);
                joined.push('=');
                joined.push_str(value);
                state.read(value);
            }
            None => {
                joined.push_str(line);
                state.read(line);
            }
        }
    }
    joined
}

/// `NAME = value` with space on either side of the sign, as name and value.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let plain = name.trim_end_matches(' ');
    (is_variable_name(plain) && !value.starts_with('='))
        .then(|| (plain, value.trim_start_matches(' ')))
}

/// The state of a shell at the start of a line: whether it is inside of quotes or of a here-document.
#[derive(Debug, Default)]
struct Shell {
    quote: Option<char>,
    continued: bool,
    /// How many parentheses of an arithmetic expansion are open: `$((1 << 3))` begins no here-document.
    arithmetic: usize,
    /// The words that end the open here-documents, the next one first.
    documents: Vec<String>,
}

impl Shell {
    fn is_at_a_command(&self) -> bool {
        self.quote.is_none() && !self.continued && self.arithmetic == 0 && self.documents.is_empty()
    }

    fn read(&mut self, line: &str) {
        if let (None, Some(end)) = (self.quote, self.documents.first()) {
            if line.trim_end_matches('\n').trim_start_matches('\t') == end {
                self.documents.remove(0);
            }
            return;
        }
        self.continued = false;
        let mut before = ' ';
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            match (self.quote, c) {
                (Some('\''), '\'') | (Some('"'), '"') => self.quote = None,
                (Some('\''), _) => {}
                (_, '\\') => self.continued = rest.next() == Some('\n'),
                (None, '\'' | '"') => self.quote = Some(c),
                (None, '$') if self.arithmetic == 0 && rest.as_str().starts_with("((") => {
                    self.arithmetic = 2;
                    rest.nth(1);
                }
                (None, '(') if self.arithmetic > 0 => self.arithmetic += 1,
                (None, ')') if self.arithmetic > 0 => self.arithmetic -= 1,
                (None, _) if self.arithmetic > 0 => {}
                (None, '#') if before.is_whitespace() || before == ';' => return,
                (None, '<') if before == '<' => self.documents.extend(document_end(rest.as_str())),
                _ => {}
            }
            before = c;
        }
    }
}

/// The word after `<<`, without its quotes.
fn document_end(after: &str) -> Option<String> {
    let word = after
        .trim_start_matches('-')
        .trim_start_matches([' ', '\t']);
    let end = word.find(|c: char| c.is_whitespace() || ";&|()<>".contains(c));
    let word = end.and_then(|end| word.get(..end)).unwrap_or(word);
    let word = word.replace(['\'', '"', '\\'], "");
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> String {
        split_section(text).1.unwrap_or_default()
    }

    #[test]
    fn files_are_as_many_as_names() {
        assert_eq!(section_file("init/"), "section-init.sh");
        let mut files: Vec<String> = ["init/", "init", "init//", "pc*", "pc", "pc_x", "02:00:*"]
            .map(section_file)
            .into();
        files.sort();
        files.dedup();
        assert_eq!(files.len(), 7, "{files:?}");
    }

    #[test]
    fn assignments_lose_the_spaces_that_a_shell_would_not_take() {
        assert_eq!(script("A = 1\nB= \"x y\"\nC =z\n"), "A=1\nB=\"x y\"\nC=z\n");
        assert_eq!(script("A = 'b\nC = d'\nE = f\n"), "A='b\nC = d'\nE=f\n");
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in [
            "cat >/etc/a.conf <<EOF\nStorage = volatile\nEOF\n",
            "cat <<-'A B' <<C\nx = 1\nC\n",
            "cat <<\\END\nx = it's\nEND\n",
            "awk '\nx = 1 {\n}'\n",
            "echo \"\na = b \\\" c\n\"\n",
            "echo \\\nx = y\n",
            "test \"$a\" = b\n  a = b\na == b\n",
        ] {
            assert_eq!(script(text), text);
        }
        for expansion in [
            "X=$((1 << 3))",
            "echo $(( (a<<b) + (1<<2)\n))",
            "echo \"$((1<<3))\" $((1<<2))",
        ] {
            let text = format!("{expansion}\n");
            assert_eq!(script(&format!("{text}A = 1\n")), format!("{text}A=1\n"));
        }
        for text in [
            "# don't\ncat <<E # it's\nx = 1\nE\n",
            "cat <<-E\n\tx = 1\n\tE\n",
            "cat <<\\E <<'F' <<\"G\"\nx = 1\nE\nF\ny = 2\nG\n",
        ] {
            assert_eq!(script(&format!("{text}A = 1\n")), format!("{text}A=1\n"));
        }
    }
}
