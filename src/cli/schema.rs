//! `ikescope schema`: the JSON Schema of the report.

use std::io::{self, Write};

use clap::Args;

use crate::report::SCHEMA;

use super::Status;

/// Prints the JSON Schema of `analyze --format json`.
#[derive(Debug, Clone, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> anyhow::Result<Status> {
    io::stdout().lock().write_all(SCHEMA.as_bytes())?;
    Ok(Status::Read)
}
