//! The table of the commands, and how the command line is read.

use std::env;
use std::ffi::OsStr;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, FromArgMatches, Subcommand};

use super::{
    agent, apply, completions, delete, diff, init, kubeconfig, list, man, pki, render, schema,
    show, status, values,
};
use crate::chart::Charts;
use crate::parallel;

macro_rules! commands {
    ($($name:literal => $command:ident($arguments:ty),)*) => {
        // A command with its flags. As a doc comment this would be the text above the help of the whole program.
        #[derive(Debug, Subcommand)]
        pub(super) enum Command {
            $(#[command(name = $name)] $command($arguments),)*
        }

        /// The command line with one of the commands.
        fn with_one(name: &str) -> Option<clap::Command> {
            match name {
                $($name => Some(root().subcommand(<$arguments>::augment_args(clap::Command::new($name)))),)*
                _ => None,
            }
        }
    };
}

commands! {
    "render" => Render(render::Render),
    "apply" => Apply(apply::Apply),
    "diff" => Diff(diff::Diff),
    "delete" => Delete(delete::Delete),
    "list" => List(list::List),
    "status" => Status(status::Status),
    "values" => Values(values::Values),
    "schema" => Schema(schema::Schema),
    "show" => Show(show::Show),
    "init" => Init(init::Init),
    "pki" => Pki(pki::Pki),
    "kubeconfig" => Kubeconfig(kubeconfig::Kubeconfig),
    "agent" => Agent(agent::Agent),
    "completions" => Completions(completions::Completions),
    "man" => Man(man::Man),
}

fn root() -> clap::Command {
    clap::Command::new("kubefarm")
        .about("Describe, render and run farms of network-booted Kubernetes clusters")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .max_term_width(100)
        .after_help("Exit codes: 0 done, 1 it failed, 2 the input was wrong.")
        .subcommand_required(true)
        .arg_required_else_help(true)
}

/// The whole command line, for help, completions and manual pages.
pub(super) fn whole() -> clap::Command {
    Command::augment_subcommands(root())
}

/// The command line with what variables may hold besides what flags take: nothing at all, as pipelines set them, and
/// for a switch also `1`, `0`, `yes` and `no`.
fn forgiving(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let variable = arg.get_env().and_then(env::var_os);
        let arg = match variable.is_some_and(|value| value.is_empty()) {
            true => arg.env(None),
            false => arg,
        };
        match arg.get_action() {
            ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
            _ => arg,
        }
    });
    command.mut_subcommands(forgiving)
}

/// The commands that render charts.
const RENDERING: [&str; 3] = ["render", "apply", "diff"];

/// Reads the command line; ends the process where it is wrong, or asks for help.
pub(super) fn parse() -> Command {
    let first = env::args_os().nth(1);
    let first = first.as_deref().and_then(OsStr::to_str);
    if first.is_some_and(|name| RENDERING.contains(&name)) {
        // The templates are needed whatever the flags say, so another thread begins with them.
        parallel::start();
        parallel::ahead(|| Charts::embedded().compile());
    }
    // Where the command is plain to see, the others are not described to clap: that takes longer than to read the line.
    let mut line = forgiving(first.and_then(with_one).unwrap_or_else(whole));
    let matches = line.get_matches_mut();
    match Command::from_arg_matches(&matches) {
        Ok(command) => command,
        Err(error) => error.format(&mut line).exit(),
    }
}
