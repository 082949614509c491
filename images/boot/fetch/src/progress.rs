//! A line now and then, so that whoever looks at the console knows that it goes on, and how fast.

use std::time::{Duration, Instant};

use crate::say::say;

pub struct Progress {
    size: u64,
    interval: Duration,
    last: Instant,
    last_done: u64,
}

impl Progress {
    pub fn new(size: u64, interval: Duration) -> Self {
        Self {
            size,
            interval,
            last: Instant::now(),
            last_done: 0,
        }
    }

    /// `done` bytes of the image are there.
    pub fn at(&mut self, done: u64) {
        if let Some(line) = self.line(done, Instant::now()) {
            say(line);
        }
    }

    fn line(&mut self, done: u64, now: Instant) -> Option<String> {
        let passed = now.saturating_duration_since(self.last);
        if passed < self.interval {
            return None;
        }
        // After a fault a chunk begins again, and there is less than before.
        let new = u128::from(done.saturating_sub(self.last_done));
        let kib = (new * 1000 / passed.as_millis().max(1)) >> 10;
        let speed = if kib < 10 << 10 {
            format!("{kib} KiB/s")
        } else {
            format!("{} MiB/s", kib >> 10)
        };
        (self.last, self.last_done) = (now, done);
        Some(format!(
            "{} of {} MiB, {speed}",
            done >> 20,
            self.size >> 20
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_with_each_interval() {
        let mut progress = Progress::new(234 << 20, Duration::from_secs(3));
        let start = progress.last;
        let mut line = |seconds, done| progress.line(done, start + Duration::from_secs(seconds));
        assert_eq!(line(2, 60 << 20), None);
        assert_eq!(
            line(3, 114 << 20).as_deref(),
            Some("114 of 234 MiB, 38 MiB/s")
        );
        assert_eq!(line(5, 115 << 20), None);
        assert_eq!(
            line(6, 117 << 20).as_deref(),
            Some("117 of 234 MiB, 1024 KiB/s")
        );
        assert_eq!(
            line(9, 116 << 20).as_deref(),
            Some("116 of 234 MiB, 0 KiB/s")
        );
    }

    #[test]
    fn no_interval_divides_by_zero() {
        let mut progress = Progress::new(1, Duration::ZERO);
        let start = progress.last;
        assert!(progress.line(u64::MAX, start).is_some());
    }
}
