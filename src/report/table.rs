//! Tables, as the commands that list things print them.

use std::io;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, Table};
use rustix::termios::tcgetwinsize;

use super::harmless::printable;
use super::style::Style;

/// Rows under their headers: no borders, two spaces between columns, a line a row, each ended by a newline. Nothing is
/// cut off or wrapped, and nothing in a cell can end its line. Without rows, the empty text.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(cells(headers));
    for row in rows {
        table.add_row(cells(row));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// How many columns stdout has; `None` where it is not a terminal.
pub fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// The same as a table where that fits into so many columns, and else as a record for each row: its first cell, and
/// below that each other one after its header. The rows that are marked are red, where there is colour.
pub fn fitted(
    headers: &[&str],
    rows: &[(Vec<String>, bool)],
    style: Style,
    columns: Option<usize>,
) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|(cells, _)| cells.clone()).collect();
    let text = table(headers, &cells);
    let widest = text.lines().map(|line| line.chars().count()).max();
    if let (Some(columns), Some(widest)) = (columns, widest)
        && columns < widest
    {
        return records(headers, rows, style, columns);
    }
    // A row is a line, after that of the headers.
    let marks = std::iter::once(false).chain(rows.iter().map(|(_, is_marked)| *is_marked));
    let lines = text.lines().zip(marks);
    lines
        .map(|(line, is_marked)| marked(line, is_marked, style))
        .collect()
}

fn marked(line: &str, is_marked: bool, style: Style) -> String {
    if is_marked && style == Style::Coloured {
        format!("\u{1b}[31m{line}\u{1b}[0m\n")
    } else {
        format!("{line}\n")
    }
}

fn records(headers: &[&str], rows: &[(Vec<String>, bool)], style: Style, columns: usize) -> String {
    let labels = headers.iter().skip(1).map(|header| header.len());
    let label = labels.max().unwrap_or(0);
    let indent = label + "    ".len();
    let mut text = String::new();
    for (cells, is_marked) in rows {
        let name = cells.first().map(|cell| printable(cell));
        text.push_str(&marked(&name.unwrap_or_default(), *is_marked, style));
        let cells = headers.iter().zip(cells).skip(1);
        for (header, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
            let mut header = header.to_lowercase();
            for line in wrapped(&printable(cell), columns.saturating_sub(indent)) {
                text.push_str(&format!("  {header:label$}  {line}\n"));
                header.clear();
            }
        }
    }
    text
}

/// Lines of so many characters, broken at spaces, and inside of words that are longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        if letters.len() > width {
            lines.extend(letters.chunks(width).map(|piece| piece.iter().collect()));
            continue;
        }
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn cells(texts: &[impl AsRef<str>]) -> Vec<Cell> {
    let cells = texts.iter().map(|text| Cell::new(printable(text.as_ref())));
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        let row = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn columns_are_two_spaces_apart_and_lines_have_no_tail() {
        let rows = rows(&[&["farm", "a", ""], &["b", "other", "ready"]]);
        assert_eq!(
            table(&["NAME", "NAMESPACE", "STATE"], &rows),
            "NAME  NAMESPACE  STATE\nfarm  a\nb     other      ready\n"
        );
    }

    #[test]
    fn a_cell_stays_on_its_line() {
        let rows = rows(&[&["a\nb\t\u{1b}[2J\u{202e}", "c"]]);
        let text = table(&["X", "Y"], &rows);
        assert!(
            text.ends_with("\na\\nb\\t\\u{1b}[2J\\u{202e}  c\n"),
            "{text:?}"
        );
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn long_cells_are_not_wrapped() {
        let long = "word ".repeat(100) + "end";
        let text = table(&["X"], &rows(&[&[&long]]));
        assert_eq!(text, format!("X\n{long}\n"));
    }

    #[test]
    fn what_does_not_fit_becomes_records() {
        let cells = rows(&[&["ca", "3650", "one two three four five", ""]]);
        let rows = [(cells[0].clone(), true)];
        let headers = ["NAME", "DAYS", "NAMES", "X"];
        let fit = |columns, style| fitted(&headers, &rows, style, columns);
        let table = "NAME  DAYS  NAMES                    X\nca    3650  one two three four five\n";
        assert_eq!(fit(None, Style::Plain), table);
        assert_eq!(fit(Some(40), Style::Plain), table);
        let records = "ca\n  days   3650\n  names  one two three\n         four five\n";
        assert_eq!(fit(Some(24), Style::Plain), records);
        let narrow = "ca\n  days   36\n         50\n  names  on\n         e\n";
        let narrowest = fit(Some(11), Style::Plain);
        assert!(narrowest.starts_with(narrow), "{narrowest}");
        assert!(
            narrowest.lines().all(|line| line.len() <= 11),
            "{narrowest}"
        );
        let red = fit(Some(24), Style::Coloured);
        assert!(red.starts_with("\u{1b}[31mca\u{1b}[0m\n"), "{red:?}");
        assert!(fit(None, Style::Coloured).contains("\n\u{1b}[31mca "));
    }

    #[test]
    fn no_rows_give_no_text() {
        assert_eq!(table(&["NAME"], &[]), "");
    }

    #[test]
    fn rows_may_be_shorter_or_longer_than_the_headers() {
        let text = table(&["A", "B"], &rows(&[&["1"], &["1", "2", "3"]]));
        assert_eq!(text, "A  B\n1\n1  2  3\n");
    }
}
