//! Tables, as the commands that list things print them.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, Table};

use super::diagnostics::{Style, printable};

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

/// The same, with the rows in red that are marked, where there is colour.
pub fn marked_table(headers: &[&str], rows: &[(Vec<String>, bool)], style: Style) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|(cells, _)| cells.clone()).collect();
    let text = table(headers, &cells);
    if style == Style::Plain {
        return text;
    }
    // A row is a line, after that of the headers.
    let marks = std::iter::once(false).chain(rows.iter().map(|(_, is_marked)| *is_marked));
    let lines = text
        .lines()
        .zip(marks)
        .map(|(line, is_marked)| match is_marked {
            true => format!("\u{1b}[31m{line}\u{1b}[0m\n"),
            false => format!("{line}\n"),
        });
    lines.collect()
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
    fn no_rows_give_no_text() {
        assert_eq!(table(&["NAME"], &[]), "");
    }

    #[test]
    fn rows_may_be_shorter_or_longer_than_the_headers() {
        let text = table(&["A", "B"], &rows(&[&["1"], &["1", "2", "3"]]));
        assert_eq!(text, "A  B\n1\n1  2  3\n");
    }
}
