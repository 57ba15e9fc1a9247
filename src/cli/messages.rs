//! `ikescope messages PATH...`: every IKE message by itself.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::str::FromStr;

use clap::Args;

use crate::base::{FrameRef, Timestamp};
use crate::capture::Captures;
use crate::messages::{Row, Writer};
use crate::packet::Datagram;
use crate::pipeline::{self, Extent, Options, Watch};
use crate::report::text::Palette;
use crate::report::{Selection, quantity};
use crate::track::Observed;

use super::input::{Input, complain_about, is_nothing};
use super::output::{Format, Output, Sink};
use super::progress::Progress;
use super::threads::Threads;
use super::window::Window;
use super::{Status, complain};

const EXAMPLES: &str = "\
Examples:
  ikescope messages vpn.pcap                     one line a message
  ikescope messages -v --frame 12 vpn.pcap       frame 12, field by field
  ikescope messages --pair 192.0.2.1 captures/
  ikescope messages --format ndjson vpn.pcap | jq -c '.payloads[] | select(.notify_name)'

A line reads: frame, time (UTC), source > destination, version, exchange, its place in it (MM1 is the first message of \
Main Mode), the first half of both SPIs, message id, flags (v1: E encrypted, C commit, A authentication only; v2: \
I from the initiator, R response, V higher version), length, payloads.";

/// Shows every IKE message.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    /// Only the message of this frame (C:N for frame N of capture C); may be repeated
    #[arg(long, value_name = "N", help_heading = "Selection", value_delimiter = ',')]
    frame: Vec<FrameName>,

    /// The whole tree: every payload, field and code point
    #[arg(long, short, help_heading = "Output")]
    verbose: bool,

    #[command(flatten)]
    threads: Threads,

    #[command(flatten)]
    output: Output,
}

/// A frame as the user names it: the number, and the capture if there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameName {
    capture: Option<u32>,
    frame: u64,
}

impl FrameName {
    fn is(self, reference: FrameRef) -> bool {
        self.frame == reference.frame && self.capture.is_none_or(|capture| capture == reference.capture)
    }
}

impl FromStr for FrameName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (capture, frame) = match text.split_once(':') {
            Some((capture, frame)) => (Some(capture.parse().ok()), frame),
            None => (None, text),
        };
        match (capture, frame.parse()) {
            (None | Some(Some(_)), Ok(frame)) if frame > 0 => Ok(Self { capture: capture.flatten(), frame }),
            _ => Err("expected a frame number from 1, or CAPTURE:NUMBER with captures from 0".to_owned()),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    let options = Options {
        ike_ports: arguments.input.ike_port.clone(),
        limits: arguments.input.memory.limits(),
        extent: Extent::Named,
        sharing: arguments.threads.sharing(),
    };
    let window = arguments.input.window()?;
    let selection = arguments.input.selection();
    let mut captures = arguments.input.open();
    if is_nothing(&captures) {
        return Ok(complain_about(&captures));
    }
    arguments.output.spare(&captures.infos())?;
    let progress = Progress::new(arguments.output.output.is_none() && io::stdout().is_terminal());
    let view = View::new(arguments, captures.infos().len() > 1)?;
    let mut onlooker = Onlooker { arguments, window, selection, progress, view, shown: Ok(()) };
    pipeline::follow(&mut captures, &options, &mut onlooker);
    onlooker.shown?;
    onlooker.progress.finish();
    if onlooker.view.rows == 0 && !onlooker.window.complain_if_missed(&captures) {
        complain(&arguments.nothing_of(&captures));
    }
    onlooker.view.finish()?;
    Ok(complain_about(&captures))
}

/// Shows every message that is wanted as it passes.
struct Onlooker<'a> {
    arguments: &'a Arguments,
    window: Window,
    selection: Selection,
    progress: Progress,
    view: View,
    shown: anyhow::Result<()>,
}

impl Watch for Onlooker<'_> {
    fn admits(&mut self, at: Timestamp) -> bool {
        self.window.admits(at)
    }

    fn admits_all(&mut self, first: Timestamp, earliest: Timestamp, latest: Timestamp) -> Option<bool> {
        self.window.admits_all(first, earliest, latest)
    }

    fn message(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        let wanted = self.selection.admits(datagram.source, datagram.destination) && self.arguments.admits(datagram);
        if wanted && let Some(row) = Row::new(datagram, observed) {
            self.shown = self.view.show(&row);
        }
        if self.shown.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn progress(&mut self, captures: &Captures) {
        self.progress.step(captures);
    }
}

impl Arguments {
    /// Whether the message came in a frame that is wanted.
    fn admits(&self, datagram: &Datagram<'_>) -> bool {
        let named = |frame: &FrameName| frame.is(datagram.frame) || frame.is(datagram.first_frame);
        self.frame.is_empty() || self.frame.iter().any(named)
    }
}

impl Arguments {
    /// What was looked for and is not there.
    fn nothing_of(&self, captures: &Captures) -> String {
        let wanted = match self.frame.as_slice() {
            [] if self.input.pair.is_empty() => String::new(),
            [] => " of these peers".to_owned(),
            [FrameName { capture: None, frame }] => format!(" in frame {frame}"),
            [FrameName { capture: Some(capture), frame }] => format!(" in frame {capture}:{frame}"),
            _ => " in these frames".to_owned(),
        };
        let infos = captures.infos();
        let frames = infos.iter().map(|info| info.frames).fold(0, u64::saturating_add);
        let all = quantity::counted(frames, "frame", "frames");
        let have = if infos.len() > 1 { "the captures have" } else { "the capture has" };
        format!("no IKE message{wanted}; {have} {all}")
    }
}

/// Octets that are handed on at once.
const BLOCK: usize = 32 << 10;

/// The rows on their way out.
struct View {
    sink: Sink,
    format: Format,
    verbose: bool,
    many_captures: bool,
    /// Every row is handed on as soon as it is there: somebody may be watching.
    flush: bool,
    rows: u64,
    writer: Writer,
    tree: String,
    /// Rows that were not handed on yet.
    out: Vec<u8>,
}

impl View {
    fn new(arguments: &Arguments, many_captures: bool) -> anyhow::Result<Self> {
        let in_color = arguments.output.style().palette != Palette::plain();
        Ok(Self {
            // lines are not coloured where nobody wants that, trees always
            sink: if arguments.verbose { arguments.output.open()? } else { arguments.output.open_as_it_is()? },
            format: arguments.output.format,
            verbose: arguments.verbose,
            many_captures,
            flush: arguments.input.is_live() && arguments.output.output.is_none(),
            rows: 0,
            writer: Writer::default().many_captures(many_captures).in_color(in_color),
            tree: String::new(),
            out: Vec::with_capacity(BLOCK.saturating_mul(2)),
        })
    }

    fn show(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        match self.format {
            Format::Text if self.verbose => {
                self.tree.clear();
                row.write_tree(&mut self.tree, self.many_captures);
                self.out.extend_from_slice(self.tree.as_bytes());
            }
            Format::Text => self.writer.line(row, &mut self.out),
            Format::Ndjson => self.writer.ndjson(row, &mut self.out),
            Format::Json => {
                self.out.extend_from_slice(if self.rows == 0 { b"[\n" } else { b",\n" });
                self.writer.json(row, &mut self.out);
            }
        }
        self.rows = self.rows.saturating_add(1);
        if self.flush || self.out.len() >= BLOCK {
            self.hand_on()?;
        }
        if self.flush {
            self.sink.flush()?;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> anyhow::Result<()> {
        self.sink.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        if self.format == Format::Json {
            self.out.extend_from_slice(if self.rows == 0 { b"[]\n" } else { b"\n]\n" });
        }
        self.hand_on()?;
        self.sink.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_named_by_number_or_by_capture_and_number() {
        let name = |text: &str| text.parse::<FrameName>();
        assert!(name("12").unwrap().is(FrameRef::new(3, 12)));
        assert!(name("1:12").unwrap().is(FrameRef::new(1, 12)));
        assert!(!name("1:12").unwrap().is(FrameRef::new(0, 12)));
        for text in ["0", "", "1:", ":1", "x", "1:0", "-1"] {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
