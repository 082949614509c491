use std::process::ExitCode;

fn main() -> ExitCode {
    kubefarm::cli::run()
}
