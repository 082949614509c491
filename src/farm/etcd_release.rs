//! Differences between the releases of etcd.

use serde::Serialize;
use serde_json::{Value, json};

use super::known::{ETCD, ProgramVersion};
use super::spec::{Flags, Image};

/// The flags and the health checks of a release of etcd.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdRelease {
    /// The flags whose names changed in etcd 3.6: those that begin with `experimental-` are gone in 3.7.
    pub flags: Flags,
    /// The path of the liveness check.
    pub live_path: &'static str,
    /// The path of the readiness check.
    pub ready_path: &'static str,
}

impl EtcdRelease {
    /// Of an image, by its tag.
    pub fn of(image: &Image) -> EtcdRelease {
        let version = ProgramVersion::of(&ETCD, image, "");
        let flags = if version.minor >= 6 {
            [
                ("feature-gates", Value::from("InitialCorruptCheck=true")),
                ("watch-progress-notify-interval", Value::from("5s")),
            ]
        } else {
            [
                ("experimental-initial-corrupt-check", json!(true)),
                ("experimental-watch-progress-notify-interval", "5s".into()),
            ]
        };
        // /livez and /readyz were added in etcd 3.6, and in these patch releases.
        let has_checks = match version.minor {
            ..4 => false,
            4 => version.patch >= 29,
            5 => version.patch >= 11,
            _ => true,
        };
        let (live_path, ready_path) = if has_checks {
            ("/livez", "/readyz")
        } else {
            // A read of this member alone, which needs no quorum; and one that does.
            ("/health?serializable=true", "/health")
        };
        EtcdRelease {
            flags: flags.map(|(flag, value)| (flag.to_owned(), value)).into(),
            live_path,
            ready_path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_asked_as_the_release_answers() {
        for (tag, path) in [
            ("3.7.0-0", "/livez"),
            ("3.5.11-0", "/livez"),
            ("v3.4.29", "/livez"),
            ("3.5.1-0", "/health?serializable=true"),
            ("3.4.13-0", "/health?serializable=true"),
            ("latest", "/livez"),
        ] {
            let image = serde_json::json!({"repository": "registry.k8s.io/etcd", "tag": tag});
            let image: Image = serde_json::from_value(image).expect("an image");
            assert_eq!(EtcdRelease::of(&image).live_path, path, "{tag}");
        }
    }
}
