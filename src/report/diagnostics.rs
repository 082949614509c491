//! Problems with the input, each with its place and the line it is about.

mod excerpt;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::values::{Origin, Problem, Severity};

/// Whether a person's terminal gets colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

impl Style {
    /// Colour where stderr is a terminal and `NO_COLOR` (no-color.org) is unset or empty.
    pub fn of_stderr() -> Style {
        Style::of(&io::stderr())
    }

    /// The same for stdout.
    pub fn of_stdout() -> Style {
        Style::of(&io::stdout())
    }

    fn of(stream: &impl IsTerminal) -> Style {
        let asked_not_to = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stream.is_terminal() && !asked_not_to {
            Style::Coloured
        } else {
            Style::Plain
        }
    }

    fn renderer(self) -> Renderer {
        match self {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        }
    }
}

/// Prints every problem, then how many there were. `source_text` gives a source's text, where it can still be had.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn print_problems(
    problems: &[Problem],
    source_text: impl Fn(&str) -> Option<String>,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let renderer = style.renderer();
    let mut sources: HashMap<String, Option<String>> = HashMap::new();
    for problem in problems {
        let text = match &problem.origin {
            Some(Origin::Place { source, .. }) => sources
                .entry(source.to_string())
                .or_insert_with(|| source_text(source))
                .as_deref(),
            _ => None,
        };
        match with_line(problem, text, &renderer) {
            Some(excerpt) => writeln!(out, "{excerpt}\n")?,
            None => writeln!(out, "{}", printable(&problem.to_string()))?,
        }
    }
    summary(problems).map_or(Ok(()), |summary| writeln!(out, "{summary}"))
}

/// The problem with the line it is about; `None` where the line cannot be shown.
fn with_line(problem: &Problem, text: Option<&str>, renderer: &Renderer) -> Option<String> {
    let Some(Origin::Place {
        source,
        line,
        column,
    }) = &problem.origin
    else {
        return None;
    };
    let excerpt = excerpt::excerpt(text?, *line, *column, problem.path.as_ref())?;
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = match problem.path.as_ref().filter(|path| !path.0.is_empty()) {
        Some(path) => format!("{path}: {}", problem.message),
        None => problem.message.clone(),
    };
    let snippet = Snippet::source(excerpt.line)
        .path(source.to_string())
        .line_start(*line as usize)
        .annotation(AnnotationKind::Primary.span(excerpt.start..excerpt.end));
    let group = Group::with_title(level.primary_title(&title)).element(snippet);
    let help = problem
        .help
        .as_deref()
        .map(|help| Level::HELP.message(help));
    let group = match help {
        Some(help) => group.element(help),
        None => group,
    };
    Some(renderer.render(&[group]).to_string())
}

/// One line that a terminal only shows: what would move its cursor or turn its text around is escaped.
pub(super) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(character.escape_unicode())
            }
            _ if character.is_control() => line.extend(character.escape_debug()),
            _ => line.push(character),
        }
    }
    line
}

fn summary(problems: &[Problem]) -> Option<String> {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    let warnings = problems.len() - errors;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut text = String::new();
    if errors > 0 {
        // Writing into a String cannot fail.
        let _ = write!(text, "{errors} error{}", plural(errors));
    }
    if warnings > 0 && errors > 0 {
        let _ = write!(text, ", {warnings} warning{}", plural(warnings));
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Path;

    fn printed(problem: Problem, text: Option<&str>) -> String {
        let mut out = Vec::new();
        let source = |_: &str| text.map(str::to_owned);
        print_problems(&[problem], source, Style::Plain, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn problem() -> Problem {
        let place = Origin::Place {
            source: "f.yaml".into(),
            line: 2,
            column: 6,
        };
        Problem::error("no MAC")
            .at(place)
            .about(Path::from("a.mac"))
            .help("write it")
    }

    #[test]
    fn without_its_line_a_problem_is_one_line_and_moves_no_cursor() {
        let text = printed(Problem::error("`a\n\u{1b}[2J\u{202e}b`"), None);
        assert_eq!(text, "error: `a\\n\\u{1b}[2J\\u{202e}b`\n1 error\n");
    }

    #[test]
    fn a_problem_shows_its_line() {
        let text = printed(problem(), Some("x: 1\nmac: zz # odd\n"));
        for part in [
            "a.mac: no MAC",
            "f.yaml:2:6",
            "mac: zz",
            "     ^^",
            "write it",
            "1 error",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }

    #[test]
    fn a_lost_source_still_gives_the_place() {
        let text = printed(problem(), None);
        assert!(
            text.starts_with("f.yaml:2:6: error: a.mac: no MAC (write it)\n"),
            "{text}"
        );
    }
}
