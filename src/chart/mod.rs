//! From the typed model to text: the embedded charts, the template engine, and its escapes.
//!
//! A chart is a folder with `Chart.yaml`, `values.yaml` (the defaults), `templates/` (rendered, one or more
//! manifests each) and `files/` (rendered into values by the template function `file`).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Serde, merge_maps};
use minijinja::{Environment, Value};
use serde::Serialize;

pub mod embedded;
mod engine;
mod error;
mod escape;
mod file;
mod flags;
mod functions;
pub mod held;
mod nodes;
mod overlay;
#[cfg(test)]
mod tests;

use engine::Templates;
pub use error::ChartError;
pub use functions::{SHORT_HASH, short_hash};
pub use nodes::farm_context;

use crate::farm::schema::is_section;
use crate::values::{Defaults, Path as ValuePath, comments};

/// All charts, in the order in which their defaults are merged.
pub const NAMES: [&str; 4] = [CONTROL_PLANE, ADDONS, BOOT_SERVER, DHCP];
/// The charts whose objects are in the admin cluster, in the order rendered.
pub const FARM: [&str; 3] = [CONTROL_PLANE, BOOT_SERVER, DHCP];
/// The chart of the objects inside the child cluster.
pub const ADDONS: &str = "addons";
const CONTROL_PLANE: &str = "kubernetes";
const BOOT_SERVER: &str = "ltsp";
const DHCP: &str = "dnsmasq";

/// The charts in the binary, with a user's files over them if there are any.
#[derive(Debug, Clone)]
pub struct Charts {
    files: Arc<ChartFiles>,
    templates: Arc<Templates>,
}

/// By path below the charts' folder: `kubernetes/templates/etcd.yaml`.
type ChartFiles = BTreeMap<Cow<'static, str>, ChartFile>;

#[derive(Debug, Clone)]
struct ChartFile {
    /// Its origin in messages: `charts/kubernetes/values.yaml`, or the path of a user's file.
    source: Cow<'static, str>,
    text: Cow<'static, str>,
}

/// A template's output.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The template: `kubernetes/templates/etcd.yaml`.
    pub source: String,
    /// Its text: a YAML stream of any number of manifests.
    pub text: String,
    /// The values for the placeholders in the text.
    pub held: Vec<held::Held>,
}

impl Rendered {
    /// Whether the template belongs to the control plane's chart.
    pub fn is_control_plane(&self) -> bool {
        let chart = self.source.split('/').next();
        chart == Some(CONTROL_PLANE)
    }
}

/// The template context of a serializable model. Its top level has to be a map.
pub fn context<T: Serialize>(model: &T) -> Value {
    Value::from(Serde(model))
}

/// The same context with one more entry at its top level.
pub fn extended<T: Serialize>(context: &Value, name: &str, entry: &T) -> Value {
    let entry = Value::from_pairs([(name, self::context(entry))]);
    merge_maps([context.clone(), entry])
}

impl Charts {
    /// The charts inside the binary, whose templates are compiled once.
    pub fn embedded() -> &'static Charts {
        static EMBEDDED: LazyLock<Charts> = LazyLock::new(|| {
            Charts::from_files(embedded::under("charts/").map(|(name, text)| {
                let source = Cow::Owned(format!("charts/{name}"));
                (Cow::Borrowed(name), source, Cow::Borrowed(text))
            }))
        });
        &EMBEDDED
    }

    fn from_files(
        files: impl IntoIterator<Item = (Cow<'static, str>, Cow<'static, str>, Cow<'static, str>)>,
    ) -> Charts {
        let files = files
            .into_iter()
            .map(|(name, source, text)| (name, ChartFile { source, text }));
        Charts::of(files.collect())
    }

    fn of(files: ChartFiles) -> Charts {
        let files = Arc::new(files);
        Charts {
            templates: Arc::new(Templates::new(Arc::clone(&files))),
            files,
        }
    }

    /// These charts with the files below `dir` over them: `DIR/kubernetes/templates/etcd.yaml` replaces the
    /// template of that name, or adds it.
    ///
    /// # Errors
    /// If `dir` cannot be read, or has a folder that is not a chart or a file that no chart would use.
    pub fn overlay(&self, dir: &Path) -> Result<Charts, ChartError> {
        let mut files = ChartFiles::clone(&self.files);
        for file in overlay::read(dir)? {
            let overlaid = ChartFile {
                source: embedded::name_of_user_file(&file.path.display().to_string())
                    .into_owned()
                    .into(),
                text: file.text.into(),
            };
            files.insert(file.name.into(), overlaid);
        }
        Ok(Charts::of(files))
    }

    /// The default values of every chart, in the order of [`NAMES`]: where they come from, and their text.
    pub fn defaults(&self) -> Vec<(&str, &str)> {
        NAMES
            .iter()
            .filter_map(|chart| self.files.get(format!("{chart}/values.yaml").as_str()))
            .map(|file| (&*file.source, &*file.text))
            .collect()
    }

    /// The comments of the charts' values files about their keys.
    pub fn comments(&self) -> HashMap<ValuePath, String> {
        let files = self.defaults().into_iter();
        // Errors of YAML are reported where the defaults are read.
        let comments = files.filter_map(|(source, text)| comments(source, text).ok());
        comments.flatten().collect()
    }

    /// The defaults, for values to be merged over.
    pub fn default_values(&self) -> Defaults<'_> {
        Defaults {
            layers: self.defaults(),
            is_section,
        }
    }

    /// The text of one file as it is before rendering, named as in `kubernetes/templates/etcd.yaml`.
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(|file| &*file.text)
    }

    /// The names of all files, by name.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(|name| &**name)
    }

    /// Compiles the templates. This needs no values, so it can be done while these are read. Rendering compiles what is
    /// left.
    pub fn compile(&self) {
        self.templates.compile();
    }

    /// Renders the templates of one chart, in the order of their names.
    ///
    /// Templates whose file name starts with `_` have macros for others and are not rendered themselves.
    ///
    /// # Errors
    /// The first template that fails, with its line.
    pub fn render(&self, chart: &str, context: &Value) -> Result<Vec<Rendered>, ChartError> {
        self.render_each(&[chart], context, Ok)
    }

    /// Renders several charts, each as [`render`](Charts::render) does, and passes every text to `then`. All processors
    /// are used, so one template's text is processed while another is rendered.
    ///
    /// # Errors
    /// The first template that fails, with its line, or where `then` does.
    pub fn render_each<T: Send, E: From<ChartError> + Send>(
        &self,
        charts: &[&str],
        context: &Value,
        then: impl Fn(Rendered) -> Result<T, E> + Send + Sync,
    ) -> Result<Vec<T>, E> {
        if let Some(unknown) = charts.iter().find(|chart| !NAMES.contains(chart)) {
            return Err(ChartError::UnknownChart((*unknown).to_owned()).into());
        }
        self.templates.compile();
        let mut jobs: Vec<(Arc<Environment<'_>>, &str)> = Vec::new();
        for chart in charts {
            let environment = Arc::new(self.templates.of_chart(chart, context.clone()));
            let prefix = format!("{chart}/templates/");
            let templates = self.file_names().filter(|name| is_template(name, &prefix));
            jobs.extend(templates.map(|name| (Arc::clone(&environment), name)));
        }
        let done = crate::parallel::map(&jobs, |(environment, name)| {
            let (text, held) =
                engine::render_manifest(environment, name, context).map_err(ChartError::from)?;
            then(Rendered {
                source: (*name).to_owned(),
                text,
                held,
            })
        });
        done.into_iter().collect()
    }
}

fn is_template(name: &str, prefix: &str) -> bool {
    let Some(inside) = name.strip_prefix(prefix) else {
        return false;
    };
    let file_name = inside.rsplit('/').next().unwrap_or(inside);
    !file_name.starts_with('_')
}
