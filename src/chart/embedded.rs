//! The files inside the binary: charts, ready-made layers, examples, image builds.

use std::borrow::Cow;

/// Every embedded file: its path from the crate's root (`charts/kubernetes/Chart.yaml`) and its text, by path.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_files.rs"));

/// A ready-made layer of values, `values/NAME.yaml`: what `-f builtin:NAME` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// The file's name without `.yaml`: `minimal`, `ha`.
    pub name: &'static str,
    pub text: &'static str,
}

/// A ready farm, `examples/NAME/`: what `kubefarm init` starts from and `-f builtin:NAME` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The folder's name: `generic`, `catchall`.
    pub name: &'static str,
    /// The text of its `values.yaml`.
    pub values: &'static str,
    /// The text of its `README.md`; empty if it has none.
    pub readme: &'static str,
}

/// The ready-made layers, by name.
pub fn layers() -> Vec<Layer> {
    under("values/")
        .filter_map(|(path, text)| {
            let name = path.strip_suffix(".yaml")?;
            (!name.contains('/')).then_some(Layer { name, text })
        })
        .collect()
}

/// The examples, by name: every folder of `examples/` with a `values.yaml`.
pub fn examples() -> Vec<Example> {
    under("examples/")
        .filter_map(|(path, values)| {
            let name = path.strip_suffix("/values.yaml")?;
            (!name.contains('/')).then(|| Example {
                name,
                values,
                readme: file(&format!("examples/{name}/README.md")).unwrap_or_default(),
            })
        })
        .collect()
}

/// The text of an embedded chart's file, by its name in messages: `charts/kubernetes/values.yaml`.
pub fn chart_file(source: &str) -> Option<&'static str> {
    file(source).filter(|_| source.starts_with("charts/"))
}

/// The name of a user's file in messages: its path, but never the name of an embedded chart's file.
pub fn name_of_user_file(path: &str) -> Cow<'_, str> {
    match chart_file(path) {
        Some(_) => Cow::Owned(format!("./{path}")),
        None => Cow::Borrowed(path),
    }
}

/// The text of one embedded file, named from the crate's root: `images/boot/Dockerfile`.
pub fn file(path: &str) -> Option<&'static str> {
    let position = FILES.binary_search_by(|(name, _)| (*name).cmp(path)).ok()?;
    FILES.get(position).map(|(_, text)| *text)
}

/// The embedded files whose path starts with `prefix`, by path; each as the rest of its path, and its text.
pub fn under(prefix: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let start = FILES.partition_point(|(path, _)| *path < prefix);
    FILES
        .iter()
        .skip(start)
        .map_while(move |(path, text)| Some((path.strip_prefix(prefix)?, *text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_and_found_by_path() {
        assert!(FILES.is_sorted_by(|a, b| a.0 < b.0));
        for (path, text) in FILES {
            assert_eq!(file(path), Some(*text));
        }
        assert_eq!(file("charts/kubernetes"), None);
    }

    #[test]
    fn a_prefix_selects_its_files_and_no_others() {
        let count = |prefix: &str| {
            FILES
                .iter()
                .filter(|(path, _)| path.starts_with(prefix))
                .count()
        };
        for prefix in [
            "charts/",
            "examples/",
            "images/",
            "values/",
            "charts/ltsp/",
            "none/",
        ] {
            assert_eq!(under(prefix).count(), count(prefix), "{prefix}");
        }
    }
}
