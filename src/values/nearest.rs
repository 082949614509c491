//! What was probably meant.

/// The candidate that `word` is most likely a slip of, or `None` where none is near enough.
///
/// Near is: equal but for case, `-` and `_`; or at most a third of the letters typed wrong, missing, too many, or swapped
/// with their neighbour; or three quarters of the shorter word, and three letters or more, start the other word too.
pub fn nearest<'a, I>(word: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    let wanted = folded(word);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(&wanted, &folded(candidate))?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether a word is another one with at most a third of its letters typed wrong.
pub fn is_slip(word: &str, of: &str) -> bool {
    let (word, of) = (folded(word), folded(of));
    edit_distance(&word, &of) * 3 <= word.len().max(of.len())
}

/// The candidate that `word` is a slip of, where `word` may as well be a name of its own: equal but for case, `-` and
/// `_`; or, from six letters on, with one of six typed wrong, missing, too many, or swapped with its neighbour. A
/// candidate with something behind it is a name of its own.
pub fn slip<'a, I>(word: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    const SHORTEST: usize = 6;
    let wanted = folded(word);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .filter_map(|candidate| {
            let candidate_letters = folded(candidate);
            let length = candidate_letters.len();
            let edits = edit_distance(&wanted, &candidate_letters);
            let extends = edits > 0 && wanted.starts_with(&candidate_letters);
            let allowed = if length < SHORTEST {
                0
            } else {
                length / SHORTEST
            };
            (edits <= allowed && !extends).then_some((edits, candidate))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

fn folded(word: &str) -> Vec<char> {
    // Longer words are not slips, and the work below grows with the square of the length.
    const LONGEST: usize = 64;
    word.chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .flat_map(char::to_lowercase)
        .take(LONGEST)
        .collect()
}

/// How far apart two words are, or `None` where they are not near.
fn distance(wanted: &[char], candidate: &[char]) -> Option<usize> {
    let edits = edit_distance(wanted, candidate);
    let longest = wanted.len().max(candidate.len());
    let shortest = wanted.len().min(candidate.len());
    if edits * 3 <= longest {
        return Some(edits * 2);
    }
    let shared = wanted
        .iter()
        .zip(candidate)
        .take_while(|(a, b)| a == b)
        .count();
    (shared >= 3 && shared * 4 >= shortest * 3).then_some(edits * 2 + 1)
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
#[allow(
    clippy::indexing_slicing,
    reason = "each row has a column more than `right` has characters"
)]
fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = Vec::with_capacity(right.len() + 1);
        current.push(row + 1);
        for (column, b) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b;
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KEYS: [&str; 6] = [
        "replicaCount",
        "image",
        "resources",
        "enabled",
        "extraArgs",
        "podLabels",
    ];

    #[test]
    fn finds_slips() {
        for (typed, meant) in [
            ("replicas", "replicaCount"),
            ("replicaConut", "replicaCount"),
            ("imgae", "image"),
            ("extra-args", "extraArgs"),
            ("EXTRAARGS", "extraArgs"),
            ("enable", "enabled"),
            ("resource", "resources"),
            ("podlabel", "podLabels"),
        ] {
            assert_eq!(nearest(typed, KEYS), Some(meant), "{typed}");
        }
    }

    #[test]
    fn keeps_silent_when_nothing_is_near() {
        for typed in ["x", "", "nodeSelector", "tolerations", "im"] {
            assert_eq!(nearest(typed, KEYS), None, "{typed}");
        }
    }

    #[test]
    fn prefers_the_nearest() {
        assert_eq!(
            nearest("port", ["ports", "port2x", "sport1"]),
            Some("ports")
        );
    }
}
