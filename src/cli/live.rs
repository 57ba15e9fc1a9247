//! `ikescope live -i INTERFACE`: not in this version, and says so.

use clap::Args;

use super::Status;

/// Captures and analyzes while it happens.
#[derive(Debug, Clone, Args)]
pub(super) struct Arguments {
    /// Interface to capture on
    #[arg(long, short, value_name = "INTERFACE")]
    interface: String,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    let interface = &arguments.interface;
    anyhow::bail!(
        "live capture is not in this version; for now: tcpdump -i {interface} -w vpn.pcap, and then ikescope vpn.pcap"
    )
}
