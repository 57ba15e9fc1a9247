//! `ikescope explain [ID | "LOG LINE"]`: the page of a finding.

use clap::Args;

use super::Status;

const EXAMPLES: &str = "\
Examples:
  ikescope explain                               every finding, by stage
  ikescope explain P1-PROPOSAL
  ikescope explain \"no acceptable proposal in IKE_SA_INIT\"
                                                 a line of a vendor's log";

/// Explains a finding, or finds the one that a vendor's log line belongs to.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Id of a finding, or a line of a log; without it, the catalogue
    #[arg(value_name = "ID | LOG LINE")]
    query: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    let _ = arguments.query.join(" ");
    anyhow::bail!("the catalogue of findings is not in this version")
}
