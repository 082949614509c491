//! What the text of a flag may be.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::farm::syntax::{is_dns_name, is_namespace_name, split_endpoint};

/// `host:port`, checked, because it is written into shell scripts and kubeconfig files as it is.
#[derive(Debug, Clone)]
pub struct Endpoint(pub String);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Endpoint, String> {
        match split_endpoint(text) {
            Some((host, Some(_))) if is_dns_name(host) || host.parse::<IpAddr>().is_ok() => {
                Ok(Endpoint(text.to_owned()))
            }
            _ => Err("expected HOST:PORT, with an IPv6 address in brackets".to_owned()),
        }
    }
}

/// The name of a release or of a namespace, as it goes into the path of a request.
pub fn object_name(text: &str) -> Result<String, String> {
    if is_namespace_name(text) {
        Ok(text.to_owned())
    } else {
        Err("expected at most 63 lower-case letters, digits and hyphens".to_owned())
    }
}

/// The longest time that a flag takes: a thousand years, which clocks can still add to now.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// `90s`, `5m`, `1h30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = "expected a time such as 90s, 5m or 1h30m";
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| expected.to_owned())?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() => within_reach(duration),
        _ => Err(expected.to_owned()),
    }
}

fn within_reach(duration: Duration) -> Result<Duration, String> {
    if duration <= LONGEST {
        Ok(duration)
    } else {
        Err("expected a time of at most 1000 years".to_owned())
    }
}

/// `30d`, or a time as [`duration`] takes it.
pub fn span(text: &str) -> Result<Duration, String> {
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    let span = match days {
        Some(days) => Ok(Duration::from_secs(24 * 3600 * u64::from(days))),
        None => {
            let parsed: jiff::SignedDuration = text
                .parse()
                .map_err(|_| "expected a time such as 30d, 12h or 90m".to_owned())?;
            Duration::try_from(parsed)
                .map_err(|_| "expected a time that is not negative".to_owned())
        }
    };
    within_reach(span?)
}
