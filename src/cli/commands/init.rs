//! `kubefarm init`: a farm to start from.

use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::chart::embedded::{self, Example};
use crate::cli::failure::Failure;
use crate::cli::unknown::unknown;

const EXAMPLES: &str = "\
Examples:
  Start from the plain example, in a new folder:
    kubefarm init farm1

  Two layers; the second becomes farm1/advanced_network.yaml:
    kubefarm init farm1 --example generic --example advanced_network";

/// The ready-made layer that a new farm begins with.
const DHCP_LAYER: &str = "standalone-dhcp";
const HEADING: &str = "
# ------------------------------------------------------------------------------
# Leases
# ------------------------------------------------------------------------------
";

/// Write an example's values and README into a folder, to start a farm from.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// The folder; created if it does not exist.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The example to start from; a second one becomes a layer of its own. `kubefarm show examples` lists them.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "generic",
        env = "KUBEFARM_EXAMPLE"
    )]
    example: Vec<String>,
}

impl Init {
    pub fn run(self) -> Result<(), Failure> {
        let examples = self.example.iter().map(|name| example(name));
        let examples = examples.collect::<Result<Vec<Example>, Failure>>()?;
        if let Some(layer) = examples.first().filter(|first| is_layer(first)) {
            return Err(Failure::Usage(format!(
                "{} is a layer and not a whole farm; begin with the example that it extends: kubefarm init {} --example generic --example {}",
                layer.name,
                self.dir.display(),
                layer.name
            )));
        }
        let files: Vec<(PathBuf, Cow<str>)> = examples
            .iter()
            .enumerate()
            .flat_map(|(index, example)| files(&self.dir, index, example))
            .collect();
        if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
            return Err(Failure::Usage(format!(
                "{} exists already; nothing was written",
                path.display()
            )));
        }
        fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot create {}", self.dir.display()))?;
        let mut layers = String::new();
        for (path, text) in &files {
            write_new(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                layers.push_str(&format!(" -f {}", path.display()));
            }
        }
        writeln!(
            io::stderr(),
            "Edit the addresses and nodes, then:\n  kubefarm render{layers}"
        )?;
        Ok(())
    }
}

/// What examples that are layers name as the values below them.
const BELOW: &str = "../generic/values.yaml";

/// Whether it is not a whole farm.
fn is_layer(example: &Example) -> bool {
    example.values.contains(BELOW)
}

/// What an example says of its neighbours in the project, said of the files in the new folder. Links that lead out of
/// it become their words.
fn at_home(text: &str, name: &str) -> String {
    let command = format!("-f values.yaml -f {name}.yaml");
    let text = text.replace(&format!("-f {BELOW} -f values.yaml"), &command);
    let text = text.replace(BELOW, "values.yaml");
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, link)) = rest.split_once("](../") {
        let (before, words) = before.rsplit_once('[').unwrap_or((before, ""));
        kept.push_str(before);
        kept.push_str(words);
        rest = link.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

fn example(name: &str) -> Result<Example, Failure> {
    let examples = embedded::examples();
    let names: Vec<&str> = examples.iter().map(|example| example.name).collect();
    let found = examples.iter().find(|example| example.name == name);
    found
        .copied()
        .ok_or_else(|| unknown("example", name, &names))
}

/// An example's files: the first gives `values.yaml`, a further one a layer of its own name.
fn files(dir: &Path, index: usize, example: &Example) -> [(PathBuf, Cow<'static, str>); 2] {
    let (values, readme) = match index {
        0 => ("values.yaml".to_owned(), "README.md".to_owned()),
        _ => (
            format!("{}.yaml", example.name),
            format!("{}.md", example.name),
        ),
    };
    let text = match index {
        0 => with_dhcp(example.values),
        _ => Cow::Owned(at_home(example.values, example.name)),
    };
    let readme_text = at_home(example.readme, example.name);
    [
        (dir.join(values), text),
        (dir.join(readme), Cow::Owned(readme_text)),
    ]
}

/// A new farm has a dnsmasq of its own, unless its example chose. The default is for values files that are older
/// ([decision 24](../../docs/decisions/0024-dhcp-servers.md)).
fn with_dhcp(values: &'static str) -> Cow<'static, str> {
    let chosen = values.lines().any(|line| line.starts_with("dhcp:"));
    let layers = embedded::layers();
    let mut layers = layers.iter().filter(|_| !chosen);
    match layers.find(|layer| layer.name == DHCP_LAYER) {
        None => Cow::Borrowed(values),
        Some(layer) => Cow::Owned(format!("{values}{HEADING}{}", layer.text)),
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}
