//! `ikescope bench PATH...`: how fast this machine reads, decodes and judges these captures, stage by stage.
//!
//! `stage` is what is measured, `memory` what it took, `answer` how it is told. Contract: captures are read from the page
//! cache where they fit; every stage is measured with all stages before it, in turn, and nothing is measured inside one.

mod answer;
mod memory;
mod stage;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::Limits;
use crate::capture::{Captures, shown_path};
use crate::pipeline::{Options, Sharing};

use super::Status;
use super::input::{complain_about, is_nothing};
use super::output::{Format, Output};
use answer::Answer;
use stage::Stage;

const EXAMPLES: &str = "\
Examples:
  ikescope bench vpn.pcap
  ikescope bench --runs 11 captures/
  ikescope bench --format json vpn.pcap | jq '.stages[] | {stage, ns_per_packet}'

What is measured:
  The captures are read once without a clock, so that they lie in memory and not on the disk; peak memory is \
that of this run. Then each run goes through the captures six times: only reading, reading and refusing, and \
so on to the whole analysis, written as JSON to nowhere. A stage costs what is new against the one before it, by \
the fastest runs of both. A stage that costs next to nothing may come out below zero, as may `follow`, which does \
not decode all that `decode` does. With --threads, each run goes through them once more: the whole on so many.

  read      frames out of the captures
  refuse    tell IKE, ESP and what else matters from all other frames; put IP fragments together
  decode    every field of every IKE message
  follow    which negotiation and which exchange a message belongs to; sequence numbers of ESP
  diagnose  findings and verdicts
  report    the report, as JSON

JSON (--format json): schema \"ikescope.bench/1\", tool_version, threads, runs, captures[] (paths), packets, \
octets (of frames, as recorded), messages (IKE), stages[] {stage, ns_per_packet, ns_per_message, so_far} \
and whole, the last so_far, or that on more threads. so_far is that stage with all before it: {seconds {min, median, max}, \
packets_per_second, octets_per_second, messages_per_second}. peak_memory is in octets; it and rates are null \
where nobody knows them. --format ndjson is the same on one line.";

/// Runs shorter than this say little about stages.
const SHORT: Duration = Duration::from_millis(50);

/// Measures how fast captures are read, decoded and judged.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Capture files (pcap, pcapng, plain or compressed) or folders of them
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,

    /// Threads for the whole analysis; stages are measured on one [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// UDP ports that carry IKE besides 500 and 4500, separated by commas
    #[arg(long, value_name = "PORT", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    ike_port: Vec<u16>,

    #[command(flatten)]
    output: Output,
}

/// Errors: a path cannot be read again and again; the answer cannot be written.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    for path in &arguments.paths {
        can_be_read_again(path)?;
    }
    let threads = arguments.threads.map_or(1, usize::from);
    let options = Options {
        ike_ports: arguments.ike_port.clone(),
        limits: Limits::default(),
        sharing: Sharing { threads: Some(1), chunk: None },
        ..Options::default()
    };
    let mut captures = Captures::open(&arguments.paths);
    if is_nothing(&captures) {
        return Ok(complain_about(&captures));
    }
    arguments.output.spare(&captures.infos())?;
    let mut sink = arguments.output.open()?;
    let bar = Waiting::new();
    bar.say("reading once, to warm up");
    memory::forget_peak();
    let began = Instant::now();
    Stage::Report.run(&mut captures, &options)?;
    let peak_memory = memory::peak();
    let first = began.elapsed();
    let status = complain_about(&captures);
    let size = Size::of(&captures, arguments, &options)?;
    let shared = Options { sharing: Sharing { threads: Some(threads), chunk: None }, ..options.clone() };
    let stages = Stage::ALL.map(|stage| (stage, &options));
    let whole = (threads > 1).then_some((Stage::Report, &shared));
    let measured: Vec<(Stage, &Options)> = stages.into_iter().chain(whole).collect();
    bar.expect(arguments.runs, measured.len(), first);
    let mut times = vec![Vec::new(); measured.len()];
    for run in 1..=arguments.runs {
        for (&(stage, options), times) in measured.iter().zip(&mut times) {
            bar.say(&format!("run {run} of {}: {}", arguments.runs, stage.name()));
            let mut captures = Captures::open(&arguments.paths);
            let began = Instant::now();
            let outcome = stage.run(&mut captures, options)?;
            times.push(began.elapsed());
            // what a run leaves behind is thrown away off the clock
            drop(outcome);
            bar.step();
        }
    }
    bar.finish();
    let whole = times.last().and_then(|times| times.iter().min()).copied().unwrap_or_default();
    let answer = Answer::new(&size, (arguments.runs, shared.sharing.threads() as u32), &times, peak_memory);
    match arguments.output.format {
        Format::Text => answer.write_text(&mut sink, whole < SHORT)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut sink, &answer)?;
            sink.write_all(b"\n")?;
        }
        Format::Ndjson => {
            serde_json::to_writer(&mut sink, &answer)?;
            sink.write_all(b"\n")?;
        }
    }
    sink.finish()?;
    Ok(status)
}

/// Errors: it is standard input, a pipe or a device, which give what they hold once.
fn can_be_read_again(path: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        path.as_os_str() != "-",
        "bench reads every capture several times, and standard input gives it once: write it to a file first"
    );
    // what is missing is for the reader to complain about
    let once = path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir());
    anyhow::ensure!(
        !once,
        "{}: bench reads every capture several times, and this is neither a file nor a folder: copy it to a file first",
        shown_path(path)
    );
    Ok(())
}

/// What is measured on.
struct Size {
    paths: Vec<String>,
    packets: u64,
    octets: u64,
    messages: u64,
}

impl Size {
    /// Of captures that have been read to their end.
    fn of(captures: &Captures, arguments: &Arguments, options: &Options) -> io::Result<Self> {
        let infos = captures.infos();
        let messages = Stage::Decode.run(&mut Captures::open(&arguments.paths), options)?.messages;
        Ok(Self {
            paths: infos.iter().map(|info| shown_path(&info.path).to_string()).collect(),
            packets: infos.iter().map(|info| info.frames).sum(),
            octets: infos.iter().map(|info| info.octets).sum(),
            messages,
        })
    }
}

/// What a person at a terminal sees while a long measurement goes on.
struct Waiting(Option<ProgressBar>);

impl Waiting {
    /// Runs longer than this, all together, are worth a bar.
    const LONG: Duration = Duration::from_secs(2);

    fn new() -> Self {
        Self(io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            ProgressStyle::with_template("{spinner} {msg}").map_or(bar.clone(), |style| bar.clone().with_style(style))
        }))
    }

    /// So many runs will follow, each of so many parts, of which the whole analysis takes `first`.
    fn expect(&self, runs: u32, parts: usize, first: Duration) {
        if let Some(bar) = self.0.as_ref().filter(|_| first.saturating_mul(runs) >= Self::LONG) {
            bar.set_length(u64::from(runs) * parts as u64);
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg} · {eta} left") {
                bar.set_style(style);
            }
        }
    }

    fn say(&self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(what.to_owned());
            bar.tick();
        }
    }

    fn step(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    fn finish(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}
