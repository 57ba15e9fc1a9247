//! How much memory what is followed may take.

use clap::Args;

use crate::base::Limits;

use super::units;

/// The ceiling.
#[derive(Debug, Clone, Args)]
pub(super) struct Memory {
    /// Memory that pairs, attempts and flows may take, about; beyond it those never answered are forgotten first, the
    /// oldest before the others, and counted in the report
    #[arg(long, value_name = "SIZE", default_value = "1G", help_heading = "Limits", value_parser = units::octets)]
    memory: u64,
}

impl Memory {
    /// The limits that keep to it.
    pub fn limits(&self) -> Limits {
        Limits { octets: usize::try_from(self.memory).unwrap_or(usize::MAX), ..Limits::default() }
    }
}
