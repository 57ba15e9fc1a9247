//! `ikescope completions SHELL`: the completion script of a shell.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

use super::Status;

const EXAMPLES: &str = "\
Examples:
  ikescope completions bash > ~/.local/share/bash-completion/completions/ikescope
  ikescope completions zsh > ~/.zfunc/_ikescope
  ikescope completions fish > ~/.config/fish/completions/ikescope.fish";

/// Prints a completion script.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Shell to complete for
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, mut command: Command) -> anyhow::Result<Status> {
    // the generator panics when its writer fails, so it is given one that does not
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "ikescope", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Status::Read)
}
