//! Sizes and times.

use std::time::Duration;

use super::{Text, both, pattern, written};
use crate::farm::syntax::{Schedule as Times, go_duration, quantity};
use crate::values::Refusal;

both! {
    /// A volume's size in bytes, a Kubernetes quantity.
    VolumeSize: f64;
    /// A duration as Go reads it.
    GoDuration: Duration;
    /// When a CronJob runs; `H` as the minute is one of the farm's own.
    Schedule: Times;
}

written! {
    /// How a volume may be mounted.
    AccessMode;
}

impl Text for VolumeSize {
    const EXAMPLE: &'static str = "10Gi";
    const SCALARS: &'static [&'static str] = &["number"];

    /// apimachinery's resource.Quantity, without signs.
    fn pattern() -> String {
        let amount = pattern::AMOUNT;
        format!("{amount}(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{{1,2}})?")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match quantity(&text) {
            None => {
                let refusal = Refusal::new(format!("`{text}` is not a quantity"));
                Err(refusal.help("a number with Ki, Mi, Gi, Ti or k, M, G, T: 10Gi"))
            }
            Some(_) if !text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) => {
                Err(Refusal::new("a volume of no size is refused by Kubernetes"))
            }
            Some(read) => Ok(VolumeSize { text, read }),
        }
    }
}

impl Text for GoDuration {
    const EXAMPLE: &'static str = "24h";

    /// Go's time.ParseDuration, without signs.
    fn pattern() -> String {
        format!("(?:0|(?:{}(?:ms|us|ns|h|m|s))+)", pattern::AMOUNT)
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match go_duration(&text) {
            Some(read) => Ok(GoDuration { text, read }),
            None => {
                let refusal = Refusal::new(format!("`{text}` is not a duration"));
                Err(refusal.help("hours, minutes and seconds: 24h0m0s"))
            }
        }
    }
}

impl Text for Schedule {
    const EXAMPLE: &'static str = "0 */6 * * *";

    fn pattern() -> String {
        pattern::cron(&GoDuration::pattern())
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match Times::parse(&text) {
            Some(read) => Ok(Schedule { text, read }),
            None => {
                let refusal = Refusal::new(format!("`{text}` is not a schedule of a CronJob"));
                Err(refusal.help("five fields, minute to weekday: 0 */12 * * *; H as the minute is one of the farm's own"))
            }
        }
    }
}

/// What a volume claim may ask for (Kubernetes, "Persistent Volumes", access modes).
const ACCESS_MODES: [&str; 4] = [
    "ReadWriteOnce",
    "ReadWriteOncePod",
    "ReadWriteMany",
    "ReadOnlyMany",
];

impl Text for AccessMode {
    const EXAMPLE: &'static str = "ReadWriteOnce";

    fn pattern() -> String {
        ACCESS_MODES.join("|")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if ACCESS_MODES.contains(&text.as_str()) {
            return Ok(AccessMode(text.into()));
        }
        let refusal = Refusal::new(format!("`{text}` is not an access mode of a volume"));
        Err(refusal.help(format!("one of {}", ACCESS_MODES.join(", "))))
    }
}
