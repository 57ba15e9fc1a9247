//! `ikescope live`: captures and judges while it happens, and shows it on a screen or as events.
//!
//! | file | what it does |
//! |---|---|
//! | `session` | the loop: frames in, judgements out |
//! | `face` | who is told: a screen, lines, or nobody until the end |
//! | `events` | one line an event, in words or as JSON |
//! | `origin` | interfaces, or captures that are played again |
//! | `pace`, `rates`, `stop` | when to judge, how fast ESP passes, signals |

mod events;
mod face;
mod origin;
mod pace;
#[cfg(feature = "tui")]
mod rates;
mod session;
mod stop;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::capture::{Captures, Replay, Source, WriteOptions, Writer};
use crate::diagnose::Severity;
use crate::pipeline::{self, Options};
use crate::report::Selection;

use super::memory::Memory;
use super::output::{Color, Format, Output, spare};
use super::{Status, complain, units};

use face::{Face, Plan};
use origin::Origin;
use session::{Live, Wanted};
use stop::Stop;

const EXAMPLES: &str = "\
Examples:
  sudo ikescope live -i eth0                     the screen; ? explains its keys
  sudo ikescope live -i eth0 -i ppp0             two interfaces at once; -i any hears all
  sudo ikescope live -i eth0 --plain --for 5m    a line an event, and the report after five minutes
  sudo ikescope live -i eth0 --pair 198.51.100.2 --write vpn.pcapng
                                                 one peer on the screen, every frame in the file
  sudo ikescope live -i eth0 --format ndjson | jq -c 'select(.event == \"finding\") | .finding.id'
  sudo ikescope live -i eth0 --plain --write ring.pcapng --rotate-size 100M --rotate-count 10
                                                 for days: the last gigabyte is kept
  ikescope live --replay vpn.pcap                try it without an interface: a capture played again
  ikescope live --replay vpn.pcap --speed 10     the same, ten times as fast

Ctrl-C ends with the report; a second one ends at once. Nothing is ever sent.

What it needs: libpcap, and CAP_NET_RAW: run with sudo, or once sudo setcap cap_net_raw=eip PROGRAM.
After opening the interfaces it gives up every other privilege, and all files but those it writes.

Events of --format ndjson: message, retransmission, stage, finding, finding-withdrawn, drops, \
notice, end. A finding that changes in severity or confidence is raised again; the last line holds \
the whole report.

Exit status:
  0  it was captured until the end that was asked for, whatever it showed
  1  with --exit-code: there is a finding of severity error at the end
  2  an interface or an argument is not good; what was seen before is reported all the same";

/// Captures and analyzes while it happens.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("origin").args(["interface", "replay"]).required(true))]
pub(super) struct Arguments {
    /// Interface to capture on, or `any`; may be repeated. `ikescope interfaces` lists them
    #[arg(long, short, value_name = "INTERFACE")]
    interface: Vec<String>,

    /// Play captures again with their timing, instead of an interface
    #[arg(long, value_name = "PATH", num_args = 1..)]
    replay: Vec<PathBuf>,

    /// How fast to play: 2 is twice as fast, 0 as fast as possible
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, requires = "replay", value_parser = speed,
          allow_negative_numbers = true)]
    speed: f64,

    /// A line an event instead of the screen
    #[arg(long)]
    plain: bool,

    /// End after this long: 30s, 5m, 1h
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration)]
    duration: Option<Duration>,

    /// End with status 1 if there is a finding of severity error
    #[arg(long)]
    exit_code: bool,

    /// Only peers with this address, or only the pair of these two; frames are written whoever they are from
    #[arg(long, value_name = "ADDR[,ADDR]", help_heading = "Selection")]
    pair: Vec<Selection>,

    /// UDP ports that carry IKE besides 500 and 4500, separated by commas
    #[arg(long, value_name = "PORT", value_delimiter = ',', help_heading = "Selection",
          value_parser = clap::value_parser!(u16).range(1..))]
    ike_port: Vec<u16>,

    #[command(flatten)]
    memory: Memory,

    /// Take only frames that this filter admits too, in the language of tcpdump: 'host 198.51.100.2'
    #[arg(long, short, value_name = "EXPRESSION", help_heading = "Selection", conflicts_with = "replay")]
    filter: Option<String>,

    /// Memory for frames that wait in the kernel, an interface: 64M
    #[arg(long, value_name = "SIZE", help_heading = "Capture", default_value = "32M", value_parser = units::octets,
          conflicts_with = "replay")]
    buffer: u64,

    /// Take frames that are not for this machine, too: for a mirror port
    #[arg(long, help_heading = "Capture", conflicts_with = "replay")]
    promiscuous: bool,

    /// Write all frames that were taken to this file: pcapng, or pcap if it ends in .pcap
    #[arg(long, short, value_name = "FILE", help_heading = "Capture")]
    write: Option<PathBuf>,

    /// Begin another file at this size; FILE gets a number and the time: 100M
    #[arg(long, value_name = "SIZE", help_heading = "Capture", requires = "write", value_parser = units::octets)]
    rotate_size: Option<u64>,

    /// Keep so many files, and remove the oldest
    #[arg(long, value_name = "N", help_heading = "Capture", requires = "rotate_size",
          value_parser = clap::value_parser!(u32).range(1..))]
    rotate_count: Option<u32>,

    /// Form of the answer: text shows the screen (or, with --plain or without a terminal, a line an event) and then the
    /// report; ndjson a JSON object an event; json nothing but the report, at the end
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output", conflicts_with = "plain")]
    format: Format,

    /// Write to this file instead of standard output: events as they come, a report whole or not at all
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    /// When to colour text (NO_COLOR is honoured)
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output")]
    color: Color,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed >= 0.0 => Ok(speed),
        _ => Err("expected a factor: 1 as it was, 10 ten times as fast, 0 as fast as possible".into()),
    }
}

impl Arguments {
    /// Whether the screen is shown: both ends are a terminal, and nothing else was asked for.
    fn wants_screen(&self) -> bool {
        let to_people = self.format == Format::Text || (self.format == Format::Json && self.output.is_some());
        cfg!(feature = "tui") && !self.plain && to_people && io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    fn output(&self) -> Output {
        Output { format: self.format, output: self.output.clone(), color: self.color }
    }

    fn selection(&self) -> Selection {
        Selection::any_of(&self.pair)
    }

    /// Folders in which files will still be made.
    fn writable(&self, screen: bool) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> =
            [&self.write, &self.output].into_iter().flatten().map(|path| folder(path)).collect();
        if screen {
            // where `w` writes unless it is told otherwise
            folders.push(PathBuf::from("."));
        }
        folders.sort();
        folders.dedup();
        folders
    }

    /// Gives up what is no longer needed. Answers what the system does not let go of.
    #[cfg(feature = "live")]
    fn confine(&self, screen: bool) -> Vec<String> {
        if self.interface.is_empty() {
            // captures that are played are opened one by one
            return Vec::new();
        }
        let confinement = crate::capture::live::confine(&self.writable(screen));
        if confinement.is_complete() { Vec::new() } else { vec![confinement.to_string()] }
    }

    #[cfg(not(feature = "live"))]
    fn confine(&self, screen: bool) -> Vec<String> {
        let _ = self.writable(screen);
        Vec::new()
    }

    fn what(&self) -> String {
        let escaped = |text: &str| crate::report::escape::escape(text).into_owned();
        match self.replay.as_slice() {
            [] => escaped(&self.interface.join(", ")),
            [one] => {
                let name = one.file_name().unwrap_or(one.as_os_str());
                format!("replay of {}", escaped(&name.to_string_lossy()))
            }
            many => format!("replay of {} captures", many.len()),
        }
    }

    fn options(&self) -> Options {
        Options { ike_ports: self.ike_port.clone(), limits: self.memory.limits(), ..Options::default() }
    }

    fn open(&self) -> anyhow::Result<Origin> {
        if self.replay.is_empty() {
            return self.sniff();
        }
        let mut captures = Captures::open(&self.replay);
        pipeline::put_right(&mut captures, &self.options());
        Ok(Origin::Replay(Box::new(Replay::over(captures, self.speed))))
    }

    #[cfg(feature = "live")]
    fn sniff(&self) -> anyhow::Result<Origin> {
        use crate::capture::live::{SniffOptions, open};
        let sniffer = open(&SniffOptions {
            interfaces: self.interface.clone(),
            ike_ports: self.ike_port.clone(),
            filter: self.filter.clone(),
            buffer_octets: u32::try_from(self.buffer).unwrap_or(u32::MAX).min(i32::MAX as u32),
            promiscuous: self.promiscuous,
            ..SniffOptions::default()
        })?;
        Ok(Origin::Sniffer(Box::new(sniffer)))
    }

    #[cfg(not(feature = "live"))]
    fn sniff(&self) -> anyhow::Result<Origin> {
        anyhow::bail!("this program was built without live capture (feature `live`); --replay FILE works")
    }
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    let screen = arguments.wants_screen();
    let origin = arguments.open()?;
    if origin.infos().is_empty() {
        origin.errors().iter().for_each(|error| complain(&error.to_string()));
        return Ok(Status::Unreadable);
    }
    if !arguments.replay.is_empty() {
        arguments.output().spare(&origin.infos())?;
        arguments.write.iter().try_for_each(|path| spare(path, &origin.infos()))?;
    }
    let options = WriteOptions { rotate_octets: arguments.rotate_size, keep_files: arguments.rotate_count };
    let writer = arguments.write.as_deref().map(|path| Writer::create(path, options)).transpose()?;
    let plan = Plan::new(arguments.output(), screen)?;
    let missing = arguments.confine(screen);
    // threads keep the privileges that they were started with, so this is the first one
    let stop = Stop::listen()?;
    if !screen && arguments.output.is_none() && io::stderr().is_terminal() {
        let what = arguments.what();
        complain(&format!("listening to {what}; times are UTC; Ctrl-C ends with the report"));
    }
    let wanted = Wanted {
        options: arguments.options(),
        selection: arguments.selection(),
        duration: arguments.duration,
        what: arguments.what(),
    };
    let mut live = Live::new(origin, Face::open(plan)?, writer, wanted);
    missing.iter().for_each(|notice| live.notice(notice));
    let watched = live.watch(&stop);
    let finished = live.finish();
    watched?;
    let (report, failures) = finished?;
    failures.iter().for_each(|failure| complain(failure));
    if !failures.is_empty() {
        return Ok(Status::Unreadable);
    }
    let failed = report.findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if arguments.exit_code && failed { Status::Findings } else { Status::Read })
}
