//! From text to objects: parsed, put in order, checked against the limits of a cluster, and written.

use std::collections::HashMap;

pub mod directory;
mod error;
mod file_names;
mod from_values;
pub mod json;
pub mod limits;
pub mod lists;
mod object;
pub mod order;
pub mod patch;
mod read;
pub mod select;
#[cfg(test)]
mod tests;
pub mod write;

pub use directory::write_directory;
pub use error::ManifestError;
pub use from_values::{duplicates, from_values};
pub use object::{Key, Object, group};
pub use read::{parse, parse_rendered};
pub use select::select;
pub use write::{write_json, write_yaml};

use crate::parallel;

/// The objects of a release: each with its namespace, none twice, in install order, none too large.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    objects: Vec<Object>,
}

impl Manifest {
    /// Puts namespaced objects without a namespace into `namespace`, and sorts them as in [`order`]; objects of one
    /// kind stay in the order given.
    ///
    /// # Errors
    /// Two objects with the same [`Key`], or an object beyond the [`limits`].
    pub fn assemble(objects: Vec<Object>, namespace: &str) -> Result<Manifest, ManifestError> {
        Manifest::assemble_by(objects, namespace, is_cluster_scoped)
    }

    /// The same, with `is_cluster_scoped` to decide which kinds have no namespace.
    ///
    /// # Errors
    /// As [`Manifest::assemble`].
    pub fn assemble_by(
        mut objects: Vec<Object>,
        namespace: &str,
        is_cluster_scoped: impl Fn(&Object) -> bool,
    ) -> Result<Manifest, ManifestError> {
        set_namespaces_by(&mut objects, namespace, is_cluster_scoped);
        check_unique(&objects)?;
        parallel::map(&objects, limits::check)
            .into_iter()
            .collect::<Result<(), _>>()?;
        objects.sort_by_cached_key(order::rank);
        Ok(Manifest { objects })
    }

    /// The objects in install order.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// Puts the long lists of objects into their contents, for code that reads these.
    pub fn complete(&mut self) {
        self.objects.iter_mut().for_each(Object::complete);
    }

    /// The objects in install order, by value.
    pub fn into_objects(self) -> Vec<Object> {
        self.objects
    }
}

/// Puts namespaced objects without a namespace into `namespace`.
pub fn set_namespaces(objects: &mut [Object], namespace: &str) {
    set_namespaces_by(objects, namespace, is_cluster_scoped);
}

fn set_namespaces_by(
    objects: &mut [Object],
    namespace: &str,
    is_cluster_scoped: impl Fn(&Object) -> bool,
) {
    for object in objects {
        let has_none = object.namespace().is_none_or(str::is_empty);
        if has_none && !is_cluster_scoped(object) {
            object.set_namespace(namespace);
        }
    }
}

fn is_cluster_scoped(object: &Object) -> bool {
    order::is_cluster_scoped(object.group(), object.kind())
}

fn check_unique(objects: &[Object]) -> Result<(), ManifestError> {
    let mut sources: HashMap<Key, &str> = HashMap::with_capacity(objects.len());
    for object in objects {
        let key = object.key();
        if let Some(first) = sources.get(&key) {
            return Err(ManifestError::Duplicate {
                object: key.to_string(),
                first: (*first).to_owned(),
                second: object.source.clone(),
            });
        }
        sources.insert(key, &object.source);
    }
    Ok(())
}
