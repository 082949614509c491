//! Flags, admission plugins and feature gates of the programs of a farm, by version.
//!
//! The tables are written by `tests/flags` from the programs' sources (decision 28). They are searched as text, and not
//! parsed before they are needed.

use crate::values::nearest;
use crate::version::Version;

use super::spec::Image;

#[cfg(test)]
mod tests;

macro_rules! table {
    ($name:literal) => {
        Table(include_str!(concat!("known/tables/", $name, ".tsv")))
    };
}

/// One line for each name: the name, its first and last minor version, and details. Sorted by name.
pub struct Table(&'static str);

/// Whether a version of a program has a flag, plugin or feature gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// The version has it.
    Supported,
    /// It was removed in this minor version.
    RemovedIn(u32),
    /// It was added in this minor version.
    AddedIn(u32),
    /// No version in the tables has it.
    Unknown,
}

struct Row {
    name: &'static str,
    first: u32,
    last: u32,
    details: Vec<&'static str>,
}

impl Row {
    fn read(line: &'static str) -> Option<Row> {
        let mut fields = line.split('\t');
        Some(Row {
            name: fields.next()?,
            first: fields.next()?.parse().ok()?,
            last: fields.next()?.parse().ok()?,
            details: fields.collect(),
        })
    }

    fn includes(&self, minor: u32) -> bool {
        (self.first..=self.last).contains(&minor)
    }
}

impl Table {
    fn rows(&self) -> impl Iterator<Item = Row> + use<> {
        self.0.lines().filter_map(Row::read)
    }

    fn rows_of(&self, name: &str) -> Vec<Row> {
        let starts = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('\t'))
        };
        self.0
            .lines()
            .filter(starts)
            .filter_map(Row::read)
            .collect()
    }

    fn support(&self, name: &str, minor: u32) -> Support {
        support(&self.rows_of(name), minor)
    }

    /// The name of this minor version that was probably meant.
    fn nearest(&self, name: &str, minor: u32) -> Option<&'static str> {
        let known = self.rows().filter(|row| row.includes(minor));
        nearest(name, known.map(|row| row.name))
    }
}

fn support(rows: &[Row], minor: u32) -> Support {
    let before = rows.iter().map(|row| row.last).filter(|last| *last < minor);
    let after = rows
        .iter()
        .map(|row| row.first)
        .filter(|first| *first > minor);
    if rows.iter().any(|row| row.includes(minor)) {
        Support::Supported
    } else if let Some(last) = before.max() {
        Support::RemovedIn(last + 1)
    } else if let Some(first) = after.min() {
        Support::AddedIn(first)
    } else {
        Support::Unknown
    }
}

/// A program, and the tables of its versions.
pub struct Program {
    /// Its command, and the last part of its image's name.
    pub name: &'static str,
    /// The product of its versions: `Kubernetes`, or `etcd` with the numbers after its 3.
    pub product: &'static str,
    flags: Table,
    gates: Table,
    /// The prefixes of images that are built from the sources of the tables.
    registries: &'static [&'static str],
}

const KUBERNETES: &str = "Kubernetes";
const KUBERNETES_REGISTRIES: &[&str] = &["registry.k8s.io/", "k8s.gcr.io/"];
const GATES: Table = table!("feature-gates");
const RELEASES: Table = table!("releases");
const PLUGINS: Table = table!("admission-plugins");

macro_rules! of_kubernetes {
    ($name:literal) => {
        Program {
            name: $name,
            product: KUBERNETES,
            flags: table!($name),
            gates: GATES,
            registries: KUBERNETES_REGISTRIES,
        }
    };
}

pub static API_SERVER: Program = of_kubernetes!("kube-apiserver");
pub static CONTROLLER_MANAGER: Program = of_kubernetes!("kube-controller-manager");
pub static SCHEDULER: Program = of_kubernetes!("kube-scheduler");
pub static KUBELET: Program = of_kubernetes!("kubelet");
pub static KUBE_PROXY: Program = of_kubernetes!("kube-proxy");
pub static ETCD: Program = Program {
    name: "etcd",
    product: "etcd",
    flags: table!("etcd"),
    gates: table!("etcd-feature-gates"),
    registries: &[
        "registry.k8s.io/",
        "k8s.gcr.io/",
        "quay.io/coreos/",
        "gcr.io/etcd-development/",
    ],
};

impl Program {
    /// The minor versions in the tables, each with the patch release that it was read from.
    fn releases(&self) -> impl Iterator<Item = Row> + use<'_> {
        let product = self.product.to_lowercase();
        RELEASES.rows().filter(move |row| row.name == product)
    }

    /// Minor version and patch release in the tag of an image: `v1.37.2`, `3.5.21-0`, `v3.5.13`.
    fn version_in(&self, tag: &str) -> Option<(u32, u32)> {
        let major = if self.product == KUBERNETES { 1 } else { 3 };
        let version = Version::read(tag).filter(|version| version.major == major)?;
        Some((version.minor, version.patch))
    }

    fn version_or_newest(&self, version: &str) -> (u32, u32) {
        let newest = || self.releases().map(|row| (row.first, row.last)).max();
        self.version_in(version).or_else(newest).unwrap_or_default()
    }

    /// A minor version of its product, as people write it.
    pub fn release(&self, minor: u32) -> String {
        match self.product {
            KUBERNETES => format!("{KUBERNETES} 1.{minor}"),
            product => format!("{product} 3.{minor}"),
        }
    }
}

/// The version of a program, from its image or from `kubernetes.version`.
#[derive(Clone, Copy)]
pub struct ProgramVersion {
    pub program: &'static Program,
    pub minor: u32,
    pub patch: u32,
    /// Whether the tables are certain to describe this program. Another image, a digest, or a patch release newer than
    /// that of the tables may have more.
    pub certain: bool,
}

impl ProgramVersion {
    /// The version in the tag of an image, or else `version`.
    pub fn of(program: &'static Program, image: &Image, version: &str) -> ProgramVersion {
        let named = program.version_in(image.tag.as_deref().unwrap_or(version));
        let (minor, patch) = named.unwrap_or_else(|| program.version_or_newest(version));
        let ours = |registry: &&str| image.repository.strip_prefix(*registry) == Some(program.name);
        let was_read = program
            .releases()
            .any(|row| row.first == minor && patch <= row.last);
        ProgramVersion {
            program,
            minor,
            patch,
            certain: image.digest.is_none()
                && named.is_some()
                && program.registries.iter().any(ours)
                && was_read,
        }
    }

    /// A program of `version` whose image is not known.
    pub fn of_unknown_image(program: &'static Program, version: &str) -> ProgramVersion {
        let (minor, patch) = program.version_or_newest(version);
        ProgramVersion {
            program,
            minor,
            patch,
            certain: false,
        }
    }

    /// The nearest minor version in the tables.
    fn in_tables(&self) -> u32 {
        let minors = || self.program.releases().map(|row| row.first);
        match (minors().min(), minors().max()) {
            (Some(oldest), Some(newest)) => self.minor.clamp(oldest, newest),
            _ => self.minor,
        }
    }

    pub fn flag(&self, name: &str) -> Support {
        self.program.flags.support(&dashed(name), self.in_tables())
    }

    pub fn nearest_flag(&self, name: &str) -> Option<&'static str> {
        self.program.flags.nearest(name, self.in_tables())
    }

    /// Admission plugins, of kube-apiserver alone.
    pub fn plugin(&self, name: &str) -> Support {
        PLUGINS.support(name, self.in_tables())
    }

    pub fn nearest_plugin(&self, name: &str) -> Option<&'static str> {
        PLUGINS.nearest(name, self.in_tables())
    }

    /// A feature gate, and the value that it is locked to.
    pub fn gate(&self, name: &str) -> (Support, Option<bool>) {
        let mut rows = self.program.gates.rows_of(name);
        rows.retain(|row| match row.details.get(1) {
            None => true,
            Some(programs) => programs.split(',').any(|name| name == self.program.name),
        });
        let minor = self.in_tables();
        let locked = rows
            .iter()
            .find(|row| row.includes(minor))
            .and_then(|row| row.details.first()?.parse().ok());
        (support(&rows, minor), locked)
    }

    pub fn nearest_gate(&self, name: &str) -> Option<&'static str> {
        self.program.gates.nearest(name, self.in_tables())
    }

    /// The minor version, as people write it.
    pub fn release(&self) -> String {
        self.program.release(self.minor)
    }
}

/// A flag's name as Kubernetes' programs accept it on the command line.
fn dashed(name: &str) -> String {
    name.replace('_', "-")
}
