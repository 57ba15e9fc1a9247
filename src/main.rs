//! The `ikescope` program: hands the command line to [`ikescope::cli`] and its answer to the shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    ikescope::cli::run()
}
