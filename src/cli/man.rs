//! `ikescope man [COMMAND]`: the manual page.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::base::escape::escape;

use super::Status;

const EXAMPLES: &str = "\
Examples:
  ikescope man | man -l -
  ikescope man messages > ikescope-messages.1";

/// Prints the manual page, in roff.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The page of this subcommand
    command: Option<String>,
}

pub(super) fn run(arguments: &Arguments, mut command: Command) -> anyhow::Result<Status> {
    command.build();
    let page = match &arguments.command {
        None => command,
        Some(name) => {
            let found = command.find_subcommand(name).cloned();
            let found = found.ok_or_else(|| anyhow::anyhow!("there is no command {}", escape(name)))?;
            // pages of subcommands go by both names, as git's do
            let joined: &'static str = Box::leak(format!("ikescope-{name}").into_boxed_str());
            found.name(joined).version(env!("CARGO_PKG_VERSION"))
        }
    };
    let mut roff = Vec::new();
    Man::new(page).render(&mut roff)?;
    io::stdout().lock().write_all(&roff)?;
    Ok(Status::Read)
}
