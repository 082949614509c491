//! A farm that is to be rendered.

use clap::Args;

use super::values::{ChartArgs, ValuesArgs};
use crate::chart::Charts;
use crate::cli::failure::Failure;
use crate::cli::tips;
use crate::farm::Farm;
use crate::parallel;
use crate::render::{Outcome, check, render, render_to_write};
use crate::values::{Input, Loaded, Node, Problem};

/// What is rendered, and into which namespace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Release")]
pub struct ReleaseArgs {
    /// The release's name. Default: the value `name`, else `kubefarm`.
    #[arg(long, value_name = "NAME", env = "KUBEFARM_NAME")]
    pub name: Option<String>,
    /// The namespace of the release's objects.
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        env = "KUBEFARM_NAMESPACE",
        default_value = "default"
    )]
    pub namespace: String,
}

/// The release's name as `status` and `delete` take it, for the commands that render.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// The release's name, as with --name.
    #[arg(id = "named", value_name = "NAME")]
    named: Option<String>,
}

/// The flags of every command that renders.
#[derive(Debug, Args)]
pub struct FarmArgs {
    #[command(flatten)]
    pub values: ValuesArgs,
    /// Continue although no values are given, or a file or stdin is empty.
    #[arg(long, env = "KUBEFARM_ALLOW_EMPTY", help_heading = "Values")]
    allow_empty: bool,
    #[command(flatten)]
    pub release: ReleaseArgs,
    #[command(flatten)]
    pub charts: ChartArgs,
}

impl FarmArgs {
    /// The values over the defaults of `charts`, with layers between them. No values at all are an error, unless that is
    /// meant: a pipe whose first program failed would take a farm's nodes away.
    fn load_over(&self, charts: &Charts, below: Vec<Input>) -> Result<Loaded, Failure> {
        let loaded = self.values.load_over(charts, below)?;
        if loaded.empty.is_empty() || self.allow_empty {
            Ok(loaded)
        } else {
            Err(Failure::Values(loaded.empty))
        }
    }

    /// Loads, checks and renders.
    pub fn render(&self) -> Result<Outcome, Failure> {
        self.render_over(Vec::new())
    }

    /// The same with layers between the defaults and what the user gave.
    pub fn render_over(&self, below: Vec<Input>) -> Result<Outcome, Failure> {
        let charts = self.charts_to_render()?;
        let loaded = self.load_over(&charts, below)?;
        let (name, namespace) = (self.release.name.as_deref(), &self.release.namespace);
        Ok(render(&charts, &loaded, name, namespace)?)
    }

    /// Loads, checks and renders: with the merged values, for who reports where one was written.
    pub fn render_with_places(&self) -> Result<(Outcome, Node), Failure> {
        let charts = self.charts_to_render()?;
        let loaded = self.load_over(&charts, Vec::new())?;
        let (name, namespace) = (self.release.name.as_deref(), &self.release.namespace);
        let outcome = render(&charts, &loaded, name, namespace)?;
        Ok((outcome, loaded.tree))
    }

    /// The same for objects that are only written.
    pub fn render_to_write(&self) -> Result<Outcome, Failure> {
        let charts = self.charts_to_render()?;
        let loaded = self.load_over(&charts, Vec::new())?;
        let (name, namespace) = (self.release.name.as_deref(), &self.release.namespace);
        Ok(render_to_write(&charts, loaded, name, namespace)?)
    }

    /// The charts, whose templates another thread begins to compile while the values are read.
    fn charts_to_render(&self) -> Result<Charts, Failure> {
        parallel::start();
        let charts = self.charts.load()?;
        let compiled = charts.clone();
        parallel::ahead(move || compiled.compile());
        Ok(charts)
    }

    /// Loads and checks: the farm, with warnings.
    pub fn check(&self) -> Result<(Farm, Vec<Problem>), Failure> {
        let (farm, warnings, _) = self.check_with_places()?;
        Ok((farm, warnings))
    }

    /// The same with the merged values, for who reports where one was written.
    pub fn check_with_places(&self) -> Result<(Farm, Vec<Problem>, Node), Failure> {
        let charts = self.charts.load()?;
        let loaded = self.load_over(&charts, Vec::new())?;
        let (name, namespace) = (self.release.name.as_deref(), &self.release.namespace);
        let (values, warnings) = check(&charts, &loaded, name, namespace)?;
        Ok((values.build(), warnings, loaded.tree))
    }

    /// Takes over the name that is an argument by itself; it wins over the variable `KUBEFARM_NAME`.
    ///
    /// # Errors
    /// A file in its place: `kubefarm apply values.yaml`. `command` is what was called.
    pub fn take_name(&mut self, given: &NameArgs, command: &str) -> Result<(), Failure> {
        let Some(name) = &given.named else {
            return Ok(());
        };
        if tips::is_values_file(name) {
            return Err(Failure::Usage(format!(
                "{name} is a values file, and NAME is the release's name; pass files with -f: \
                 kubefarm {command} -f {name}"
            )));
        }
        self.release.name = Some(name.clone());
        Ok(())
    }
}
