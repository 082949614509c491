//! Whether the machine that has a name now may still be alive. Its name is given to another one only if it is not.
//!
//! The age of a kubelet's Lease says nothing: after an outage of the API server all of them are old. What counts is
//! that the agent, by its own clock, saw no renewal for a while, in which nodes could have renewed it.

use std::time::Duration;

use tokio::time::Instant;

/// How long a Lease has to be left alone. A kubelet renews it every 10 s, and takes up to 45 s to notice a dead
/// connection (HTTP/2 pings of client-go: 30 s and 15 s).
pub(super) const QUIET: Duration = Duration::from_secs(60);
/// How far apart two proofs may be that nodes can write.
pub(super) const GAP: Duration = Duration::from_secs(15);

/// The condition `Ready` of a Node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Ready {
    True,
    /// The kubelet reports that it is not.
    False,
    /// Its kubelet was not heard of, or said goodbye.
    Unknown,
}

/// The Lease of a kubelet, as the agent saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenLease {
    /// Its resource version; `None` where it is not there.
    pub version: Option<String>,
    /// Since when it is so, by the agent's clock.
    pub since: Instant,
}

/// Since when the agent can write to the child without a gap, and so nodes can.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::agent) struct Pulse {
    since: Option<Instant>,
    last: Option<Instant>,
}

impl Pulse {
    /// The agent has written something.
    pub fn beat(&mut self, now: Instant) {
        let is_gap = self.last.is_none_or(|last| now.duration_since(last) > GAP);
        if is_gap {
            self.since = Some(now);
        }
        self.last = Some(now);
    }

    /// Since when there was no gap; `None` if there is one now.
    fn steady_since(&self, now: Instant) -> Option<Instant> {
        let last = self.last?;
        self.since.filter(|_| now.duration_since(last) <= GAP)
    }
}

/// Why a machine is taken for alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) struct Alive {
    pub reason: &'static str,
    /// When it may be worth asking again.
    pub retry: Duration,
}

/// Whether the machine that has a name now may be alive.
///
/// # Errors
/// Why it is taken for alive.
pub(super) fn is_gone(
    node: Option<Ready>,
    lease: &SeenLease,
    pulse: &Pulse,
    now: Instant,
) -> Result<(), Alive> {
    let said_goodbye = lease.version.is_none() && matches!(node, None | Some(Ready::Unknown));
    if said_goodbye {
        return Ok(());
    }
    if node == Some(Ready::True) {
        // The control plane notices after 50 s (kube-controller-manager, --node-monitor-grace-period).
        return Err(Alive {
            reason: "its Node is Ready",
            retry: Duration::from_secs(10),
        });
    }
    let Some(steady) = pulse.steady_since(now) else {
        return Err(Alive {
            reason: "nodes cannot reach the API server at the moment",
            retry: QUIET,
        });
    };
    let quiet = now.duration_since(lease.since.max(steady));
    match QUIET.checked_sub(quiet) {
        None | Some(Duration::ZERO) => Ok(()),
        Some(left) => Err(Alive {
            reason: "its kubelet may have been heard of within the last minute",
            retry: left,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A pulse every 5 s between these, in seconds.
    fn pulse(start: Instant, beats: &[(u64, u64)]) -> Pulse {
        let mut pulse = Pulse::default();
        for (from, to) in beats {
            for beat in (*from..=*to).step_by(5) {
                pulse.beat(start + seconds(beat));
            }
        }
        pulse
    }

    fn lease(since: Instant) -> SeenLease {
        SeenLease {
            version: Some("1".to_owned()),
            since,
        }
    }

    #[test]
    fn a_name_that_nobody_has_or_that_said_goodbye_is_free_at_once() {
        let now = Instant::now();
        let none = SeenLease {
            version: None,
            since: now,
        };
        for node in [None, Some(Ready::Unknown)] {
            assert_eq!(is_gone(node, &none, &Pulse::default(), now), Ok(()));
        }
        // Whoever deletes the Lease of a living node says nothing about it: it makes another one within 10 s.
        for node in [Some(Ready::True), Some(Ready::False)] {
            assert!(
                is_gone(node, &none, &pulse(now, &[(0, 5)]), now).is_err(),
                "{node:?}"
            );
        }
    }

    #[test]
    fn a_lease_that_is_left_alone_for_a_minute_frees_the_name() {
        let start = Instant::now();
        let beats = pulse(start, &[(0, 100)]);
        let at = |time: u64, node: Ready| {
            is_gone(
                Some(node),
                &lease(start + seconds(40)),
                &beats,
                start + seconds(time),
            )
        };
        assert_eq!(at(99, Ready::Unknown).unwrap_err().retry, seconds(1));
        assert_eq!(at(100, Ready::Unknown), Ok(()));
        assert_eq!(at(100, Ready::False), Ok(()));
        assert!(at(100, Ready::True).is_err());
    }

    /// Its Node was deleted, and its kubelet goes on.
    #[test]
    fn a_renewed_lease_without_a_node_is_a_living_machine() {
        let start = Instant::now();
        let beats = pulse(start, &[(0, 100)]);
        assert!(
            is_gone(
                None,
                &lease(start + seconds(95)),
                &beats,
                start + seconds(100)
            )
            .is_err()
        );
        assert_eq!(
            is_gone(None, &lease(start), &beats, start + seconds(100)),
            Ok(())
        );
    }

    #[test]
    fn an_outage_of_the_api_server_proves_nothing() {
        let start = Instant::now();
        let silent = lease(start);
        // Nobody could write between 30 and 100.
        let beats = pulse(start, &[(0, 30), (100, 160)]);
        for (time, free) in [(101, false), (159, false), (160, true)] {
            let found = is_gone(Some(Ready::Unknown), &silent, &beats, start + seconds(time));
            assert_eq!(found.is_ok(), free, "after {time} s: {found:?}");
        }
        // The outage lasts.
        let found = is_gone(
            Some(Ready::Unknown),
            &silent,
            &pulse(start, &[(0, 80)]),
            start + seconds(96),
        );
        assert!(found.unwrap_err().reason.contains("cannot reach"));
    }
}
