//! Versions, as in the tags of images, for any room.

use std::fmt;

/// A version's three numbers; a suffix such as the `-0` of `3.7.0-0` is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

/// The distance of two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionStep {
    /// The same minor version, with any patch release.
    Within,
    /// The next minor version.
    Next,
    /// More than one minor version further.
    Skips,
    /// An older minor version.
    Back,
}

impl Version {
    /// The version of an image such as `registry.k8s.io/etcd:3.7.0-0@sha256:…`; `None` if its tag is not a version.
    pub fn of_image(image: &str) -> Option<Version> {
        image_tag(image).and_then(Version::read)
    }

    /// Parses `v1.37.2`, `3.7.0-0` or `1.37`: two or three numbers, and perhaps a suffix after `-`, `_` or `+`.
    pub fn read(text: &str) -> Option<Version> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(['-', '_', '+']).unwrap_or(text.len());
        let mut numbers = text.get(..end)?.split('.').map(str::parse);
        let version = Version {
            major: numbers.next()?.ok()?,
            minor: numbers.next()?.ok()?,
            patch: numbers.next().transpose().ok()?.unwrap_or_default(),
        };
        numbers.next().is_none().then_some(version)
    }

    /// What the patch releases of a minor version have in common: `(1, 37)`.
    pub fn minor_version(self) -> (u32, u32) {
        (self.major, self.minor)
    }

    /// The distance from `self` to `after`.
    pub fn step_to(self, after: Version) -> VersionStep {
        let (before, after) = (self.minor_version(), after.minor_version());
        if after < before {
            return VersionStep::Back;
        }
        if after == before {
            return VersionStep::Within;
        }
        if after == (self.major, self.minor + 1) {
            VersionStep::Next
        } else {
            VersionStep::Skips
        }
    }

    /// `1.23, 1.24, …, 1.37`: every minor version on the way to `after`.
    pub fn way_to(self, after: Version) -> String {
        let minors = self.minor.saturating_add(1)..=after.minor;
        let minors: Vec<String> = minors
            .take(100)
            .map(|minor| format!("{}.{minor}", after.major))
            .collect();
        minors.join(", ")
    }
}

/// The tag of an image, if it has one.
pub fn image_tag(image: &str) -> Option<&str> {
    let (name, _) = image.split_once('@').unwrap_or((image, ""));
    let (_, last) = name.rsplit_once('/').unwrap_or(("", name));
    last.split_once(':').map(|(_, tag)| tag)
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version {
            major,
            minor,
            patch,
        } = self;
        write!(formatter, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_tags() {
        let read = |image| Version::of_image(image).map(|version| version.to_string());
        for (image, version) in [
            ("registry.k8s.io/etcd:3.7.0-0", "3.7.0"),
            ("quay.io:5000/coreos/etcd:v3.5.13", "3.5.13"),
            ("kube-apiserver:v1.37.2_farm.1", "1.37.2"),
            ("a/b:v1.37.2@sha256:00", "1.37.2"),
            ("a/b:1.37", "1.37.0"),
        ] {
            assert_eq!(read(image).as_deref(), Some(version), "{image}");
        }
        for image in [
            "host:5000/etcd",
            "etcd:latest",
            "etcd@sha256:00",
            "a:1",
            "a:1.2.3.4",
            "a:v99999999999.1",
        ] {
            assert_eq!(read(image), None, "{image}");
        }
    }

    #[test]
    fn steps_go_by_minor_versions() {
        let version = |text| Version::read(text).expect("a version");
        for (before, after, step) in [
            ("3.7.2", "3.7.0", VersionStep::Within),
            ("3.6.16", "3.7.0", VersionStep::Next),
            ("3.5.1", "3.7.0", VersionStep::Skips),
            ("3.7.0", "3.6.16", VersionStep::Back),
            ("1.37.2", "2.0.0", VersionStep::Skips),
        ] {
            assert_eq!(
                version(before).step_to(version(after)),
                step,
                "{before} {after}"
            );
        }
        assert_eq!(
            version("1.34.0").way_to(version("1.37.2")),
            "1.35, 1.36, 1.37"
        );
    }
}
