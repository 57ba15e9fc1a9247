//! `ikescope [analyze] PATH...`: the report.

use std::path::PathBuf;

use clap::Args;

use crate::base::Timestamp;
use crate::capture::Captures;
use crate::diagnose::Severity;
use crate::pipeline::{self, Options, Watch};
use crate::report::json::Hands;
use crate::report::{self, Walk};

use super::Status;
use super::input::{Input, complain_about, is_nothing};
use super::output::{Format, Output};
use super::progress::Progress;
use super::threads::Threads;
use super::window::Window;

const EXAMPLES: &str = "\
Examples:
  ikescope vpn.pcap
  ikescope --format json --output report.json captures/
  ikescope --from +60 --to +120 vpn.pcap         the second minute
  ikescope --exit-code vpn.pcap || echo errors   for scripts

JSON: `ikescope schema` prints its schema. Arrays are flat; rows refer to each other by id.
  ikescope --format json vpn.pcap | jq '.pairs[] | {a, b, status, verdict}'
  ikescope --format ndjson vpn.pcap | jq -c 'select(.table == \"findings\") | {id, title}'

Reading the report:
  ▸ from the initiator, ◂ from the responder; ⇄ between two peers; ×3 three times; ✓ chosen, or as it should be; ✗ not
  MM1 … MM6  Main Mode, message 1 to 6     AM1 … AM3  Aggressive Mode     QM1 … QM4  Quick Mode
  TR  XAUTH and Mode Config     INF  Informational     STRAY  a message out of place
  SA_INIT, AUTH, CREATE_CHILD_SA, INFORMATIONAL  exchanges of IKEv2, -REQ the request and -RSP the response
  Up-Active  up, and ESP or AH seen, be it one way only     Up-IDLE  up, and none seen
  Up-No-IKE  ESP or AH goes on, and its IKE SA is gone, answers no more, or was not seen
  Down-Negotiating  not up, still trying     Down  not up     Unknown  the capture does not tell
  error, warning, notice, advisory, info  how bad it is in this case; `ikescope explain` names that of most cases
  stated  said in clear     inferred  follows from what was seen     suspected  the best of several readings";

/// Says what happened between every pair of peers, and why.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    threads: Threads,

    #[command(flatten)]
    output: Output,

    /// End with status 1 if there is a finding of severity error; warnings do not count
    #[arg(long, help_heading = "Output")]
    exit_code: bool,
}

impl Arguments {
    /// What is to be read.
    pub fn paths(&self) -> &[PathBuf] {
        &self.input.paths
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    let options = Options {
        ike_ports: arguments.input.ike_port.clone(),
        limits: arguments.input.memory.limits(),
        sharing: arguments.threads.sharing(),
        ..Options::default()
    };
    let mut onlooker = Onlooker { window: arguments.input.window()?, progress: Progress::new(false) };
    let mut captures = arguments.input.open();
    if is_nothing(&captures) {
        return Ok(complain_about(&captures));
    }
    arguments.output.spare(&captures.infos())?;
    // before hours of reading it should be known that the answer has a place to go
    let mut sink = arguments.output.open()?;
    let mut analysis = pipeline::analyze(&mut captures, &options, &mut onlooker);
    analysis.allow_for_losses();
    onlooker.progress.finish();
    let selection = arguments.input.selection();
    let walk = Walk::new(analysis.captures, &analysis.facts, &analysis.diagnosis, &selection);
    let hands = Hands::on(options.sharing.threads());
    match arguments.output.format {
        Format::Text => report::text::render_walk(&walk, &mut sink, &arguments.output.style())?,
        Format::Json => report::json::stream_json(&walk, hands, &mut sink)?,
        Format::Ndjson => report::json::stream_ndjson(&walk, hands, &mut sink)?,
    }
    sink.finish()?;
    onlooker.window.complain_if_missed(&captures);
    let status = complain_about(&captures);
    let failed = arguments.exit_code && walk.has(Severity::Error);
    Ok(if failed && status == Status::Read { Status::Findings } else { status })
}

/// Keeps to the part of time that is wanted, and tells how far the reading is.
struct Onlooker {
    window: Window,
    progress: Progress,
}

impl Watch for Onlooker {
    fn admits(&mut self, at: Timestamp) -> bool {
        self.window.admits(at)
    }

    fn admits_all(&mut self, first: Timestamp, earliest: Timestamp, latest: Timestamp) -> Option<bool> {
        self.window.admits_all(first, earliest, latest)
    }

    fn progress(&mut self, captures: &Captures) {
        self.progress.step(captures);
    }
}
