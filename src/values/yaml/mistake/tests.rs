use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::super::super::tree::Origin;
use super::super::{lines, parse};

/// What is said of a text that is not YAML: `LINE:COLUMN WHAT`.
fn said(text: &str) -> String {
    let problem = parse("f", text).expect_err(text);
    let Some(Origin::Place { line, column, .. }) = problem.origin else {
        panic!("{text:?}: no place");
    };
    let what = problem.message.strip_prefix("not valid YAML: ");
    format!("{line}:{column} {}", what.unwrap_or(&problem.message))
}

#[test]
fn says_what_a_person_did_and_where() {
    for (text, expected) in [
        // A space that is missing.
        (
            "a:\n  b:3\n  c: 1\n",
            "2:5 a space is missing after the colon",
        ),
        (
            "name:a\nb:\n  c: 2\n",
            "1:6 a space is missing after the colon",
        ),
        (
            "p:\n  - name:a\n    mac: b\n",
            "2:10 a space is missing after the colon",
        ),
        (
            "p:\n  -name: a\n    mac: b\n",
            "2:4 a space is missing after the dash",
        ),
        (
            "a:\n  t:\n  -key\n  - b\n",
            "3:4 a space is missing after the dash",
        ),
        // A colon that is missing, or one too many.
        ("a: 1\nb\nc: 2\n", "2:1 this line has no colon"),
        ("a:\n  b\n  c: 1\n", "2:3 this line has no colon"),
        ("a = 1\nb: 2\n", "1:1 this line has no colon"),
        ("a: b: c\n", "1:5 a second colon on the line"),
        // Indentation.
        (
            "a:\n  b: 2\n    c: x\n",
            "3:5 indented deeper than line 2, which has a value already",
        ),
        (
            "a:\n    b: 2\n  c:\n    d: 3\n",
            "3:3 no line above has this indentation",
        ),
        (
            "a:\n  - x\n - y\n",
            "3:2 no line above has this indentation",
        ),
        (
            "a:\n  - x: 1\n  b: 2\n",
            "3:3 a list and a map in the same column",
        ),
        ("  a: 1\nb: 2\n", "2:1 indented less than the first line"),
        (
            "a: |\nx\nb: 1\n",
            "2:1 the text that belongs to line 1 is not indented",
        ),
        ("a:\n\tb: 1", "2:1 a tab in the indentation"),
        // Characters.
        (
            "a:\n  b: 1\n\u{a0} c:\n    d: 2\n  e: 3\n",
            "3:1 a no-break space in place of a space",
        ),
        (
            "a:\n  b:\u{a0}1\n  c: 2\n",
            "2:5 a no-break space in place of a space",
        ),
        (
            "a:\n  b: 1\n\u{3000}c: 2\n  d: 1\n",
            "3:1 U+3000 in place of a space",
        ),
        ("a: @x\n", "1:4 a text without quotes cannot begin with @"),
        ("a: `x`\n", "1:4 a text without quotes cannot begin with `"),
        ("a: %x\n", "1:4 a text without quotes cannot begin with %"),
        ("a: }x\n", "1:4 a text without quotes cannot begin with }"),
        (
            "a: ,static\nb: 1\n",
            "1:4 a text without quotes cannot begin with ,",
        ),
        ("a: & b\n", "1:4 a text without quotes cannot begin with &"),
        ("a: >x\n", "1:4 a text without quotes cannot begin with >"),
        ("a: - b\n", "1:4 a text without quotes cannot begin with -"),
        (
            "a: \"C:\\dir\"\n",
            "1:4 a backslash in double quotes stands for no character",
        ),
        // Brackets and quotes.
        ("a:\n  b: [x, y\n  c: 1\n", "2:6 [ is not closed"),
        (
            "a: {x: 1\nb: 2\n",
            "1:4 { is not closed, or a comma is missing before line 2",
        ),
        ("a: [x]]\n", "1:7 ] without an opening bracket"),
        (
            "a: \"x\nb: 1\nc: \"y\"\n",
            "1:4 a quote that is not closed on its line",
        ),
        ("a: 'it's'\n", "1:8 there is text after the closing quote"),
        // What belongs to other programs.
        (
            "a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> x\n",
            "2:1 an unresolved conflict of git",
        ),
        (
            "a:\n<<<<<<< HEAD\n- c\n=======\n- d\n>>>>>>> x\n",
            "2:1 an unresolved conflict of git",
        ),
        ("a: {{ .Values.x }}\n", "1:4 a Helm template, {{ … }}"),
        ("a: {{ .x }}.example.org\n", "1:4 a Helm template, {{ … }}"),
        (
            "a:\n  {{- if .x }}\n  b: 1\n  {{- end }}\n",
            "2:3 a Helm template, {{ … }}",
        ),
        ("a: \"{{ \"x\" }}\"\n", "1:5 a Helm template, {{ … }}"),
        ("- {{ x }}\n", "1:3 a Helm template, {{ … }}"),
    ] {
        assert_eq!(said(text), expected, "{text:?}");
    }
}

/// Pieces that break YAML, or do not.
const PIECES: [&str; 30] = [
    "\n",
    "\n  ",
    "\n\t",
    " ",
    "\u{a0}",
    ":",
    ": ",
    "-",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "{{",
    "}}",
    ",",
    "\"",
    "'",
    "#",
    " #",
    "|",
    ">",
    "&a ",
    "*a",
    "!x ",
    "@",
    "`",
    "\\",
    "<<<<<<< HEAD\n",
    "é\u{85}\r",
];

#[test]
fn whatever_is_refused_has_a_place_in_the_file() {
    const TEXT: &str = include_str!("../../../../examples/generic/values.yaml");
    let characters: Vec<char> = TEXT.chars().collect();
    let config = ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    let places = (0..characters.len(), 0usize..20, select(PIECES.to_vec()));
    let changes = proptest::collection::vec(places, 1..4);
    let result = runner.run(&changes, |changes| {
        let mut text = characters.clone();
        for (at, gone, piece) in changes {
            let at = at.min(text.len());
            let end = (at + gone).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let Err(problem) = parse("f", &text) else {
            return Ok(());
        };
        let Some(Origin::Place { line, column, .. }) = problem.origin else {
            return Err(TestCaseError::fail(format!(
                "no place: {}",
                problem.message
            )));
        };
        // Where the last line has an end, the parser may stop behind it.
        let shown = lines(&text).nth(line as usize - 1);
        let length = shown.map(|line| line.chars().count());
        prop_assert!(
            length.is_some_and(|length| column as usize <= length + 1),
            "{line}:{column} of {length:?}: {}",
            problem.message
        );
        prop_assert!(problem.message.chars().count() < 300);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
