//! `ikescope [analyze] PATH...`: the report.

use std::path::PathBuf;

use clap::Args;

use crate::base::Limits;
use crate::capture::Captures;
use crate::diagnose::{self, Severity};
use crate::packet::Classifier;
use crate::report::{self, Counts, Report, Selection};
use crate::track::Tracker;

use super::Status;
use super::input::{Input, complain_about, is_nothing};
use super::output::{Format, Output};
use super::progress::Progress;
use super::window::Window;

const EXAMPLES: &str = "\
Examples:
  ikescope vpn.pcap
  ikescope --format json --output report.json captures/
  ikescope --from +60 --to +120 vpn.pcap         the second minute
  ikescope --exit-code vpn.pcap && echo healthy  for scripts

JSON: `ikescope schema` prints its schema. Arrays are flat; rows refer to each other by id.
  ikescope --format json vpn.pcap | jq '.pairs[] | {a, b, status, verdict}'
  ikescope --format ndjson vpn.pcap | jq -c 'select(.table == \"findings\") | {id, title}'";

/// Says what happened between every pair of peers, and why.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    output: Output,

    /// Threads to use; the report is the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// End with status 1 if there is a finding of severity error
    #[arg(long)]
    exit_code: bool,
}

/// What an analysis has to know beside its captures.
struct Options {
    ike_ports: Vec<u16>,
    window: Window,
    selection: Selection,
    limits: Limits,
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
        window: arguments.input.window()?,
        selection: arguments.input.selection(),
        limits: Limits::default(),
    };
    let mut captures = arguments.input.open();
    if is_nothing(&captures) {
        return Ok(complain_about(&captures));
    }
    // before hours of reading it should be known that the answer has a place to go
    let mut sink = arguments.output.open()?;
    let report = analyze(options, &mut captures);
    match arguments.output.format {
        Format::Text => report::text::render(&report, &mut sink, &arguments.output.style())?,
        Format::Json => report::json::write_json(&report, &mut sink)?,
        Format::Ndjson => report::json::write_ndjson(&report, &mut sink)?,
    }
    sink.finish()?;
    let status = complain_about(&captures);
    let failed = arguments.exit_code && report.findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if failed && status == Status::Read { Status::Findings } else { status })
}

/// Every frame through every stop.
fn analyze(mut options: Options, captures: &mut Captures) -> Report {
    let mut classifier = Classifier::new(&options.ike_ports, &options.limits);
    let mut tracker = Tracker::new(&options.limits);
    let mut counts: Vec<Counts> = Vec::new();
    let mut progress = Progress::new(false);
    loop {
        progress.step(captures);
        let Some(frame) = captures.next_frame() else { break };
        if !options.window.admits(frame.at) {
            continue;
        }
        tracker.advance(frame.at);
        let class = classifier.classify(&frame, &mut |datagram| {
            tracker.observe(datagram);
        });
        let capture = usize::try_from(frame.reference.capture).unwrap_or(usize::MAX);
        if counts.len() <= capture {
            counts.resize(capture.saturating_add(1), Counts::default());
        }
        if let Some(counts) = counts.get_mut(capture) {
            counts.add(class);
        }
    }
    classifier.finish(&mut |datagram| {
        tracker.observe(datagram);
    });
    progress.finish();
    let infos = captures.infos();
    counts.resize(infos.len(), Counts::default());
    let facts = tracker.facts();
    let diagnosis = diagnose::diagnose(facts);
    Report::selected(infos.into_iter().zip(counts).collect(), facts, &diagnosis, &options.selection)
}
