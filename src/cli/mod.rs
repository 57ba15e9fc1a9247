//! The command line: one subcommand a file, and beside them what they share.
//!
//! `input` is what is read and which part of it, `output` where the answer goes and in which form. Contract: the
//! answer goes to standard output or a file, everything said about the run goes to standard error, and the exit status
//! is 0, 1 or 2 as the contract says.

mod analyze;
mod bench;
mod completions;
mod explain;
mod input;
#[cfg(feature = "live")]
mod interfaces;
mod live;
mod man;
mod memory;
mod messages;
mod output;
mod progress;
mod schema;
mod threads;
mod units;
mod window;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use crate::base::escape::guard;
use crate::diagnose::lookup;

const EXAMPLES: &str = "\
What to capture:
  tcpdump -i eth0 -w vpn.pcap 'port 500 or port 4500 or udp port 1701 or udp src port 53
    or esp or ah or icmp or icmp6 or ip[6:2] & 0x1fff != 0 or ip6[6] == 44'

Examples:
  ikescope vpn.pcap                              say what happened and who has to act
  ikescope captures/                             every capture below a folder, merged by time
  tcpdump -r big.pcap -w - udp port 500 | ikescope -
  ikescope --pair 192.0.2.1,198.51.100.2 vpn.pcap
  ikescope messages -v --frame 12 vpn.pcap       frame 12, field by field
  ikescope explain P1-PROPOSAL                   the page of a finding
  ikescope analyze --help                        what marks, labels and statuses of the report mean

Exit status:
  0  the captures were read, whatever they showed
  1  with --exit-code: there is a finding of severity error; warnings do not count
  2  a capture or an argument cannot be read; what could be read is reported all the same";

/// Passive IKE analyzer: reads a capture and says how far each VPN negotiation got, why it stopped, and who has to act.
///
/// Nothing is sent and no keys are needed. `ikescope FILE` is short for `ikescope analyze FILE`.
#[derive(Debug, Parser)]
#[command(
    name = "ikescope",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    max_term_width = 120,
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    analyze: analyze::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what happened between every pair of peers, and why (the default)
    Analyze(analyze::Arguments),
    /// Show every IKE message, one a line, as a tree or as JSON
    Messages(messages::Arguments),
    /// Capture and analyze while it happens, on a screen or as a line an event
    Live(live::Arguments),
    /// List what can be captured on, and what permission is missing
    #[cfg(feature = "live")]
    Interfaces(interfaces::Arguments),
    /// Measure how fast captures are read, decoded and judged
    Bench(bench::Arguments),
    /// Explain a finding, or find the one that a vendor's log line belongs to
    Explain(explain::Arguments),
    /// Print the JSON Schema of the report
    Schema(schema::Arguments),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man(man::Arguments),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Everything was read.
    Read,
    /// There is a finding of severity error, and the caller wants to hear of it.
    Findings,
    /// Something could not be read; it has been said.
    Unreadable,
}

/// Parses the command line, does what it says and answers with the exit status of the contract.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut error) => {
            name_owner(&mut error);
            print_refusal(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli) {
        Ok(Status::Read) => ExitCode::SUCCESS,
        Ok(Status::Findings) => ExitCode::from(1),
        Ok(Status::Unreadable) => ExitCode::from(2),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Names the command that an option belongs to, where it stands without one.
fn name_owner(error: &mut clap::Error) {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return };
    let is_it = |argument: &clap::Arg| {
        let long = argument.get_long().is_some_and(|long| option.strip_prefix("--") == Some(long));
        long || argument.get_short().is_some_and(|short| *option == format!("-{short}"))
    };
    let names = Cli::command();
    let owner = names.get_subcommands().find(|command| command.get_arguments().any(is_it));
    if let Some(owner) = owner.filter(|_| error.kind() == ErrorKind::UnknownArgument) {
        let tip = format!("'{option}' belongs to the command: ikescope {} …", owner.get_name());
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
}

/// Prints what is wrong with the arguments, or the help that was asked for. Arguments are often file names that a shell
/// put in: where they hold something to escape, the line goes without colours.
fn print_refusal(error: &clap::Error) {
    let plain = error.render().to_string();
    // nobody is left to be told if this cannot be printed
    let _ = match guard(&plain) {
        _ if std::env::args_os().all(|argument| is_plain(&argument)) => error.print(),
        safe if error.use_stderr() => io::stderr().write_all(safe.as_bytes()),
        safe => io::stdout().write_all(safe.as_bytes()),
    };
}

/// Whether an argument holds nothing that would have to be escaped on a terminal.
fn is_plain(argument: &OsStr) -> bool {
    argument.to_str().is_some_and(|text| !text.contains('\n') && matches!(guard(text), Cow::Borrowed(_)))
}

fn dispatch(cli: Cli) -> anyhow::Result<Status> {
    match cli.command {
        None => {
            command_first(&cli.analyze)?;
            analyze::run(&cli.analyze)
        }
        Some(Command::Analyze(arguments)) => analyze::run(&arguments),
        Some(Command::Messages(arguments)) => messages::run(&arguments),
        Some(Command::Live(arguments)) => live::run(&arguments),
        #[cfg(feature = "live")]
        Some(Command::Interfaces(arguments)) => interfaces::run(&arguments),
        Some(Command::Bench(arguments)) => bench::run(&arguments),
        Some(Command::Explain(arguments)) => explain::run(&arguments),
        Some(Command::Schema(arguments)) => schema::run(&arguments),
        Some(Command::Completions(arguments)) => completions::run(&arguments, Cli::command()),
        Some(Command::Man(arguments)) => man::run(&arguments, Cli::command()),
    }
}

/// Options of a command stand behind its name: catches `ikescope --color never messages FILE`.
///
/// Errors: a path that is no file, and the name of a command or next to it.
fn command_first(arguments: &analyze::Arguments) -> anyhow::Result<()> {
    let names = Cli::command();
    let meant = arguments
        .paths()
        .iter()
        .filter_map(|path| path.to_str())
        .find(|path| names.find_subcommand(path).is_some() && !Path::new(path).exists());
    if let Some(name) = meant {
        anyhow::bail!("the command goes first: ikescope {name} …");
    }
    let Some(first) = arguments.paths().first().and_then(|path| path.to_str()) else { return Ok(()) };
    let near = |name: &&str| (1..=first.len() / 3).contains(&lookup::distance(first, name));
    match names.get_subcommands().map(clap::Command::get_name).find(near) {
        Some(name) if !Path::new(first).exists() => {
            anyhow::bail!("{first}: no such file or folder; did you mean the command `{name}`?")
        }
        _ => Ok(()),
    }
}

/// Says one line about the run on standard error, with the program's name in front. Its parts are escaped already, if
/// they may have to be; what the system says is not, and is looked after here.
fn complain(line: &str) {
    // a closed standard error is no reason to fail
    let _ = writeln!(io::stderr(), "ikescope: {}", guard(line).replace('\n', "\\x0a"));
}

/// Whether the reader of our output has gone, which is no failure: `ikescope … | head`.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let kind = match (cause.downcast_ref::<io::Error>(), cause.downcast_ref::<serde_json::Error>()) {
            (Some(error), _) => Some(error.kind()),
            (None, Some(error)) => error.io_error_kind(),
            (None, None) => None,
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_reader_that_went_away_is_recognised_through_every_layer() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::from(broken()).context("cannot write")));
        assert!(is_broken_pipe(&anyhow::Error::from(serde_json::Error::io(broken()))));
        assert!(!is_broken_pipe(&anyhow::Error::from(io::Error::from(io::ErrorKind::StorageFull))));
    }
}
