use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A rendering is mostly small allocations, on several threads: docs/decisions/0023.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    kubefarm::cli::run()
}
