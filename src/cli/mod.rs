//! The command line: one subcommand a file.

use std::process::ExitCode;

/// Parses the command line, does what it says and answers with the exit status of the contract.
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
