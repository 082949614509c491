//! Cuts a long list into parts that stay the same when the list changes a little.
//!
//! An object in the cluster has a largest size, so the leases of many nodes go into several objects. With a cut every
//! thousand nodes, a node added at the front would change every object after it. Here the cuts follow from the items'
//! own keys (content-defined chunking): a new or removed item changes the part it is in, and seldom the next.

use std::ops::Range;

/// The sizes of the parts, in the unit of `size` (bytes, where the parts become objects).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// No part but the last is smaller, unless an item of nearly `max` follows it.
    pub min: usize,
    /// No part is larger, unless a single item is.
    pub max: usize,
}

impl Limits {
    /// Parts of at most `max`, at least an eighth of it, and about a quarter on average.
    pub fn up_to(max: usize) -> Limits {
        Limits { min: max / 8, max }
    }

    /// The average distance between two places where a cut is possible. One part in e⁷ (a thousand) reaches `max`
    /// without such a place; only then does a cut depend on where the part began.
    fn gap(self) -> usize {
        (self.max.saturating_sub(self.min) / 7).max(1)
    }
}

/// The parts of `items`, in order, without gaps; none for no items, one if all fit into `max`.
///
/// `size` is the size of an item, `key` a text that an item keeps when others change: a node's name. The parts depend
/// on nothing else, and are the same on every platform and in every version. Name an object after the key of its first
/// item rather than after its position, which shifts.
pub fn split<T>(
    items: &[T],
    size: impl Fn(&T) -> usize,
    key: impl Fn(&T) -> &str,
    limits: Limits,
) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut sum = 0_usize;
    let fits = items.iter().map(&size).fold(0, usize::saturating_add) <= limits.max;
    for (position, item) in items.iter().enumerate().skip_while(|_| fits) {
        let size_here = size(item);
        if position > start && sum.saturating_add(size_here) > limits.max {
            parts.push(start..position);
            start = position;
            sum = 0;
        }
        sum = sum.saturating_add(size_here);
        if sum >= limits.min && may_cut_after(key(item), size_here, limits.gap()) {
            parts.push(start..position + 1);
            start = position + 1;
            sum = 0;
        }
    }
    if start < items.len() {
        parts.push(start..items.len());
    }
    parts
}

/// Whether a cut may follow an item, by the hash of its key: the probability is its size divided by the gap, so that
/// large items are as likely to be followed by a cut, byte for byte, as small ones.
fn may_cut_after(key: &str, size: usize, gap: usize) -> bool {
    let chance = (size as u128) << 64;
    u128::from(hash(key)) < chance / gap as u128
}

/// FNV-1a (64 bits), then MurmurHash3's finalizer, without which similar keys have similar high bits.
pub fn hash(key: &str) -> u64 {
    let fnv = key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const SIZE: usize = 150;
    const LIMITS: Limits = Limits {
        min: 32 * 1024,
        max: 256 * 1024,
    };

    fn names(count: usize) -> Vec<String> {
        (0..count)
            .map(|number| format!("node-{number:05}"))
            .collect()
    }

    fn parts(items: &[String]) -> Vec<Vec<String>> {
        split(items, |_| SIZE, |name| name, LIMITS)
            .into_iter()
            .map(|range| items[range].to_vec())
            .collect()
    }

    #[test]
    fn hashes_are_the_same_everywhere() {
        assert_eq!(hash(""), 0xefd0_1f60_ba99_2926);
        assert_eq!(hash("node-00001"), 0x2c46_00a5_4d47_6997);
        assert_eq!(hash("node-00002"), 0x30cf_0a62_80bf_8e21);
    }

    /// Objects are named after these places: another cut is another name in every large farm.
    #[test]
    fn cuts_are_the_same_everywhere() {
        let cuts = split(&names(5_000), |_| SIZE, |name| name, LIMITS);
        let ends: Vec<usize> = cuts.iter().map(|part| part.end).collect();
        let expected = [288, 660, 1727, 2014, 2360, 3170, 3558, 4089, 4733, 5000];
        assert_eq!(ends, expected);
    }

    /// Where every key may be followed by a cut, the sizes alone say where it is.
    #[test]
    fn a_part_may_have_exactly_the_smallest_and_the_largest_size() {
        let ends = |count, size, min, max| {
            let parts = split(&names(count), |_| size, |name| name, Limits { min, max });
            let ends: Vec<usize> = parts.iter().map(|part| part.end).collect();
            ends
        };
        assert_eq!(ends(10, 1, 2, 9), [2, 4, 6, 8, 10], "the smallest");
        assert_eq!(ends(6, 3, 9, 9), [3, 6], "the largest");
        assert_eq!(ends(3, 3, 1, 9), [3], "all in one");
    }

    #[test]
    fn few_items_are_one_part() {
        assert!(split(&[] as &[String], |_| 1, |name| name, LIMITS).is_empty());
        for count in [1, 10, 100, LIMITS.max / SIZE] {
            assert_eq!(parts(&names(count)).len(), 1, "{count}");
        }
    }

    #[test]
    fn parts_have_about_a_quarter_of_the_largest_size() {
        let items = names(100_000);
        let count = parts(&items).len();
        let average = items.len() * SIZE / count;
        assert!(
            (LIMITS.max / 6..LIMITS.max / 3).contains(&average),
            "{average}"
        );
    }

    #[test]
    fn one_more_item_changes_at_most_two_parts() {
        let items = names(10_000);
        let before: HashSet<Vec<String>> = parts(&items).into_iter().collect();
        assert!(before.len() > 10);
        for position in (0..=items.len()).step_by(97) {
            let mut longer = items.clone();
            longer.insert(position, format!("node-{position:05}-b"));
            let changed = parts(&longer)
                .into_iter()
                .filter(|part| !before.contains(part))
                .count();
            assert!(
                changed <= 2,
                "{changed} parts changed by an item at {position}"
            );
        }
    }

    proptest! {
        #[test]
        fn parts_cover_the_list_and_keep_the_limits(
            sizes in prop::collection::vec(0_usize..300, 0..200),
            min in 0_usize..300,
            more in 0_usize..900,
        ) {
            let limits = Limits { min, max: min + more };
            let items: Vec<(String, usize)> = sizes
                .iter()
                .enumerate()
                .map(|(number, size)| (format!("item-{number}"), *size))
                .collect();
            let parts = split(&items, |item| item.1, |item| &item.0, limits);
            let mut end = 0;
            for part in &parts {
                prop_assert_eq!(part.start, end);
                prop_assert!(part.end > part.start);
                end = part.end;
                let size: usize = items[part.clone()].iter().map(|item| item.1).sum();
                prop_assert!(size <= limits.max || part.len() == 1);
            }
            prop_assert_eq!(end, items.len());
        }
    }
}
