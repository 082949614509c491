//! `kubefarm schema`: the values' JSON Schema, and their reference.

use clap::{Args, ValueEnum};

use crate::chart::Charts;
use crate::cli::failure::Failure;
use crate::cli::stdout::write_stdout;
use crate::farm::{reference, schema};
use crate::values::load;

const EXAMPLES: &str = "\
Examples:
  Completion and checks in an editor with the YAML language server:
    kubefarm schema > kubefarm.schema.json
    and as the first line of values.yaml:
    # yaml-language-server: $schema=kubefarm.schema.json";

/// Print the JSON Schema of the values, for editors.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schema {
    /// Print the schema, or the reference of all values that is made from it.
    #[arg(short, long, value_enum, default_value_t = Format::Json, env = "KUBEFARM_SCHEMA_OUTPUT")]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Markdown,
}

impl Schema {
    pub fn run(self) -> Result<(), Failure> {
        let charts = Charts::embedded();
        let defaults = load(&charts.default_values(), &[]).map_err(Failure::Values)?;
        let mut schema = schema::json_schema(&(&defaults).into());
        schema::describe(&mut schema, &charts.comments());
        let text = match self.output {
            Format::Json => {
                schema::describe_defaults(&mut schema);
                serde_json::to_string_pretty(&schema).map_err(anyhow::Error::from)? + "\n"
            }
            Format::Markdown => reference::markdown(&schema),
        };
        write_stdout(text.as_bytes())
    }
}
