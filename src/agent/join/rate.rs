//! How often one address may ask.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// A machine asks every ten seconds until it has joined.
const WINDOW: Duration = Duration::from_secs(10);
const REQUESTS: u32 = 5;
/// How many addresses are remembered.
const ADDRESSES: usize = 16_384;

/// Requests by the address they came from, since the begin of the window.
#[derive(Debug)]
pub(super) struct Rate {
    began: Instant,
    counts: HashMap<IpAddr, u32>,
}

impl Rate {
    pub fn new() -> Rate {
        Rate {
            began: Instant::now(),
            counts: HashMap::new(),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// There were too many; how long to wait.
    pub fn count(&mut self, source: IpAddr, now: Instant) -> Result<(), Duration> {
        let age = now.duration_since(self.began);
        if age >= WINDOW || self.counts.len() >= ADDRESSES {
            self.counts.clear();
            self.began = now;
        }
        let count = self.counts.entry(source).or_default();
        *count += 1;
        if *count > REQUESTS {
            return Err(WINDOW.saturating_sub(age));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let start = Instant::now();
        let mut rate = Rate {
            began: start,
            counts: HashMap::new(),
        };
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap());
        for _ in 0..REQUESTS {
            assert_eq!(rate.count(one, start), Ok(()));
        }
        let later = start + Duration::from_secs(4);
        assert_eq!(rate.count(one, later), Err(Duration::from_secs(6)));
        assert_eq!(rate.count(other, later), Ok(()));
        assert_eq!(rate.count(one, start + WINDOW), Ok(()));
    }
}
