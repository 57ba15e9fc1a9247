//! `--threads`: on how many a capture is read and an answer written.

use clap::Args;

use crate::pipeline::Sharing;

/// How many threads share the work.
#[derive(Debug, Clone, Args)]
pub(super) struct Threads {
    /// Threads to use at most, for a large file that is not compressed; what is written is the same for any number
    /// [default: as many as the machine has, up to 4]
    #[arg(long, value_name = "N", help_heading = "Limits", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Threads {
    /// The same for the pipeline.
    pub(super) fn sharing(&self) -> Sharing {
        Sharing { threads: self.threads.map(usize::from), chunk: None }
    }
}
