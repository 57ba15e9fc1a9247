//! Capture files as they are written while frames come in: pcapng, or classic pcap, in one file or a ring of them.
//!
//! | path | format |
//! |---|---|
//! | ends in `.pcap`, and all frames have one link type | pcap 2.4 with nanoseconds |
//! | all others | pcapng: one section, an interface block each, nanoseconds, statistics at the end |
//!
//! With a size to rotate at, `vpn.pcapng` stands for `vpn_00001_20261121095044.pcapng` and so on: number, and the time
//! of its first frame in UTC (of the first file: when it was made). The oldest is removed when there are too many.
//!
//! Not here: how frames are read again, where frames come from. Contract: a frame is in the file in full once
//! [`Writer::flush`] has answered, in the order in which it was written, and with the same octets; every error names
//! the file.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::error::Refusal;
use super::{CaptureError, Drops, Frame};
use crate::base::{LinkType, Timestamp};

/// When to begin another file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// A file is not made larger than this, in octets, unless a single frame is; `None`: there is one file.
    pub rotate_octets: Option<u64>,
    /// So many files are kept, at least one; `None`: all. Counts only where files are rotated.
    pub keep_files: Option<u32>,
}

/// Writes frames to capture files.
#[derive(Debug)]
pub struct Writer {
    /// As it was asked for.
    path: PathBuf,
    options: WriteOptions,
    /// The file being written.
    file: Output,
    /// The files of this writer that exist, the oldest first.
    files: VecDeque<PathBuf>,
    /// Files begun.
    number: u32,
    interfaces: Vec<Interface>,
    scratch: Vec<u8>,
}

/// One file.
#[derive(Debug)]
struct Output {
    path: PathBuf,
    sink: BufWriter<File>,
    /// `None` until something is written.
    form: Option<Form>,
    octets: u64,
    frames: u64,
    /// Its interface blocks, by place in [`Writer::interfaces`].
    blocks: Vec<usize>,
    last: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Pcap(LinkType),
    Pcapng,
}

/// An interface with one link type. One that comes back with another link type is another here.
#[derive(Debug)]
struct Interface {
    number: u32,
    link: LinkType,
    name: String,
    drops: Drops,
    /// What of `drops` the files before this one have said.
    said: Drops,
}

/// Codes of pcapng (draft-ietf-opsawg-pcapng §4).
mod code {
    pub const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub const INTERFACE_DESCRIPTION: u32 = 1;
    pub const INTERFACE_STATISTICS: u32 = 5;
    pub const ENHANCED_PACKET: u32 = 6;
    pub const SHB_USERAPPL: u16 = 4;
    pub const IF_NAME: u16 = 2;
    pub const IF_TSRESOL: u16 = 9;
    pub const ISB_IFDROP: u16 = 5;
    pub const ISB_FILTERACCEPT: u16 = 6;
    pub const ISB_OSDROP: u16 = 7;
}

/// The resolution of all time stamps: 10^-9 s.
const NANOSECONDS: u8 = 9;
/// The snap length that pcap files claim: what readers take at most.
const PCAP_SNAP: u32 = 262_144;

impl Writer {
    /// Makes the first file, or empties it if it is there.
    ///
    /// Errors: the file cannot be made.
    pub fn create(path: &Path, options: WriteOptions) -> Result<Self, CaptureError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let first = match options.rotate_octets {
            Some(_) => numbered(path, 1, Timestamp::default().after(now)),
            None => path.to_owned(),
        };
        let file = Output::create(first)?;
        Ok(Self {
            path: path.to_owned(),
            options,
            files: VecDeque::from([file.path.clone()]),
            file,
            number: 1,
            interfaces: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// Names an interface before its first frame. If all are named first, they have the numbers in the file that
    /// they have in [`Frame::interface`], and a `.pcap` file that needs several link types is made as pcapng.
    pub fn announce(&mut self, interface: u32, name: &str, link: LinkType) {
        self.place(interface, name, link);
    }

    /// Takes the losses of an interface so far, as totals, to be put at the end of the file. Who knows the sum over all
    /// interfaces only gives it for interface 0.
    pub fn note_drops(&mut self, interface: u32, drops: Drops) {
        // Of several with this number, the last is the one that is there.
        if let Some(interface) = self.interfaces.iter_mut().rfind(|known| known.number == interface) {
            interface.drops = drops;
        }
    }

    /// Says up to when was watched, frames or not: written with the statistics at the end of a pcapng file, so that who reads
    /// it knows how long the silence after the last frame lasted.
    pub fn watched_until(&mut self, at: Timestamp) {
        self.file.last = self.file.last.max(at);
    }

    /// Adds a frame. `interface_name` counts at the first frame of an interface.
    ///
    /// Errors: the disk is full, the folder cannot be written to; the frame may then be in the file in part.
    pub fn write(&mut self, frame: &Frame<'_>, interface_name: &str) -> Result<(), CaptureError> {
        let place = self.place(frame.interface, interface_name, frame.link);
        let is_new_link = matches!(self.file.form, Some(Form::Pcap(link)) if link != frame.link);
        let is_full = self.options.rotate_octets.is_some_and(|most| {
            self.file.frames > 0 && self.file.octets.saturating_add(self.cost(place, frame)) > most
        });
        if is_new_link || is_full {
            self.rotate(frame.at)?;
        }
        let form = self.begin(frame.link)?;
        match form {
            Form::Pcap(_) => self.write_record(frame)?,
            Form::Pcapng => self.write_packet(place, frame)?,
        }
        self.file.frames += 1;
        self.file.last = frame.at;
        Ok(())
    }

    /// Hands everything to the system.
    ///
    /// Errors: as for [`Writer::write`].
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        self.file.sink.flush().map_err(|error| failed(error, &self.file.path))
    }

    /// Ends the file: what was lost, and then everything to the system. A file without frames has a header.
    ///
    /// Errors: as for [`Writer::write`].
    pub fn finish(mut self) -> Result<(), CaptureError> {
        let link = self.interfaces.first().map_or(LinkType::ETHERNET, |interface| interface.link);
        self.begin(link)?;
        self.end()
    }

    /// The file that is being written.
    pub fn current(&self) -> &Path {
        &self.file.path
    }

    /// The files that hold what was written and not removed since, the oldest first.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// Where in the list of interfaces `number` stands with this link type.
    fn place(&mut self, number: u32, name: &str, link: LinkType) -> usize {
        let link = registered(link);
        let known = self.interfaces.iter().position(|known| known.number == number && known.link == link);
        known.unwrap_or_else(|| {
            let (drops, said) = (Drops::default(), Drops::default());
            self.interfaces.push(Interface { number, link, name: name.to_owned(), drops, said });
            self.interfaces.len() - 1
        })
    }

    /// Octets that `frame` adds to the file at most, statistics at its end included.
    fn cost(&self, place: usize, frame: &Frame<'_>) -> u64 {
        const BLOCK: u64 = 32 + 3;
        const DESCRIPTION: u64 = 40 + 3;
        const STATISTICS: u64 = 64;
        let described = self.file.blocks.contains(&place);
        let name = self.interfaces.get(place).map_or(0, |interface| interface.name.len() as u64);
        let statistics = STATISTICS * (self.file.blocks.len() as u64 + 1);
        frame.bytes.len() as u64 + BLOCK + statistics + if described { 0 } else { DESCRIPTION + name }
    }

    /// Writes the header if there is none yet.
    fn begin(&mut self, link: LinkType) -> Result<Form, CaptureError> {
        if let Some(form) = self.file.form {
            return Ok(form);
        }
        let classic = self.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pcap"));
        let link = registered(link);
        let one_link = self.interfaces.iter().all(|interface| interface.link == link);
        let form = if classic && one_link { Form::Pcap(link) } else { Form::Pcapng };
        self.scratch.clear();
        match form {
            Form::Pcap(link) => {
                let octets = &mut self.scratch;
                octets.extend(0xa1b2_3c4d_u32.to_le_bytes());
                octets.extend([2, 0, 4, 0]);
                octets.extend([0; 8]);
                octets.extend(PCAP_SNAP.to_le_bytes());
                octets.extend(link.0.to_le_bytes());
            }
            Form::Pcapng => {
                let program = concat!("ikescope ", env!("CARGO_PKG_VERSION"));
                block(&mut self.scratch, code::SECTION_HEADER, |body| {
                    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
                    // version 1.0; the length of the section is not known
                    body.extend([1, 0, 0, 0]);
                    body.extend([0xff; 8]);
                    option(body, code::SHB_USERAPPL, program.as_bytes());
                    body.extend([0; 4]);
                });
            }
        }
        self.file.form = Some(form);
        self.put()?;
        if form == Form::Pcapng {
            for place in 0..self.interfaces.len() {
                self.describe(place)?;
            }
        }
        Ok(form)
    }

    /// Writes the block of an interface.
    fn describe(&mut self, place: usize) -> Result<(), CaptureError> {
        let Some(interface) = self.interfaces.get(place) else { return Ok(()) };
        self.scratch.clear();
        block(&mut self.scratch, code::INTERFACE_DESCRIPTION, |body| {
            body.extend(u16::try_from(interface.link.0).unwrap_or(u16::MAX).to_le_bytes());
            body.extend([0; 2]);
            // no snap length is claimed
            body.extend([0; 4]);
            option(body, code::IF_NAME, interface.name.as_bytes());
            option(body, code::IF_TSRESOL, &[NANOSECONDS]);
            body.extend([0; 4]);
        });
        self.file.blocks.push(place);
        self.put()
    }

    fn write_record(&mut self, frame: &Frame<'_>) -> Result<(), CaptureError> {
        let nanos = frame.at.as_nanos();
        // The format counts seconds from 1970 to 2106.
        let seconds = u32::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(if nanos < 0 { 0 } else { u32::MAX });
        let fraction = nanos.rem_euclid(1_000_000_000) as u32;
        let len = recorded(frame);
        self.scratch.clear();
        for word in [seconds, fraction, len, frame.wire_len.max(len)] {
            self.scratch.extend(word.to_le_bytes());
        }
        self.scratch.extend(frame.bytes);
        self.put()
    }

    fn write_packet(&mut self, place: usize, frame: &Frame<'_>) -> Result<(), CaptureError> {
        if !self.file.blocks.contains(&place) {
            self.describe(place)?;
        }
        let number = self.file.blocks.iter().position(|&known| known == place).unwrap_or(0);
        self.scratch.clear();
        block(&mut self.scratch, code::ENHANCED_PACKET, |body| {
            body.extend((number as u32).to_le_bytes());
            time(body, frame.at);
            let len = recorded(frame);
            body.extend(len.to_le_bytes());
            body.extend(frame.wire_len.max(len).to_le_bytes());
            body.extend(frame.bytes);
            body.resize(body.len().next_multiple_of(4), 0);
        });
        self.put()
    }

    /// Writes what `scratch` holds.
    fn put(&mut self) -> Result<(), CaptureError> {
        self.file.sink.write_all(&self.scratch).map_err(|error| failed(error, &self.file.path))?;
        self.file.octets = self.file.octets.saturating_add(self.scratch.len() as u64);
        Ok(())
    }

    /// Writes what was lost while this file was written, and hands everything to the system.
    fn end(&mut self) -> Result<(), CaptureError> {
        if self.file.form == Some(Form::Pcapng) {
            for (number, place) in self.file.blocks.clone().into_iter().enumerate() {
                let Some(interface) = self.interfaces.get_mut(place) else { continue };
                let (now, before) = (interface.drops, interface.said);
                interface.said = now;
                self.scratch.clear();
                block(&mut self.scratch, code::INTERFACE_STATISTICS, |body| {
                    body.extend((number as u32).to_le_bytes());
                    time(body, self.file.last);
                    let count = |now: u64, before: u64| now.saturating_sub(before).to_le_bytes();
                    option(body, code::ISB_IFDROP, &count(now.interface, before.interface));
                    option(body, code::ISB_FILTERACCEPT, &count(now.received, before.received));
                    option(body, code::ISB_OSDROP, &count(now.kernel, before.kernel));
                    body.extend([0; 4]);
                });
                self.put()?;
            }
        }
        self.flush()
    }

    /// Ends this file and begins the next, whose first frame is of `at`.
    fn rotate(&mut self, at: Timestamp) -> Result<(), CaptureError> {
        self.end()?;
        let number = self.number.saturating_add(1);
        self.file = Output::create(numbered(&self.path, number, at))?;
        self.number = number;
        self.files.push_back(self.file.path.clone());
        let Some(most) = self.options.keep_files.filter(|_| self.options.rotate_octets.is_some()) else {
            return Ok(());
        };
        while self.files.len() > most.max(1) as usize {
            let Some(oldest) = self.files.pop_front() else { break };
            match fs::remove_file(&oldest) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(refused("cannot be removed", error, &oldest));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Output {
    fn create(path: PathBuf) -> Result<Self, CaptureError> {
        let file = File::create(&path).map_err(|error| refused("cannot be made", error, &path))?;
        Ok(Self {
            path,
            sink: BufWriter::with_capacity(1 << 16, file),
            form: None,
            octets: 0,
            frames: 0,
            blocks: Vec::new(),
            last: Timestamp::default(),
        })
    }
}

/// The number that pcap files use for what some systems number differently: raw IP.
fn registered(link: LinkType) -> LinkType {
    match link {
        LinkType::RAW_BSD | LinkType::RAW_OPENBSD => LinkType::RAW,
        link => link,
    }
}

fn recorded(frame: &Frame<'_>) -> u32 {
    u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX)
}

/// `vpn.pcapng` as the file of this number: `vpn_00002_20261121095044.pcapng`.
fn numbered(path: &Path, number: u32, at: Timestamp) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_{number:05}_{}", at.to_utc().format("%Y%m%d%H%M%S")));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn failed(error: io::Error, path: &Path) -> CaptureError {
    refused("cannot be written", error, path)
}

fn refused(what: &str, error: io::Error, path: &Path) -> CaptureError {
    let mut error = Refusal::from(error).at(path, None);
    error.reason = format!("{what}: {}", error.reason);
    error
}

/// Adds a block; what `fill` adds must be a multiple of four octets.
fn block(octets: &mut Vec<u8>, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = octets.len();
    octets.extend(kind.to_le_bytes());
    octets.extend([0; 4]);
    fill(octets);
    let len = u32::try_from(octets.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(place) = octets.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&len);
    }
    octets.extend(len);
}

/// Adds an option of a block.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..value.len().min(usize::from(u16::MAX))).unwrap_or_default();
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// Adds a time stamp: upper half, then lower half.
fn time(body: &mut Vec<u8>, at: Timestamp) {
    // The format counts from 1970 on.
    let nanos = u64::try_from(at.as_nanos()).unwrap_or(0);
    body.extend(((nanos >> 32) as u32).to_le_bytes());
    body.extend((nanos as u32).to_le_bytes());
}
