//! What is read: paths, ports, and the part of them that is wanted.

use std::path::PathBuf;

use clap::Args;

use crate::capture::Captures;
use crate::report::Selection;

use super::memory::Memory;
use super::window::{Bound, Window};
use super::{Status, complain};

/// Captures, and which part of them.
#[derive(Debug, Clone, Args)]
pub(super) struct Input {
    /// Capture files (pcap, pcapng, plain or compressed), folders of them, or - for standard input
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,

    /// Only peers with this address, or only the pair of these two
    #[arg(long, value_name = "ADDR[,ADDR]", help_heading = "Selection")]
    pub pair: Vec<Selection>,

    /// Only frames from this time on: RFC 3339, HH:MM:SS on the day the capture begins (UTC), or +SECONDS from its start
    #[arg(long, value_name = "TIME", help_heading = "Selection", allow_hyphen_values = true)]
    pub from: Option<Bound>,

    /// Only frames up to this time, in the same forms
    #[arg(long, value_name = "TIME", help_heading = "Selection", allow_hyphen_values = true)]
    pub to: Option<Bound>,

    /// UDP ports that carry IKE besides 500 and 4500, separated by commas
    #[arg(long, value_name = "PORT", value_delimiter = ',', help_heading = "Selection",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub ike_port: Vec<u16>,

    #[command(flatten)]
    pub memory: Memory,
}

impl Input {
    /// The time window.
    ///
    /// Errors: it ends before it begins.
    pub fn window(&self) -> anyhow::Result<Window> {
        Window::new(self.from, self.to)
    }

    /// The pairs that are wanted: those of every `--pair`.
    pub fn selection(&self) -> Selection {
        Selection::any_of(&self.pair)
    }

    /// Opens the captures.
    pub fn open(&self) -> Captures {
        Captures::open(&self.paths)
    }

    /// Whether anything comes in as it happens, so that answers should not be held back.
    pub fn is_live(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == "-")
    }
}

/// Says on standard error what could not be read, a line each.
pub(super) fn complain_about(captures: &Captures) -> Status {
    for error in captures.errors() {
        complain(&error.to_string());
    }
    if captures.errors().is_empty() { Status::Read } else { Status::Unreadable }
}

/// Whether not one capture could be opened: an answer would be about nothing.
pub(super) fn is_nothing(captures: &Captures) -> bool {
    !captures.errors().is_empty() && captures.infos().is_empty()
}
