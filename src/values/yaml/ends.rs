//! Where values end, to underline them in messages.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, Span, StructureStyle};

/// The end of each value that ends on the line where it starts: the column after it, by the line and the column of its
/// start, all from 1. Values that start after the line `last`, or after an error in the text, have none.
pub fn ends(text: &str, last: u32) -> HashMap<(u32, u32), u32> {
    let mut ends = HashMap::new();
    // The starts of the collections that have not ended.
    let mut open: Vec<Option<Marker>> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else {
            break;
        };
        if number(span.start.line()) > last {
            break;
        }
        let start = match event {
            Event::Scalar(..) => Some(span.start),
            Event::SequenceStart(style, ..) | Event::MappingStart(style, ..) => {
                // A block collection starts with its first key, which has an end of its own.
                open.push((style == StructureStyle::Flow).then_some(span.start));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().flatten(),
            _ => None,
        };
        if let Some(start) = start.filter(|start| is_on_one_line(start, &span)) {
            ends.insert(
                (number(start.line()), number(start.col() + 1)),
                number(span.end.col() + 1),
            );
        }
    }
    ends
}

fn is_on_one_line(start: &Marker, span: &Span) -> bool {
    start.line() == span.end.line() && start.col() < span.end.col()
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_do() {
        let text = "a: {b: [x_y, \"z, ]\"], c: 1} # d\né: 'ü' # x\nlist:\n  - one two\nt: |\n  u\n";
        let ends = ends(text, 5);
        for (place, end) in [
            ((1, 1), 2),
            ((1, 4), 28),
            ((1, 8), 21),
            ((1, 9), 12),
            ((1, 14), 20),
            ((1, 26), 27),
            ((2, 4), 7),
            ((4, 5), 12),
        ] {
            assert_eq!(ends.get(&place), Some(&end), "{place:?}");
        }
        assert_eq!(ends.get(&(5, 4)), None);
        assert_eq!(super::ends(text, 1).get(&(2, 4)), None);
    }
}
