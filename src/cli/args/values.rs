//! The flags for values and for the defaults that they are merged over.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::chart::{Charts, embedded};
use crate::cli::failure::Failure;
use crate::cli::sources::{KeptStdin, builtin, builtin_names};
use crate::values::{Input, Loaded, load_with_stdin, nearest};

/// Which charts are rendered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Charts")]
pub struct ChartArgs {
    /// Lay the charts in DIR over the embedded ones, file by file.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_CHART_DIR")]
    chart_dir: Option<PathBuf>,
}

impl ChartArgs {
    /// The embedded charts, with the user's files over them.
    pub fn load(&self) -> Result<Charts, Failure> {
        match &self.chart_dir {
            Some(dir) => Ok(Charts::embedded().overlay(dir)?),
            None => Ok(Charts::embedded().clone()),
        }
    }
}

/// Where values come from; names and grammar are Helm's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Values")]
pub struct ValuesArgs {
    /// A values file; `-` is stdin, `builtin:NAME` an embedded layer or example. Later files win.
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ',',
        env = "KUBEFARM_VALUES"
    )]
    files: Vec<String>,
    /// Set a value: `ltsp.replicaCount=2`, `nodePools[0].tags={a,b}`, `a=1,b=null`.
    #[arg(
        long,
        value_name = "KEY=VALUE",
        env = "KUBEFARM_SET",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    set: Vec<String>,
    /// Set a value as text, whatever it looks like.
    #[arg(
        long,
        value_name = "KEY=TEXT",
        env = "KUBEFARM_SET_STRING",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    set_string: Vec<String>,
    /// Set a value to a file's content.
    #[arg(long, value_name = "KEY=FILE", env = "KUBEFARM_SET_FILE")]
    set_file: Vec<String>,
    /// Set a value to JSON: `key=[1,2]`, or a whole object.
    #[arg(
        long,
        value_name = "KEY=JSON",
        env = "KUBEFARM_SET_JSON",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    set_json: Vec<String>,
}

impl ValuesArgs {
    /// The defaults of `charts` with everything given here over them.
    pub fn load(&self, charts: &Charts) -> Result<Loaded, Failure> {
        self.load_over(charts, Vec::new())
    }

    /// The same with layers between the defaults and everything given here.
    pub fn load_over(&self, charts: &Charts, below: Vec<Input>) -> Result<Loaded, Failure> {
        let mut inputs = below;
        inputs.extend(self.inputs()?);
        load_with_stdin(&charts.default_values(), &inputs, &mut KeptStdin).map_err(Failure::Values)
    }

    /// Whether there is anything over the defaults.
    pub fn is_given(&self) -> bool {
        let all = [
            &self.files,
            &self.set,
            &self.set_string,
            &self.set_file,
            &self.set_json,
        ];
        all.iter().any(|given| !given.is_empty())
    }

    /// The files, embedded layers and flags, in Helm's order.
    pub fn inputs(&self) -> Result<Vec<Input>, Failure> {
        let files = self.files.iter().map(|file| input(file));
        let mut inputs = files.collect::<Result<Vec<Input>, Failure>>()?;
        inputs.extend(self.set.iter().cloned().map(Input::Set));
        inputs.extend(self.set_string.iter().cloned().map(Input::SetString));
        inputs.extend(self.set_file.iter().cloned().map(Input::SetFile));
        inputs.extend(self.set_json.iter().cloned().map(Input::SetJson));
        Ok(inputs)
    }
}

fn input(file: &str) -> Result<Input, Failure> {
    let Some(name) = file.strip_prefix("builtin:") else {
        if builtin(file).is_some() && !Path::new(file).exists() {
            return Err(Failure::Usage(format!(
                "there is no file {file} here; the embedded layer or example is builtin:{file}"
            )));
        }
        return Ok(Input::File(PathBuf::from(&*embedded::name_of_user_file(
            file,
        ))));
    };
    match builtin(name) {
        Some(text) => Ok(Input::Builtin {
            name: name.to_owned(),
            text: text.to_owned(),
        }),
        None => {
            let names: Vec<&str> = builtin_names().collect();
            let hint = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean builtin:{near}?"),
                None => format!("choose one of {}", names.join(", ")),
            };
            Err(Failure::Usage(format!(
                "there is no embedded layer or example {name:?}; {hint}"
            )))
        }
    }
}
