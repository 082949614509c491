//! Every wait of the program: how long, and why. Tests make them shorter.

use std::time::Duration;

/// After how many seconds a failed try is repeated. A server that restarts is back in the first ones; one that is
/// replaced takes minutes, and a farm of waiting machines must not keep it from starting.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 15, 30];

#[derive(Clone, Debug)]
pub struct Waits {
    /// For the server to take the connection. A switch port needs up to 10 s to forward, the first pauses cover that.
    pub connect: Duration,
    /// For the next bytes. TCP itself would wait for ever on a server that is gone without a word.
    pub stall: Duration,
    /// For a whole manifest or signature, and for the head of any answer: these are small, and a server that drips is
    /// no server to boot from.
    pub small: Duration,
    /// For one chunk of the image. 4 MiB in this time are 14 KiB/s.
    pub chunk: Duration,
    /// For the report of a failure. The machine restarts after it: the report is worth no more.
    pub report: Duration,
    /// Between two lines of progress: few enough for a serial console.
    pub progress: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(20),
            small: Duration::from_secs(60),
            chunk: Duration::from_secs(300),
            report: Duration::from_secs(5),
            progress: Duration::from_secs(3),
            longest_pause: Duration::from_secs(30),
        }
    }
}

impl Waits {
    /// The pause after this many tries in a row that brought nothing; after one that brought something, as after the
    /// first.
    pub fn pause(&self, fruitless: u32) -> Duration {
        let place = usize::try_from(fruitless.saturating_sub(1)).unwrap_or(usize::MAX);
        let seconds = PAUSES.get(place).or(PAUSES.last()).copied().unwrap_or(1);
        Duration::from_secs(seconds).min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest() {
        let waits = Waits::default();
        let seconds: Vec<u64> = (0..9).map(|tries| waits.pause(tries).as_secs()).collect();
        assert_eq!(seconds, [1, 1, 2, 4, 8, 15, 30, 30, 30]);
        assert_eq!(waits.pause(u32::MAX).as_secs(), 30);
    }

    #[test]
    fn no_pause_is_longer_than_the_longest() {
        let waits = Waits {
            longest_pause: Duration::from_millis(5),
            ..Waits::default()
        };
        assert_eq!(waits.pause(4), Duration::from_millis(5));
    }
}
