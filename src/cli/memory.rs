//! How much memory what is followed may take.

use clap::Args;

use crate::base::Limits;

use super::units;

/// The ceiling.
#[derive(Debug, Clone, Args)]
pub(super) struct Memory {
    /// Memory that pairs, attempts and flows may take, about; beyond it those never answered are forgotten first, the
    /// oldest before the others, and counted in the report
    #[arg(long, value_name = "SIZE", default_value = "1G", help_heading = "Limits", value_parser = ceiling)]
    memory: u64,
}

/// A size that leaves room for something to be followed.
fn ceiling(text: &str) -> Result<u64, String> {
    const LEAST: u64 = 1 << 20;
    let octets = units::octets(text)?;
    if octets >= LEAST { Ok(octets) } else { Err(format!("`{text}` is too little to follow anything: at least 1M")) }
}

impl Memory {
    /// The limits that keep to it.
    pub fn limits(&self) -> Limits {
        Limits { octets: usize::try_from(self.memory).unwrap_or(usize::MAX), ..Limits::default() }
    }
}
