//! One row a command: its variant, and how it is run.

/// The enum of some commands, each `module::Type` with clap's `Args` and `fn run(self) -> Result<(), Failure>`.
macro_rules! subcommands {
    ($($module:ident::$command:ident,)*) => {
        // A command with its flags. As a doc comment this would be the text above the help of the command around it.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command {
            $($command($module::$command),)*
        }

        impl Command {
            pub fn run(self) -> Result<(), crate::cli::failure::Failure> {
                match self {
                    $(Command::$command(command) => command.run(),)*
                }
            }
        }
    };
}

pub(super) use subcommands;
