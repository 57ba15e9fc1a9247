//! The loop: takes what the source gives, judges when it is time, and tells whoever listens.
//!
//! Contract: a file that cannot be written on does not end the analysis, and is said; the last word is the report of
//! everything that came.

#[cfg(feature = "tui")]
use std::path::Path;
use std::time::{Duration, Instant};

use crate::base::{LinkType, Timestamp};
use crate::capture::{CaptureError, CaptureInfo, Drops, Frame, Heard, Ring, Source, Writer};
use crate::pipeline::{Options, Session, Standing};
#[cfg(feature = "tui")]
use crate::report::quantity;
use crate::report::quantity::counted;
use crate::report::{Report, Selection};
#[cfg(feature = "tui")]
use crate::tui::{Status, Wish};

use super::face::Face;
use super::origin::Origin;
use super::pace::Pace;
use super::stop::Stop;

/// How long the source may be waited for: with somebody at the keyboard, and without.
const WAIT: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(200));
/// Frames are taken one after another for so long, or so many of them, before anything else is looked after.
const BATCH: (Duration, u32) = (Duration::from_millis(50), 4096);
/// Octets of frames that are kept for `w`.
const KEPT: usize = 16 << 20;
/// Frames lost so recently are being lost now.
#[cfg_attr(not(feature = "tui"), expect(dead_code, reason = "only the screen tells"))]
const RECENTLY: Duration = Duration::from_secs(10);
/// Remarks about interfaces that the report repeats.
const NOTES: usize = 32;

/// What is wanted of a session.
pub(super) struct Wanted {
    /// How to look.
    pub options: Options,
    /// The pairs that are shown.
    pub selection: Selection,
    /// How long to go on.
    pub duration: Option<Duration>,
    /// What is listened to, for people; escaped.
    pub what: String,
}

/// A session under way.
pub(super) struct Live {
    origin: Origin,
    session: Session,
    face: Face,
    standing: Standing,
    pace: Pace,
    ring: Ring,
    writer: Option<Writer>,
    /// Names and link types of the interfaces, for files.
    interfaces: Vec<(String, LinkType)>,
    duration: Option<Duration>,
    #[cfg_attr(not(feature = "tui"), expect(dead_code, reason = "only the screen tells"))]
    what: String,
    began: Timestamp,
    drops: Drops,
    lost_at: Option<Timestamp>,
    notes: Vec<String>,
    /// Why nothing more will come.
    over: Option<String>,
    /// What went wrong, a line each.
    failures: Vec<String>,
}

/// What one look at the source brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brought {
    Frame,
    Nothing,
}

/// Tells a writer of the interfaces, before their first frames.
fn announce(interfaces: &[(String, LinkType)], writer: &mut Writer) {
    for ((name, link), number) in interfaces.iter().zip(0..) {
        writer.announce(number, name, *link);
    }
}

/// The name of the interface that a frame came from.
fn name<'a>(interfaces: &'a [(String, LinkType)], frame: &Frame<'_>) -> &'a str {
    let interface = usize::try_from(frame.interface).ok().and_then(|number| interfaces.get(number));
    interface.map_or("replay", |(name, _)| name.as_str())
}

impl Live {
    /// Begins.
    pub fn new(origin: Origin, face: Face, mut writer: Option<Writer>, wanted: Wanted) -> Self {
        let Wanted { options, selection, duration, what } = wanted;
        let interfaces = origin.interfaces();
        if let Some(writer) = &mut writer {
            announce(&interfaces, writer);
        }
        Self {
            session: Session::new(&options, selection),
            standing: Standing::default(),
            pace: Pace::new(origin.is_rushed()),
            ring: Ring::new(KEPT),
            interfaces,
            began: origin.now(),
            origin,
            face,
            writer,
            duration,
            what,
            drops: Drops::default(),
            lost_at: None,
            notes: Vec::new(),
            over: None,
            failures: Vec::new(),
        }
    }

    /// Something that a person should know; the report repeats it.
    pub fn notice(&mut self, text: &str) {
        let at = self.origin.now();
        self.face.notice(at, text);
        if self.notes.len() < NOTES {
            self.notes.push(format!("{}: {text}", at.to_utc().format("%H:%M:%S")));
        }
    }

    /// Goes on until a signal, a key, the time that was asked for, or the end of the source.
    ///
    /// Errors: nobody can be told any more.
    pub fn watch(&mut self, stop: &Stop) -> anyhow::Result<()> {
        loop {
            let began = Instant::now();
            let mut frames = 0;
            while self.take() == Brought::Frame && self.over.is_none() {
                frames += 1;
                let full = frames >= BATCH.1;
                // where nothing is waited for, the same frames are always one batch
                if full || (!self.origin.is_rushed() && began.elapsed() >= BATCH.0) || stop.is_asked() {
                    break;
                }
            }
            self.flush();
            let now = self.origin.now();
            if self.pace.is_time(now, self.session.weight()) {
                self.judge(now);
            }
            self.face.check()?;
            let timed_out = self.duration.is_some_and(|duration| now.since(self.began) >= duration);
            if stop.is_asked() || timed_out || (self.over.is_some() && !self.face.is_screen()) || self.obey()? {
                return Ok(());
            }
        }
    }

    /// Takes one thing from the source.
    fn take(&mut self) -> Brought {
        let wait = if self.face.is_screen() { WAIT.0 } else { WAIT.1 };
        if self.over.is_some() {
            std::thread::sleep(wait);
            return Brought::Nothing;
        }
        match self.origin.next(wait) {
            Ok(Heard::Frame(frame)) => {
                if self.session.frame(&frame, &mut self.face) {
                    self.pace.note();
                    if self.face.is_screen() {
                        self.ring.keep(&frame);
                    }
                }
                let name = name(&self.interfaces, &frame);
                let written = self.writer.as_mut().map_or(Ok(()), |writer| writer.write(&frame, name));
                self.wrote(written);
                return Brought::Frame;
            }
            Ok(Heard::Silence) => {
                let now = self.origin.now();
                self.session.advance(now, &mut self.face);
            }
            Ok(Heard::Notice(text)) => self.notice(&text),
            Ok(Heard::End) => self.end("the capture is over".into()),
            Err(error) => {
                self.failures.push(error.to_string());
                self.end(error.to_string());
            }
        }
        Brought::Nothing
    }

    /// Nothing more will come.
    fn end(&mut self, why: String) {
        self.over = Some(why);
        self.pace.note();
    }

    fn flush(&mut self) {
        let written = self.writer.as_mut().map_or(Ok(()), Writer::flush);
        self.wrote(written);
    }

    /// A file that cannot be written is given up.
    fn wrote(&mut self, written: Result<(), CaptureError>) {
        if let Err(error) = written {
            self.writer = None;
            let line = format!("{error}; frames are no longer written");
            self.failures.push(line.clone());
            self.notice(&line);
        }
    }

    fn count_losses(&mut self, now: Timestamp) {
        let drops = self.origin.drops();
        let lost = |drops: Drops| drops.kernel.saturating_add(drops.interface);
        if lost(drops) > lost(self.drops) {
            self.lost_at = Some(now);
            self.face.drops(now, drops);
        }
        self.drops = drops;
    }

    fn judge(&mut self, now: Timestamp) {
        self.count_losses(now);
        let infos = self.infos();
        let Self { pace, session, standing, face, over, .. } = self;
        let report = pace.judge(now, || {
            let report = session.report(infos, over.is_none());
            face.changes(now, &standing.update(&report));
            report
        });
        self.show(report, now);
    }

    #[cfg(not(feature = "tui"))]
    fn show(&mut self, _: Report, _: Timestamp) {}

    #[cfg(feature = "tui")]
    fn show(&mut self, report: Report, now: Timestamp) {
        let counts = self.session.counts();
        let sum = |numbers: &[u64]| numbers.iter().copied().fold(0, u64::saturating_add);
        let frames = report.captures.iter().map(|capture| capture.frames).fold(0, u64::saturating_add);
        let status = Status {
            source: self.what.clone(),
            began: self.began,
            now,
            frames,
            ike: counts.ike,
            esp: sum(&[counts.esp, counts.esp_udp, counts.ah]),
            lost: self.drops.kernel.saturating_add(self.drops.interface),
            losing: self.lost_at.is_some_and(|at| now.since(at) < RECENTLY),
            kept: (self.ring.frames().len() as u64, self.ring.forgotten()),
            rates: Vec::new(),
            ended: self.over.clone(),
        };
        self.face.show(report, status);
    }

    /// Obeys whoever sits at the screen. Answers whether it is to end.
    #[cfg(not(feature = "tui"))]
    fn obey(&mut self) -> anyhow::Result<bool> {
        Ok(false)
    }

    /// Obeys whoever sits at the screen. Answers whether it is to end.
    #[cfg(feature = "tui")]
    fn obey(&mut self) -> anyhow::Result<bool> {
        match self.face.step()? {
            None => Ok(false),
            Some(Wish::Quit) => Ok(true),
            Some(Wish::Write(path)) => {
                let said = match self.write_kept(&path) {
                    Ok(said) => said,
                    Err(error) => error.to_string(),
                };
                let now = self.origin.now();
                self.face.notice(now, &said);
                Ok(false)
            }
        }
    }

    /// Writes the frames that are kept to a file of their own.
    #[cfg(feature = "tui")]
    fn write_kept(&mut self, path: &Path) -> Result<String, CaptureError> {
        if path.exists() {
            return Ok(format!("{} is there already; nothing was written", path.display()));
        }
        let mut writer = Writer::create(path, crate::capture::WriteOptions::default())?;
        announce(&self.interfaces, &mut writer);
        for frame in self.ring.frames() {
            writer.write(&frame, name(&self.interfaces, &frame))?;
        }
        self.origin.note_drops(&mut writer);
        writer.finish()?;
        let frames = counted(self.ring.frames().len() as u64, "frame", "frames");
        let older = match self.ring.forgotten() {
            0 => String::new(),
            forgotten => {
                let were = if forgotten == 1 { "was" } else { "were" };
                format!(
                    "; {} {were} forgotten: more than {} are not kept",
                    counted(forgotten, "older one", "older ones"),
                    quantity::octets(KEPT as u64)
                )
            }
        };
        Ok(format!("wrote {frames} to {}{older}", path.display()))
    }

    fn infos(&self) -> Vec<CaptureInfo> {
        self.origin.infos()
    }

    /// Closes files, tells the last changes and the whole report. Answers it, with what went wrong on the way.
    ///
    /// Errors: nobody can be told.
    pub fn finish(mut self) -> anyhow::Result<(Report, Vec<String>)> {
        if let Some(mut writer) = self.writer.take() {
            self.origin.note_drops(&mut writer);
            if let Some(until) = self.session.watched_until() {
                writer.watched_until(until);
            }
            if let Err(error) = writer.finish() {
                self.failures.push(error.to_string());
            }
        }
        let now = self.origin.now();
        self.count_losses(now);
        let mut infos = self.infos();
        if let Some(info) = infos.first_mut() {
            info.notes.extend(self.notes);
            let Drops { kernel, interface, .. } = self.drops;
            if matches!(self.origin, Origin::Replay(_)) {
                // its own files say what was lost
            } else if kernel > 0 {
                let frames = counted(kernel, "frame", "frames");
                info.notes.push(format!("{frames} came faster than this program took them: --buffer gives more room"));
            } else if interface > 0 {
                info.notes.push(format!("{} lost by the interface itself", counted(interface, "frame", "frames")));
            }
        }
        self.failures.extend(self.origin.errors().iter().map(ToString::to_string));
        let report = self.session.finish(infos, &mut self.face);
        self.face.changes(now, &self.standing.update(&report));
        self.face.end(now, &report)?;
        Ok((report, self.failures))
    }
}
