//! How old the configuration may be that a machine boots with: it is signed anew while the boot server works, so that one
//! that was replaced and is served again is noticed.

use jiff::{SignedDuration, Timestamp};

/// The boot server signs twice an hour. A machine that waits for its control plane takes the new time along, as long as
/// it runs what is configured.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// Whether a configuration that was signed at some time may be used now.
///
/// # Errors
/// Why not, with both times.
pub(super) fn check(signed: Timestamp, now: Timestamp) -> Result<(), String> {
    let age = now.duration_since(signed);
    // In whole seconds, as it was signed.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    if age > OLDEST {
        Err(format!(
            "its configuration was signed at {signed}, more than a day before now, {now}: an old one is served, or the \
             boot server cannot sign"
        ))
    } else if age < -OLDEST {
        Err(format!(
            "its configuration was signed at {signed}, more than a day after now, {now}: a clock is wrong"
        ))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_limit_on_both_sides() {
        let now: Timestamp = "2026-11-30T22:00:00.5Z".parse().unwrap();
        let at = |text: &str| check(text.parse().unwrap(), now);
        assert_eq!(at("2026-11-30T21:30:00Z"), Ok(()));
        assert_eq!(at("2026-11-29T22:00:01Z"), Ok(()));
        assert_eq!(
            at("2026-11-29T22:00:00Z").unwrap_err(),
            "its configuration was signed at 2026-11-29T22:00:00Z, more than a day before now, 2026-11-30T22:00:00Z: \
             an old one is served, or the boot server cannot sign"
        );
        assert_eq!(at("2026-12-01T22:00:00Z"), Ok(()));
        let ahead = at("2026-12-01T22:00:01Z").unwrap_err();
        assert!(ahead.ends_with("a clock is wrong"), "{ahead}");
    }
}
