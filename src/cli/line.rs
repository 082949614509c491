//! Reads the command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::exit;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, FromArgMatches};

use super::commands::{COLOUR, Command, whole, with_one};
use super::tips;

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
pub fn parse() -> Command {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let first = words.first().and_then(|first| first.to_str());
    let (of_clap, of_ours) = colour(&words);
    of_ours.write_global();
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
