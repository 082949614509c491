//! `kubefarm values`: the merged values, and where each came from.

use clap::{Args, ValueEnum};

use crate::cli::args::{ChartArgs, ValuesArgs};
use crate::cli::failure::{Failure, report};
use crate::cli::stdout::write_stdout;
use crate::farm::spec;
use crate::values::{
    Loaded, Node, Problem, Severity, changed, decode, load, put_at_nulls, to_yaml,
    to_yaml_with_comments,
};

const EXAMPLES: &str = "\
Examples:
  Two layers merged, defaults included:
    kubefarm values -f values.yaml -f extra.yaml

  What they change, and where each value was written:
    kubefarm values -f values.yaml -f extra.yaml --changed --origin";

/// Print the merged values, defaults included.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Values {
    #[command(flatten)]
    values: ValuesArgs,
    #[command(flatten)]
    charts: ChartArgs,
    /// Only what differs from the defaults: a values file with the same result.
    #[arg(long, env = "KUBEFARM_CHANGED", help_heading = "Output")]
    changed: bool,
    /// Add a comment to each value with the place where it was written.
    #[arg(long, env = "KUBEFARM_ORIGIN", help_heading = "Output")]
    origin: bool,
    /// The format.
    #[arg(short, long, value_enum, default_value_t = Format::Yaml, env = "KUBEFARM_VALUES_OUTPUT", help_heading = "Output")]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

impl Values {
    pub fn run(self) -> Result<(), Failure> {
        if self.origin && self.output == Format::Json {
            let reason = "--origin cannot be used with --output json, which has no comments";
            return Err(Failure::Usage(reason.to_owned()));
        }
        let charts = self.charts.load()?;
        let loaded = self.values.load(&charts)?;
        report(&mistakes(&loaded))?;
        let tree = if self.changed {
            let defaults = load(&charts.default_values(), &[]).map_err(Failure::Values)?;
            changed(&loaded.tree, &defaults, &loaded.removed)
        } else {
            loaded.tree
        };
        write_stdout(self.text(&tree)?.as_bytes())
    }

    fn text(&self, tree: &Node) -> Result<String, Failure> {
        let value = serde_json::Value::from(tree);
        Ok(match (self.output, self.origin) {
            (Format::Yaml, false) => to_yaml(&value),
            (Format::Yaml, true) => to_yaml_with_comments(&value, &|path| {
                tree.get(path).map(|node| node.origin.to_string())
            }),
            (Format::Json, _) => {
                let text = serde_json::to_string_pretty(&value).map_err(anyhow::Error::from)?;
                text + "\n"
            }
        })
    }
}

/// What is wrong with single values, as warnings: the merged values can be looked at anyway.
fn mistakes(loaded: &Loaded) -> Vec<Problem> {
    let (_, mut problems) = decode::<spec::Values>(&loaded.tree);
    for problem in &mut problems {
        problem.severity = Severity::Warning;
    }
    problems.extend(loaded.warnings.iter().cloned());
    put_at_nulls(&mut problems, &loaded.removed);
    problems
}
