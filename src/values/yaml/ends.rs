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

/// A line and a column, both from 1.
type Place = (u32, u32);

/// The end of the last value in a list or map with brackets: its line and the column after it, by the line and the column
/// of the opening bracket, all from 1. `None` if there is nothing in it, or no such bracket before an error in the text.
pub fn last_inside(text: &str, bracket: Place) -> Option<Place> {
    // The open collections: where each starts, and where the last value in it ended.
    let mut open: Vec<(Option<Place>, Option<Place>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        let place = |marker: &Marker| (number(marker.line()), number(marker.col() + 1));
        match event {
            Event::SequenceStart(style, ..) | Event::MappingStart(style, ..) => {
                let has_brackets = style == StructureStyle::Flow;
                open.push((has_brackets.then(|| place(&span.start)), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (start, last) = open.pop()?;
                if start == Some(bracket) {
                    return last;
                }
            }
            Event::Scalar(..) | Event::Alias(..) => {}
            _ => continue,
        }
        if let Some((_, last)) = open.last_mut() {
            *last = Some(place(&span.end));
        }
    }
    None
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
    fn the_last_value_in_brackets_is_before_commas_and_comments() {
        let text = "a: [1, {b: [2 ]} , ] # c\nd: [\n  'x',\n  é  # e\n]\nf: []\ng: {h: }\n";
        for (bracket, end) in [
            ((1, 4), (1, 17)),
            ((1, 8), (1, 16)),
            ((1, 12), (1, 14)),
            ((2, 4), (4, 4)),
        ] {
            assert_eq!(last_inside(text, bracket), Some(end), "{bracket:?}");
        }
        for bracket in [(6, 4), (1, 1), (9, 9)] {
            assert_eq!(last_inside(text, bracket), None, "{bracket:?}");
        }
    }

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
