//! A text that changes in place, at a terminal.

use std::fmt::Write as _;

use rustix::termios::tcgetwinsize;

/// What stands on the screen.
#[derive(Debug, Default)]
pub struct Screen {
    lines: usize,
}

impl Screen {
    /// What to write to have `text` in place of what stood there before: as much of it as fits, each line cut off at
    /// the edge, for the cursor goes back by lines (ECMA-48, CUU and ED).
    pub fn replace(&mut self, text: &str, (columns, rows): (usize, usize)) -> String {
        let mut out = String::new();
        if self.lines > 0 {
            // A String takes any text.
            let _ = write!(out, "\u{1b}[{}A\r\u{1b}[J", self.lines);
        }
        let all = text.lines().count();
        let fits = rows.saturating_sub(1).max(1);
        let shown = if all > fits { fits - 1 } else { all };
        for line in text.lines().take(shown) {
            out.extend(line.chars().take(columns));
            out.push('\n');
        }
        if shown < all {
            let _ = writeln!(out, "... and {} more", all - shown);
        }
        self.lines = shown + usize::from(shown < all);
        out
    }
}

/// Columns and rows of stdout; `None` where it is not a terminal.
pub fn size() -> Option<(usize, usize)> {
    let size = tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col.into(), size.ws_row.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_there_before_is_replaced() {
        let mut screen = Screen::default();
        assert_eq!(screen.replace("a\nb\n", (80, 24)), "a\nb\n");
        assert_eq!(screen.replace("c\n", (80, 24)), "\u{1b}[2A\r\u{1b}[Jc\n");
        assert_eq!(screen.replace("", (80, 24)), "\u{1b}[1A\r\u{1b}[J");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut screen = Screen::default();
        assert_eq!(
            screen.replace("abc\nd\ne\nf\n", (2, 4)),
            "ab\nd\n... and 2 more\n"
        );
        assert_eq!(
            screen.replace("abc\nd\ne\n", (2, 4)),
            "\u{1b}[3A\r\u{1b}[Jab\nd\ne\n"
        );
        assert_eq!(
            screen.replace("a\nb\n", (1, 1)),
            "\u{1b}[3A\r\u{1b}[J... and 2 more\n"
        );
    }
}
