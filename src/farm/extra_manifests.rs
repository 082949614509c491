//! The user's manifests for the child cluster, in as many Secrets as they need.

use indexmap::IndexMap;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::split::{Limits, split};
use crate::hexadecimal::hexadecimal;

/// What a Secret's values may have together, in bytes (MaxSecretSize in Kubernetes' core API).
pub const SECRET_SIZE: usize = 1024 * 1024;

/// How many digits of a Secret's digest stand in its name.
const DIGITS: usize = 16;

/// The user's manifests, as files.
#[derive(Debug, Clone, Serialize)]
pub struct ExtraManifests {
    /// By file name, as the values have them.
    pub files: IndexMap<String, String>,
    /// Each file, or each of its parts, is in one of these.
    pub secrets: Vec<ManifestSecret>,
}

/// A Secret with some of the files.
#[derive(Debug, Clone, Serialize)]
pub struct ManifestSecret {
    pub name: String,
    pub files: IndexMap<String, String>,
}

impl ExtraManifests {
    /// `files` in the Secret `name`, or, where one does not hold them, in several that have their content in their
    /// names. A pod that mounts them all sees the files of one rendering or does not start: with files of two, the Job
    /// would take out of the child cluster what happens to be missing.
    pub fn new(files: IndexMap<String, String>, name: &str) -> ExtraManifests {
        let size: usize = files.values().map(String::len).sum();
        let secrets = if size <= SECRET_SIZE {
            vec![ManifestSecret {
                name: name.to_owned(),
                files: files.clone(),
            }]
        } else {
            several(&files, name)
        };
        ExtraManifests { files, secrets }
    }
}

/// Files with a document that no Secret holds, and its size in bytes.
pub fn too_large(files: &IndexMap<String, String>) -> impl Iterator<Item = (&str, usize)> {
    files.iter().filter_map(|(file, text)| {
        let sizes = documents(text).into_iter().map(str::len);
        let largest = sizes.max().filter(|size| *size > SECRET_SIZE)?;
        Some((file.as_str(), largest))
    })
}

fn several(files: &IndexMap<String, String>, name: &str) -> Vec<ManifestSecret> {
    let files = cut_large_files(files);
    let limits = Limits::up_to(SECRET_SIZE);
    let parts = split(&files, |(_, text)| text.len(), |(file, _)| file, limits);
    parts
        .into_iter()
        .filter_map(|part| files.get(part))
        .map(|files| ManifestSecret {
            name: format!("{name}-{}", digest(files)),
            files: files.iter().cloned().collect(),
        })
        .collect()
}

/// Files too large for a Secret in several, each with whole documents: `crds.yaml`, `crds.yaml.2`, …
fn cut_large_files(files: &IndexMap<String, String>) -> Vec<(String, String)> {
    let mut all = Vec::with_capacity(files.len());
    for (file, text) in files {
        if text.len() <= SECRET_SIZE {
            all.push((file.clone(), text.clone()));
            continue;
        }
        let documents = documents(text);
        let limits = Limits::up_to(SECRET_SIZE);
        let parts = split(&documents, |text| text.len(), |text| text, limits);
        let texts = parts
            .into_iter()
            .filter_map(|part| Some(documents.get(part)?.concat()));
        let further = (2_usize..).map(|number| format!("{file}.{number}"));
        let further = further.filter(|name| !files.contains_key(name));
        all.extend(std::iter::once(file.clone()).chain(further).zip(texts));
    }
    all
}

/// The documents of a YAML text, each with the line that begins it; the whole text where directives stand before them
/// (YAML 1.2, section 9.2: neither such a line nor a directive can be part of a document's content).
fn documents(text: &str) -> Vec<&str> {
    if text.lines().any(|line| line.starts_with('%')) {
        return vec![text];
    }
    let cuts = text
        .match_indices("\n---")
        .filter_map(|(position, marker)| {
            let after = text.get(position + marker.len()..)?.chars().next();
            after
                .is_none_or(char::is_whitespace)
                .then_some(position + 1)
        });
    let mut start = 0;
    let parts = cuts.chain([text.len()]).filter_map(|end| {
        let document = text.get(start..end);
        start = end;
        document
    });
    parts.collect()
}

fn digest(files: &[(String, String)]) -> String {
    let mut digest = Sha256::new();
    for (file, text) in files {
        for part in [file, text] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
    }
    let mut digits = hexadecimal(digest.finalize());
    digits.truncate(DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(files: &[(&str, String)]) -> ExtraManifests {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.clone()));
        ExtraManifests::new(files.collect(), "extra")
    }

    fn document(size: usize) -> String {
        format!("---\n{}\n", "#".repeat(size))
    }

    fn names(manifests: &ExtraManifests) -> Vec<&str> {
        let secrets = manifests.secrets.iter();
        secrets.map(|secret| secret.name.as_str()).collect()
    }

    #[test]
    fn what_fits_is_one_secret() {
        let manifests = with(&[
            ("a.yaml", "x".repeat(SECRET_SIZE - 1)),
            ("b.yaml", "y".into()),
        ]);
        assert_eq!(names(&manifests), ["extra"]);
        let manifests = with(&[("a.yaml", "x".repeat(SECRET_SIZE)), ("b.yaml", "y".into())]);
        assert_eq!(manifests.secrets.len(), 2);
        assert!(!names(&manifests).contains(&"extra"));
    }

    #[test]
    fn names_follow_from_the_content_alone() {
        let large = |text: &str| {
            with(&[
                ("a.yaml", "x".repeat(SECRET_SIZE)),
                ("b.yaml", text.to_owned()),
            ])
        };
        let [first, second] = [large("y"), large("z")];
        let [first, second] = [names(&first), names(&second)];
        assert_eq!(first.first(), second.first());
        assert_ne!(first.last(), second.last());
        assert_eq!(names(&large("y")), first);
    }

    #[test]
    fn a_large_file_is_cut_between_documents() {
        let text = document(400_000).repeat(4);
        let manifests = with(&[("crds.yaml", text.clone()), ("crds.yaml.2", "a: b".into())]);
        let files: Vec<_> = manifests
            .secrets
            .iter()
            .flat_map(|secret| &secret.files)
            .collect();
        let parts: String = files
            .iter()
            .filter(|(name, _)| *name != "crds.yaml.2")
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(parts, text);
        assert!(files.iter().all(|(_, text)| text.len() <= SECRET_SIZE));
        assert!(
            files
                .iter()
                .any(|(name, text)| *name == "crds.yaml.2" && *text == "a: b")
        );
    }

    #[test]
    fn an_object_that_no_secret_holds_is_named() {
        let large = "x".repeat(SECRET_SIZE + 1);
        let manifests = with(&[
            ("a.yaml", document(400_000).repeat(4)),
            ("b.yaml", format!("a: b\n---\n{large}")),
        ]);
        let found: Vec<_> = too_large(&manifests.files).collect();
        assert_eq!(found, [("b.yaml", "---\n".len() + large.len())]);
    }

    #[test]
    fn what_only_looks_like_a_marker_cuts_nothing() {
        assert_eq!(documents("a: |\n  ---\nb: ---x\n---y\n").len(), 1);
        assert_eq!(documents("%YAML 1.2\n---\na: b\n---\nc: d\n").len(), 1);
        assert_eq!(documents("a: b\n---\nc: d\n--- # e\n").len(), 3);
        assert_eq!(documents("a: b\n---").len(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn nothing_is_lost_and_all_secrets_fit(
            sizes in prop::collection::vec(1..700_000_usize, 1..8),
        ) {
            let files: IndexMap<String, String> = sizes
                .iter()
                .enumerate()
                .map(|(number, size)| (format!("{number}.yaml"), "x".repeat(*size)))
                .collect();
            let manifests = ExtraManifests::new(files.clone(), "extra");
            let secrets = &manifests.secrets;
            for secret in secrets {
                prop_assert!(secret.files.values().map(String::len).sum::<usize>() <= SECRET_SIZE);
            }
            let all: IndexMap<_, _> = secrets.iter().flat_map(|secret| secret.files.clone()).collect();
            prop_assert_eq!(all, files);
        }
    }
}
