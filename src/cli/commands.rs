//! The table of the commands, and how the command line is read.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::exit;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Subcommand};

use super::{
    agent, apply, completions, delete, diff, init, kubeconfig, list, man, pki, render, schema,
    show, status, tips, values,
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
        .after_help("Exit codes: 0 done, 1 it failed, 2 the input was wrong, 130 interrupted.")
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
                .help("When to print in colour; auto is at a terminal. NO_COLOR and CLICOLOR_FORCE count as well."),
        )
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
        let arg = if variable.is_some_and(|value| value.is_empty()) {
            arg.env(None)
        } else {
            arg
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

/// The variable that stands for `--color`.
const COLOUR: &str = "KUBEFARM_COLOR";

/// When to print in colour. Read before the rest of the line, since what is wrong with that may be printed so.
fn colour(line: &[OsString]) -> (clap::ColorChoice, anstream::ColorChoice) {
    let mut words = line.iter().take_while(|word| *word != "--");
    let mut when = env::var_os(COLOUR);
    while let Some(word) = words.next() {
        let joined = word.to_str().and_then(|word| word.strip_prefix("--color="));
        match joined {
            Some(given) => when = Some(given.into()),
            None if word == "--color" => when = words.next().cloned(),
            None => {}
        }
    }
    match when.as_deref().and_then(OsStr::to_str) {
        Some("always") => (clap::ColorChoice::Always, anstream::ColorChoice::Always),
        Some("never") => (clap::ColorChoice::Never, anstream::ColorChoice::Never),
        _ => (clap::ColorChoice::Auto, anstream::ColorChoice::Auto),
    }
}

/// A release's name may stand by itself or be given by `--name`; both, from the line, are one too many. A variable is
/// only what holds where the line is silent.
fn named_twice(command: &mut clap::Command, matches: &ArgMatches) -> Option<clap::Error> {
    let (_, matches) = matches.subcommand()?;
    let is_given = |id: &str| {
        let source = matches
            .try_contains_id(id)
            .ok()
            .and_then(|_| matches.value_source(id));
        source == Some(ValueSource::CommandLine)
    };
    (is_given("named") && is_given("name")).then(|| {
        let why = "the argument '[NAME]' cannot be used with '--name <NAME>': both are the release's name";
        command.error(ErrorKind::ArgumentConflict, why)
    })
}

/// Prints what clap has to say, and ends the process. Unlike clap's own way, help that cannot be written is a failure.
fn end(error: &clap::Error) -> ! {
    let printed = error.print().and_then(|()| io::stdout().flush());
    match printed {
        Err(failure) if !error.use_stderr() && failure.kind() != io::ErrorKind::BrokenPipe => {
            // With stderr closed too, the exit code is all that can be said.
            let _ = writeln!(io::stderr(), "error: {failure}");
            exit(1)
        }
        _ => exit(error.exit_code()),
    }
}

/// Reads the command line; ends the process where it is wrong, or asks for help.
pub(super) fn parse() -> Command {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let first = words.first().and_then(|first| first.to_str());
    let (of_clap, of_ours) = colour(&words);
    of_ours.write_global();
    if first.is_some_and(|name| RENDERING.contains(&name)) {
        // The templates are needed whatever the flags say, so another thread begins with them.
        parallel::start();
        parallel::ahead(|| Charts::embedded().compile());
    }
    // Where the command is plain to see, the others are not described to clap: that takes longer than to read the line.
    let mut line = forgiving(first.and_then(with_one).unwrap_or_else(whole)).color(of_clap);
    let matches = match line.try_get_matches_from_mut(env::args_os()) {
        Ok(matches) => matches,
        Err(mut error) => {
            let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
            let commands = line
                .get_subcommands()
                .map(|command| command.get_name().to_owned());
            tips::improve(&mut error, &words, &commands.collect::<Vec<_>>());
            end(&error)
        }
    };
    if let Some(error) = named_twice(&mut line, &matches) {
        end(&error);
    }
    match Command::from_arg_matches(&matches) {
        Ok(command) => command,
        Err(error) => end(&error.format(&mut line)),
    }
}
