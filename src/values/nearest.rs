//! Finds the name that was probably meant.

use strsim::osa_distance;

/// The candidate that was most likely meant by `word`, or `None` if none is near enough.
///
/// Near means: equal except for case, `-` and `_`; or at most a third of the letters typed wrong, missing, too many, or
/// swapped with their neighbour; or three quarters of the shorter word, and three letters or more, start the other word
/// too.
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

/// Whether a word is another one with at most a third of its letters mistyped.
pub fn is_slip(word: &str, of: &str) -> bool {
    let (word, of) = (folded(word), folded(of));
    osa_distance(&word, &of) * 3 <= letters(&word).max(letters(&of))
}

/// The candidate that was meant by `word`, where `word` may as well be a name of its own: equal except for case, `-`
/// and `_`; or, from six letters on, with one of six mistyped, missing, too many, or swapped with its neighbour. A
/// candidate with a suffix is a name of its own.
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
            let folded = folded(candidate);
            let length = letters(&folded);
            let edits = osa_distance(&wanted, &folded);
            let extends = edits > 0 && wanted.starts_with(&folded);
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

fn folded(word: &str) -> String {
    // Longer words are not typing errors, and the work below grows with the square of the length.
    const LONGEST: usize = 64;
    word.chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .flat_map(char::to_lowercase)
        .take(LONGEST)
        .collect()
}

fn letters(word: &str) -> usize {
    word.chars().count()
}

/// The distance of two words, or `None` if they are not near.
fn distance(wanted: &str, candidate: &str) -> Option<usize> {
    let edits = osa_distance(wanted, candidate);
    let longest = letters(wanted).max(letters(candidate));
    let shortest = letters(wanted).min(letters(candidate));
    if edits * 3 <= longest {
        return Some(edits * 2);
    }
    let shared = wanted
        .chars()
        .zip(candidate.chars())
        .take_while(|(a, b)| a == b)
        .count();
    (shared >= 3 && shared * 4 >= shortest * 3).then_some(edits * 2 + 1)
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
