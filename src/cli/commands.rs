//! The commands: one file each, and here a `mod` and a row.

mod agent;
mod apply;
mod backup;
pub mod completions;
mod delete;
mod diff;
mod etcd;
mod init;
mod kubeconfig;
mod list;
mod man;
mod nodes;
mod pki;
mod render;
mod schema;
mod show;
mod status;
mod values;

use clap::{Arg, Args, Subcommand};

use super::subcommands::subcommands;

macro_rules! commands {
    ($($module:ident::$command:ident,)*) => {
        subcommands! { $($module::$command,)* }

        /// The command line with one of the commands.
        pub fn with_one(name: &str) -> Option<clap::Command> {
            $(if name == stringify!($module) {
                let command = clap::Command::new(stringify!($module));
                return Some(root().subcommand($module::$command::augment_args(command)));
            })*
            None
        }
    };
}

// In the order of the help. A command has the name of its module.
commands! {
    render::Render,
    apply::Apply,
    diff::Diff,
    delete::Delete,
    list::List,
    status::Status,
    values::Values,
    schema::Schema,
    show::Show,
    init::Init,
    nodes::Nodes,
    pki::Pki,
    backup::Backup,
    kubeconfig::Kubeconfig,
    etcd::Etcd,
    agent::Agent,
    completions::Completions,
    man::Man,
}

/// The variable that stands for `--color`.
pub const COLOUR: &str = "KUBEFARM_COLOR";

fn root() -> clap::Command {
    clap::Command::new("kubefarm")
        .about("Describe, render and run farms of network-booted Kubernetes clusters")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .max_term_width(100)
        .after_help("Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("color")
                .long("color")
                .global(true)
                .value_name("WHEN")
                .value_parser(["auto", "always", "never"])
                .hide_default_value(true)
                .env(COLOUR)
                .help("When to print in colour; auto: at a terminal. NO_COLOR and CLICOLOR_FORCE are obeyed as well."),
        )
}

/// The whole command line, for help, completions and manual pages.
pub fn whole() -> clap::Command {
    Command::augment_subcommands(root())
}
