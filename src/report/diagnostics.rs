//! Problems with the input, each with its place and the line it is about.

mod excerpt;

pub(super) use excerpt::excerpt;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::harmless::short;
use super::style::Style;
use crate::values::{Origin, Problem, Severity, yaml};

/// How many errors, and how many warnings, are printed before the rest is only counted.
const SHOWN: usize = 100;

/// Prints problems, then how many there were. `source_text` gives a source's text, where it can still be had.
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
    let (mut errors, mut warnings) = (0, 0);
    let mut sources: HashMap<String, Option<Source>> = HashMap::new();
    for problem in problems {
        let count = match problem.severity {
            Severity::Error => &mut errors,
            Severity::Warning => &mut warnings,
        };
        *count += 1;
        if *count > SHOWN {
            continue;
        }
        let text = match &problem.origin {
            Some(Origin::Place { source, .. }) => sources
                .entry(source.to_string())
                .or_insert_with(|| {
                    let last = last_line(problems, source);
                    source_text(source).map(|text| Source::new(text, last))
                })
                .as_ref(),
            _ => None,
        };
        match with_line(problem, text, &renderer) {
            Some(excerpt) => writeln!(out, "{excerpt}\n")?,
            None => writeln!(out, "{}", short(&problem.to_string()))?,
        }
    }
    for (count, what) in [(errors, "errors"), (warnings, "warnings")] {
        if count > SHOWN {
            writeln!(out, "and {} more {what}", count - SHOWN)?;
        }
    }
    summary(problems).map_or(Ok(()), |summary| writeln!(out, "{summary}"))
}

/// A file that problems are about.
struct Source {
    text: String,
    /// Where its values end, as [`yaml::ends`] gives them.
    ends: HashMap<(u32, u32), u32>,
}

impl Source {
    /// A file with the last line that a problem is about.
    fn new(text: String, last: u32) -> Source {
        Source {
            // Places are those of the text without its byte-order mark.
            ends: yaml::ends(text.strip_prefix('\u{feff}').unwrap_or(&text), last),
            text,
        }
    }
}

/// The last line of a file that a problem is about.
fn last_line(problems: &[Problem], file: &str) -> u32 {
    let lines = problems.iter().filter_map(|problem| match &problem.origin {
        Some(Origin::Place { source, line, .. }) if **source == *file => Some(*line),
        _ => None,
    });
    lines.max().unwrap_or_default()
}

/// The problem with the line it is about; `None` where the line cannot be shown.
fn with_line(problem: &Problem, read: Option<&Source>, renderer: &Renderer) -> Option<String> {
    let Some(Origin::Place {
        source,
        line,
        column,
    }) = &problem.origin
    else {
        return None;
    };
    let place = (*line, *column);
    let end = read?.ends.get(&place).copied();
    let excerpt = excerpt(&read?.text, place, end, problem.path.as_ref())?;
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = match problem.path.as_ref().filter(|path| !path.0.is_empty()) {
        Some(path) => short(&format!("{path}: {}", problem.message)),
        None => short(&problem.message),
    };
    let snippet = Snippet::source(excerpt.line)
        .path(short(source))
        .line_start(*line as usize)
        .annotation(AnnotationKind::Primary.span(excerpt.start..excerpt.end));
    let group = Group::with_title(level.primary_title(&title)).element(snippet);
    let help = problem.help.as_deref().map(short);
    let help = help.as_deref().map(|help| Level::HELP.message(help));
    let group = match help {
        Some(help) => group.element(help),
        None => group,
    };
    Some(renderer.render(&[group]).to_string())
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
            source: "f.yaml".to_owned().into(),
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
    fn long_texts_lose_their_middle() {
        let name = "x".repeat(50_000);
        let text = printed(Problem::error(format!("`{name}` is not a name")), None);
        assert!(
            text.len() < 1_000 && text.contains("` is not a name"),
            "{text}"
        );
        let source = format!("x: 1\nmac: {name}\n");
        let text = printed(problem(), Some(&source));
        assert!(text.len() < 1_500 && text.contains("mac: xxx"), "{text}");
    }

    #[test]
    fn what_moves_a_cursor_is_not_printed() {
        let place = Origin::Place {
            source: "\u{1b}[31m\u{9b}.yaml".to_owned().into(),
            line: 1,
            column: 4,
        };
        let problem = Problem::error("no \u{9b}").at(place).help("not \u{9b}2J");
        let text = printed(problem, Some("m: \u{9b}2J\u{202e}x\u{7f}\n"));
        assert!(text.contains("1 error"));
        let is_bad = |character: char| {
            character != '\n' && character.is_control() || character == '\u{202e}'
        };
        assert!(!text.contains(is_bad), "{text:?}");
    }

    #[test]
    fn many_problems_are_counted() {
        let mut problems = vec![problem(); 2_000];
        problems.extend(vec![Problem::warning("odd"); 300]);
        let mut out = Vec::new();
        print_problems(&problems, |_| None, Style::Plain, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let end = "and 1900 more errors\nand 200 more warnings\n2000 errors, 300 warnings\n";
        assert!(text.ends_with(end), "{text}");
        assert_eq!(text.lines().count(), 203);
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
    fn a_mark_ends_where_the_value_does() {
        let text = printed(problem(), Some("x: 1\nmac: [zz, \"*.ok, x\"] # odd\n"));
        assert!(text.contains("\n  |      ^^^^^^^^^^^^^^^\n"), "{text}");
        let text = printed(problem(), Some("x: 1\na:  {zz_z, b: c}\n"));
        assert!(text.contains("\n  |      ^^^^\n"), "{text}");
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
