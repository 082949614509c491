//! Which backups have had their time.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::record::Record;

/// How long backups are kept. Each limit counts by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retention {
    /// At most so many; `None`: any number.
    pub count: Option<NonZeroU32>,
    /// Not longer; `None`: for ever.
    pub age: Option<Duration>,
}

impl Retention {
    /// The names of the files that can go, oldest last. The records are of good backups only; the newest of them stays
    /// in any case, however old it is.
    pub fn superfluous(&self, mut good: Vec<Record>, now: Timestamp) -> Vec<String> {
        good.sort_by(|a, b| (b.time, &b.file).cmp(&(a.time, &a.file)));
        let count = self.count.map_or(usize::MAX, |count| {
            usize::try_from(count.get()).unwrap_or(usize::MAX)
        });
        let age = self.age.and_then(|age| SignedDuration::try_from(age).ok());
        let is_old = |record: &Record| age.is_some_and(|age| now.duration_since(record.time) > age);
        let numbered = good.into_iter().enumerate().skip(1);
        let out = numbered.filter(|(number, record)| *number >= count || is_old(record));
        out.map(|(_, record)| record.file).collect()
    }
}
