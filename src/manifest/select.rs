//! `--show-only`: some of a manifest's objects.

use super::{Manifest, ManifestError, Object};
use crate::glob::Glob;
use crate::values::nearest::nearest;

/// The objects that match at least one pattern, in the manifest's order; all of them without patterns.
///
/// A pattern is a template, in full or its end (`kubernetes/templates/etcd.yaml`, `templates/etcd.yaml`,
/// `etcd.yaml`), or a kind in any case and a name (`StatefulSet/farm-etcd`). `*` stands for any text without a `/`.
///
/// # Errors
/// A pattern that matches nothing, with the nearest name that would match.
pub fn select(manifest: Manifest, patterns: &[String]) -> Result<Manifest, ManifestError> {
    if patterns.is_empty() {
        return Ok(manifest);
    }
    for pattern in patterns {
        if !manifest
            .objects
            .iter()
            .any(|object| selects(pattern, object))
        {
            return Err(no_match(&manifest, pattern));
        }
    }
    let selected = |object: &Object| patterns.iter().any(|pattern| selects(pattern, object));
    Ok(Manifest {
        objects: manifest.objects.into_iter().filter(selected).collect(),
    })
}

fn selects(pattern: &str, object: &Object) -> bool {
    let by_template = || path_ends(&object.source).any(|end| Glob::Path.matches(pattern, end));
    let by_name = || match pattern.split_once('/') {
        Some((kind, name)) => {
            Glob::Path.matches(&kind.to_lowercase(), &object.kind().to_lowercase())
                && Glob::Path.matches(name, object.name())
        }
        None => false,
    };
    by_template() || by_name()
}

/// `a/b/c`, `b/c`, `c`.
fn path_ends(path: &str) -> impl Iterator<Item = &str> {
    let after_slashes = path
        .match_indices('/')
        .filter_map(|(at, _)| path.get(at + 1..));
    std::iter::once(path).chain(after_slashes)
}

fn no_match(manifest: &Manifest, pattern: &str) -> ManifestError {
    let is_kind = |object: &&Object| object.kind().eq_ignore_ascii_case(pattern);
    if let Some(object) = manifest.objects.iter().find(is_kind) {
        return ManifestError::NoMatch {
            pattern: pattern.to_owned(),
            near: Some(format!("{}/*", object.kind())),
        };
    }
    let mut names: Vec<String> = Vec::new();
    for object in &manifest.objects {
        names.push(format!("{}/{}", object.kind(), object.name()));
        names.extend(path_ends(&object.source).map(str::to_owned));
    }
    ManifestError::NoMatch {
        pattern: pattern.to_owned(),
        near: nearest(pattern, names.iter().map(String::as_str)).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn manifest() -> Manifest {
        let object = |source: &str, kind: &str, name: &str| {
            let text = format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n");
            parse(source, &text).unwrap()
        };
        let objects = [
            object("kubernetes/templates/etcd.yaml", "StatefulSet", "farm-etcd"),
            object("kubernetes/templates/etcd.yaml", "Service", "farm-etcd"),
            object("ltsp/templates/service.yaml", "Service", "farm-ltsp"),
        ];
        Manifest::assemble(objects.concat(), "x").unwrap()
    }

    fn selected(patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let selected = select(manifest(), &patterns).map_err(|error| error.to_string())?;
        let name = |object: &Object| format!("{}/{}", object.kind(), object.name());
        Ok(selected.objects().iter().map(name).collect())
    }

    #[test]
    fn templates_and_names_select() {
        const ETCD: [&str; 2] = ["Service/farm-etcd", "StatefulSet/farm-etcd"];
        for pattern in [
            "kubernetes/templates/etcd.yaml",
            "templates/etcd.yaml",
            "etcd.yaml",
            "*/farm-etcd",
        ] {
            assert_eq!(selected(&[pattern]).unwrap().len(), 2, "{pattern}");
        }
        for pattern in [
            "kubernetes/*/etcd.yaml",
            "templates/*cd.yaml",
            "kubernetes/templates/*",
        ] {
            let found = selected(&[pattern]).unwrap();
            assert!(
                ETCD.iter()
                    .all(|name| found.iter().any(|other| other == name)),
                "{pattern}"
            );
        }
        assert_eq!(selected(&["service/farm-*"]).unwrap().len(), 2);
        assert_eq!(
            selected(&["Service/farm-ltsp", "statefulset/*"])
                .unwrap()
                .len(),
            2
        );
        assert_eq!(selected(&[]).unwrap().len(), 3);
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_an_error_with_advice() {
        let error = selected(&["templates/etdc.yaml"]).unwrap_err();
        assert!(
            error.contains("templates/etdc.yaml") && error.contains("templates/etcd.yaml"),
            "{error}"
        );
        let error = selected(&["statefulset"]).unwrap_err();
        assert!(error.contains("\"StatefulSet/*\""), "{error}");
        assert!(selected(&["etcd.yaml", "nothing-like-it/at/all"]).is_err());
        // A star stays inside one part of a path.
        assert!(selected(&["kubernetes/*.yaml"]).is_err());
    }
}
