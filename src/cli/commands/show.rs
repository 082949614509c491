//! `kubefarm show`: what is inside the binary.

mod images;

use clap::{Args, Subcommand};

use crate::chart::{Charts, embedded};
use crate::cli::failure::Failure;
use crate::cli::stdout::write_stdout;
use crate::cli::unknown::unknown;

const EXAMPLES: &str = "\
Examples:
  The default values of every chart, with a comment for every key:
    kubefarm show values

  All ready-made layers, and one of them:
    kubefarm show layers
    kubefarm show layers ha

  A template, to change it in a chart folder of one's own (--chart-dir):
    kubefarm show templates
    kubefarm show templates kubernetes/templates/etcd.yaml

  Everything that builds the images, in a new folder, and the image of the Jobs:
    kubefarm show images --output-dir images
    images/tools/build.sh --output tools-image";

/// Print what is inside the binary: default values, layers, examples, templates, images.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Show {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The default values, of all charts or of one.
    Values {
        /// The chart: kubernetes, addons, ltsp or dnsmasq.
        chart: Option<String>,
    },
    /// The ready-made layers, or the text of one.
    Layers {
        /// The layer.
        name: Option<String>,
    },
    /// The examples, or the values of one.
    Examples {
        /// The example.
        name: Option<String>,
    },
    /// The files of the charts, or the text of one.
    Templates {
        /// The file: kubernetes/templates/etcd.yaml.
        name: Option<String>,
    },
    /// The build files of the images, the text of one, or a folder with all.
    #[command(visible_alias = "image")]
    Images(images::Images),
}

impl Show {
    pub fn run(self) -> Result<(), Failure> {
        let text = match self.what {
            What::Values { chart } => values(chart.as_deref())?,
            What::Layers { name } => {
                let layers = embedded::layers();
                named(
                    "layer",
                    name,
                    layers.iter().map(|layer| (layer.name, layer.text)),
                )?
            }
            What::Examples { name } => {
                let examples = embedded::examples();
                let described = |example: &embedded::Example| (example.name, example.values);
                named("example", name, examples.iter().map(described))?
            }
            What::Templates { name } => {
                let charts = Charts::embedded();
                let files = charts.file_names();
                let files = files.filter_map(|name| Some((name, charts.file(name)?)));
                named("chart file", name, files)?
            }
            What::Images(images) => images.run()?,
        };
        write_stdout(text.as_bytes())
    }
}

fn values(chart: Option<&str>) -> Result<String, Failure> {
    let charts = Charts::embedded();
    let defaults = charts.defaults();
    let Some(chart) = chart else {
        return Ok(defaults
            .iter()
            .map(|(_, text)| *text)
            .collect::<Vec<_>>()
            .join("---\n"));
    };
    let source = format!("charts/{chart}/values.yaml");
    match defaults.iter().find(|(name, _)| *name == source) {
        Some((_, text)) => Ok((*text).to_owned()),
        None => Err(unknown("chart", chart, &crate::chart::NAMES)),
    }
}

/// The text of the thing called `name`, or a list of all with their first comment lines.
fn named<'a>(
    kind: &str,
    name: Option<String>,
    things: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<String, Failure> {
    let things: Vec<(&str, &str)> = things.collect();
    match name {
        Some(name) => match things.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Ok((*text).to_owned()),
            None => {
                let names: Vec<&str> = things.iter().map(|(name, _)| *name).collect();
                Err(unknown(kind, &name, &names))
            }
        },
        None if things.is_empty() => Err(Failure::Usage(format!("this binary has no {kind}"))),
        None => {
            let width = things.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            let line = |(name, text): &(&str, &str)| {
                format!("{name:width$}  {}", first_comment(text))
                    .trim_end()
                    .to_owned()
                    + "\n"
            };
            Ok(things.iter().map(line).collect())
        }
    }
}

/// The first comment of a text, which describes it.
pub fn first_comment(text: &str) -> &str {
    // A script says first what runs it.
    let mut lines = text.lines().skip_while(|line| line.starts_with("#!"));
    let first = lines.next().unwrap_or_default();
    first.strip_prefix('#').map(str::trim).unwrap_or_default()
}
