//! `kubefarm values`: the merge, and where each value came from.

use clap::{Args, ValueEnum};

use super::args::{ChartArgs, ValuesArgs};
use super::{Failure, write_stdout};
use crate::values::{to_yaml, to_yaml_with_comments};

const EXAMPLES: &str = "\
Examples:
  What two layers come to, defaults included:
    kubefarm values -f values.yaml -f extra.yaml

  Where every value was written:
    kubefarm values -f values.yaml -f extra.yaml --origin | grep -v charts/";

/// Print the merged values, defaults included.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Values {
    #[command(flatten)]
    values: ValuesArgs,
    #[command(flatten)]
    charts: ChartArgs,
    /// Add a comment to each value that says where it was written.
    #[arg(long, env = "KUBEFARM_ORIGIN", help_heading = "Output")]
    origin: bool,
    /// How to print.
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
        let tree = self.values.load(&self.charts.load()?)?;
        let value = serde_json::Value::from(&tree);
        let text = match (self.output, self.origin) {
            (Format::Yaml, false) => to_yaml(&value),
            (Format::Yaml, true) => to_yaml_with_comments(&value, &|path| {
                tree.get(path).map(|node| node.origin.to_string())
            }),
            (Format::Json, _) => {
                let text = serde_json::to_string_pretty(&value).map_err(anyhow::Error::from)?;
                text + "\n"
            }
        };
        write_stdout(text.as_bytes())
    }
}
