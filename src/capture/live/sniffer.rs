//! Frames from interfaces, as they pass.
//!
//! Every interface has a handle of its own, which never blocks; [`poll`] waits for all of them. What a handle holds is
//! taken in batches, and the frames of several interfaces are put in order of time: one is given out as soon as every
//! other interface has shown a later frame or had [`SETTLE`] to show an earlier one.
//!
//! libpcap's immediate mode is not used, though frames are shown at once, as people count: the kernel hands over a
//! block of the ring when it is full or [`HOLD`] after its first frame. In immediate mode every frame takes as much of
//! the ring as the largest that can come, so that 32 MiB hold 512 frames instead of 20,000 of 1,400 octets, and a burst
//! of ESP while the screen is drawn would be lost.
//!
//! An interface that goes down keeps its handle, which hears again by itself. One that disappears is opened again when
//! there is one of its name.
//!
//! Not here: what the kernel's filter admits (`filter`), what this process may still do (`confine`). Contract: the
//! whole session is one capture, number 0; its frames are numbered from 1 over all interfaces, in the order in which
//! they are given out.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pcap::{Active, Capture, Precision};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{LiveError, available, filter, refusal};
use crate::base::{FrameRef, LinkType, Timestamp};
use crate::capture::{CaptureError, CaptureInfo, Drops, Frame, Heard, Source, shown_path};

/// How long the kernel holds back a frame for others to be handed over with it.
const HOLD: Duration = Duration::from_millis(10);
/// How long a frame waits for an earlier one of another interface: [`HOLD`], and what a busy machine adds to it.
const SETTLE: Duration = Duration::from_millis(30);
/// How often what is away is looked for, and what is there is looked after.
const LOOK: Duration = Duration::from_millis(250);
/// Frames taken from a handle at a time.
const BATCH: usize = 256;
/// The interface that stands for all of them.
const ANY: &str = "any";
/// The ring that is tried when there is no memory for the one that was asked for.
const SMALL_RING: u32 = 2 << 20;

/// What to capture on, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SniffOptions {
    /// Names of interfaces, or `any`. One named twice is opened once.
    pub interfaces: Vec<String>,
    /// Ports that carry IKE besides 500 and 4500.
    pub ike_ports: Vec<u16>,
    /// In libpcap's language, what frames must be besides what the kernel filter admits.
    pub filter: Option<String>,
    /// The kernel's ring for each interface, in octets.
    pub buffer_octets: u32,
    /// Octets of a frame that are captured at most.
    pub snap_length: u32,
    /// Whether frames that are not for this machine are heard, too.
    pub promiscuous: bool,
}

impl Default for SniffOptions {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            ike_ports: Vec::new(),
            filter: None,
            buffer_octets: 32 << 20,
            snap_length: 65_535,
            promiscuous: false,
        }
    }
}

/// Captures on interfaces.
#[derive(Debug)]
pub struct Sniffer {
    options: SniffOptions,
    taps: Vec<Tap>,
    /// Where the frame that was given out last stands.
    given: Option<usize>,
    /// When the frame that is to be given out next was first held back.
    held: Option<Instant>,
    /// Every interface has shown what it heard up to here.
    shown_until: Timestamp,
    looked: Instant,
    info: CaptureInfo,
}

/// One interface.
#[derive(Debug)]
struct Tap {
    name: String,
    link: LinkType,
    handle: Option<Handle>,
    /// What a person was told last.
    presence: Presence,
    /// Since when there is reason to doubt that. What was heard before is shown first.
    disturbed: Option<Instant>,
    /// What a person is yet to be told, once the frames that were heard before it are given out.
    notices: VecDeque<String>,
    queue: Queue,
    /// Of the handles before this one, too.
    drops: Drops,
    losses: Vec<Losses>,
    filter: String,
}

/// Whether an interface can be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Presence {
    Up,
    Down,
    Gone,
    /// There, and not to be opened; why.
    Refused(String),
}

struct Handle {
    capture: Capture<Active>,
    /// The kernel's number of the interface.
    index: Option<u32>,
    /// The kernel's flags of the interface. The file stays open, since it cannot be opened once this process is confined.
    flags: Option<File>,
    /// Counters as they were read last. They are 32 bits wide and run over.
    received: u32,
    dropped: u32,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("index", &self.index).finish_non_exhaustive()
    }
}

/// Frames taken from a handle and not yet given out.
#[derive(Debug, Default)]
struct Queue {
    octets: Vec<u8>,
    frames: VecDeque<Taken>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    at: Timestamp,
    place: usize,
    len: usize,
    wire_len: u32,
}

/// A counter that the driver keeps. The file stays open, since it cannot be opened once this process is confined.
#[derive(Debug)]
struct Losses {
    file: File,
    last: u64,
}

/// Opens the interfaces for capture.
///
/// Errors: libpcap is missing, an interface is unknown or down, this process may not capture, the filter is none.
pub fn open(options: &SniffOptions) -> Result<Sniffer, LiveError> {
    available()?;
    let mut options = options.clone();
    let mut names: Vec<String> = Vec::new();
    for name in options.interfaces.drain(..) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    options.interfaces = names;
    if options.interfaces.is_empty() {
        return Err(LiveError::NoneNamed);
    }
    let taps = options.interfaces.iter().map(|name| Tap::open(name, &options)).collect::<Result<_, _>>()?;
    let info = CaptureInfo {
        watched_until: None,
        path: PathBuf::from(options.interfaces.join(",")),
        format: "live",
        compression: None,
        link_types: Vec::new(),
        frames: 0,
        octets: 0,
        snapped: 0,
        first: None,
        last: None,
        cut_short: false,
        dropped: Some(0),
        notes: Vec::new(),
    };
    Ok(Sniffer {
        options,
        taps,
        given: None,
        held: None,
        shown_until: Timestamp::from_nanos(i64::MIN),
        looked: Instant::now(),
        info,
    })
}

impl Sniffer {
    /// Name and link type of each interface, by [`Frame::interface`].
    pub fn interfaces(&self) -> impl Iterator<Item = (&str, LinkType)> {
        self.taps.iter().map(|tap| (tap.name.as_str(), tap.link))
    }

    /// What was received and lost on each interface so far, by [`Frame::interface`].
    pub fn drops_by_interface(&mut self) -> Vec<Drops> {
        self.taps.iter_mut().for_each(Tap::count);
        self.taps.iter().map(|tap| tap.drops).collect()
    }

    /// The filter text that the kernel got for each interface, by [`Frame::interface`].
    pub fn filters(&self) -> impl Iterator<Item = &str> {
        self.taps.iter().map(|tap| tap.filter.as_str())
    }

    /// Looks after interfaces that may have gone or come back.
    fn look(&mut self) {
        let due = self.looked.elapsed() >= LOOK;
        if due {
            self.looked = Instant::now();
        }
        for tap in &mut self.taps {
            let settled = tap.disturbed.is_some_and(|since| since.elapsed() >= SETTLE);
            if settled || (due && tap.disturbed.is_none()) {
                tap.look(&self.options);
            }
        }
    }

    /// Waits until a handle with an empty queue has something, and takes it. `false`: the wait was cut short by
    /// a signal.
    fn take(&mut self, wait: Duration) -> Result<bool, CaptureError> {
        let asked = now();
        let (mut places, mut fds) = (Vec::new(), Vec::new());
        for (place, tap) in self.taps.iter().enumerate() {
            if let Some(handle) = tap.handle.as_ref().filter(|_| tap.queue.frames.is_empty()) {
                places.push(place);
                fds.push(PollFd::new(&handle.capture, PollFlags::IN));
            }
        }
        let wait =
            Timespec { tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX), tv_nsec: wait.subsec_nanos().into() };
        match poll(&mut fds, Some(&wait)) {
            Ok(_) => {}
            Err(error) if error == rustix::io::Errno::INTR => return Ok(false),
            Err(error) => return Err(self.failed(io::Error::from(error).to_string())),
        }
        let ready: Vec<(usize, PollFlags)> = places.into_iter().zip(fds.iter().map(PollFd::revents)).collect();
        for (place, flags) in ready {
            let Some(tap) = self.taps.get_mut(place) else { continue };
            if flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
                tap.disturbed.get_or_insert_with(Instant::now);
            }
            if !flags.is_empty() {
                tap.fill();
            }
        }
        let settle = i64::try_from(SETTLE.as_nanos()).unwrap_or(0);
        self.shown_until = Timestamp::from_nanos(asked.as_nanos().saturating_sub(settle));
        Ok(true)
    }

    /// The interface whose frame is the earliest, the time of that frame, and whether all others have a later one.
    fn earliest(&self) -> Option<(usize, Timestamp, bool)> {
        let heads = self.taps.iter().enumerate().filter_map(|(place, tap)| Some((tap.queue.frames.front()?.at, place)));
        let (at, place) = heads.min()?;
        let all = self.taps.iter().all(|tap| tap.handle.is_none() || !tap.queue.frames.is_empty());
        Some((place, at, all))
    }

    fn failed(&self, reason: String) -> CaptureError {
        CaptureError { path: self.info.path.clone(), frame: Some(self.info.frames), octet: None, reason }
    }
}

impl Source for Sniffer {
    fn next(&mut self, wait: Duration) -> Result<Heard<'_>, CaptureError> {
        let started = Instant::now();
        if let Some(tap) = self.given.take().and_then(|place| self.taps.get_mut(place)) {
            tap.queue.step();
            if tap.queue.frames.is_empty() {
                // There may be more of the same burst in the ring.
                self.shown_until = Timestamp::from_nanos(i64::MIN);
            }
        }
        let place = loop {
            self.look();
            if let Some(notice) = self.taps.iter_mut().find_map(Tap::notice) {
                return Ok(Heard::Notice(notice));
            }
            let left = wait.saturating_sub(started.elapsed());
            let earliest = self.earliest();
            let pause = match earliest {
                Some((place, at, all)) if all || at <= self.shown_until => break place,
                Some((place, ..)) => {
                    let held = self.held.get_or_insert(started).elapsed();
                    // A clock that was set back must not hold a frame for ever.
                    if held >= 2 * SETTLE {
                        break place;
                    }
                    left.min(SETTLE)
                }
                None if self.taps.iter().any(|tap| tap.disturbed.is_some()) => left.min(HOLD),
                None => left.min(LOOK),
            };
            let whole = self.take(pause)?;
            let news = self.earliest().is_some() && earliest.is_none();
            if !news && self.taps.iter().all(|tap| tap.notices.is_empty()) && (!whole || started.elapsed() >= wait) {
                return Ok(Heard::Silence);
            }
        };
        self.held = None;
        let frame = match self.taps.get(place).and_then(|tap| Some((tap, tap.queue.frames.front()?))) {
            None => return Ok(Heard::Silence),
            Some((tap, taken)) => {
                self.given = Some(place);
                let info = &mut self.info;
                info.frames += 1;
                info.octets = info.octets.saturating_add(taken.len as u64);
                info.snapped += u64::from(taken.wire_len as usize > taken.len);
                info.first = Some(info.first.map_or(taken.at, |first| first.min(taken.at)));
                info.last = Some(info.last.map_or(taken.at, |last| last.max(taken.at)));
                if !info.link_types.contains(&tap.link) {
                    info.link_types.push(tap.link);
                }
                Frame {
                    reference: FrameRef::new(0, info.frames),
                    at: taken.at,
                    link: tap.link,
                    interface: place as u32,
                    bytes: tap.queue.octets.get(taken.place..taken.place + taken.len).unwrap_or_default(),
                    wire_len: taken.wire_len,
                }
            }
        };
        Ok(Heard::Frame(frame))
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn drops(&mut self) -> Drops {
        let all = self.drops_by_interface().into_iter().fold(Drops::default(), |sum, one| Drops {
            received: sum.received.saturating_add(one.received),
            kernel: sum.kernel.saturating_add(one.kernel),
            interface: sum.interface.saturating_add(one.interface),
        });
        self.info.dropped = Some(all.kernel.saturating_add(all.interface));
        all
    }

    fn infos(&self) -> Vec<CaptureInfo> {
        vec![self.info.clone()]
    }
}

impl Tap {
    fn open(name: &str, options: &SniffOptions) -> Result<Self, LiveError> {
        let mut tap = Self {
            name: name.to_owned(),
            link: LinkType::ETHERNET,
            handle: None,
            presence: Presence::Up,
            disturbed: None,
            notices: VecDeque::new(),
            queue: Queue::default(),
            drops: Drops::default(),
            losses: Vec::new(),
            filter: String::new(),
        };
        tap.reopen(options)?;
        Ok(tap)
    }

    /// Opens the interface, with its filter.
    fn reopen(&mut self, options: &SniffOptions) -> Result<(), LiveError> {
        let index = index(&self.name);
        let mut capture = match activate(&self.name, options, options.buffer_octets) {
            Err(error) if options.buffer_octets > SMALL_RING && is_memory(&error) => {
                let capture = activate(&self.name, options, SMALL_RING).map_err(|error| refusal(&self.name, &error))?;
                self.notices.push_back(format!(
                    "{}: no memory for a ring of {} octets; it has {SMALL_RING}",
                    self.shown(),
                    options.buffer_octets
                ));
                capture
            }
            other => other.map_err(|error| refusal(&self.name, &error))?,
        };
        let link = link_type(capture.get_datalink().0);
        let chosen = filter::choose(link, &options.ike_ports, options.filter.as_deref(), &|text| {
            capture.compile(text, true).map(drop).map_err(|error| error.to_string())
        })?;
        capture.filter(&chosen.text, true).map_err(|error| LiveError::Pcap(error.to_string()))?;
        if let Some(left_out) = chosen.left_out {
            self.notices.push_back(format!("{}: {left_out}", self.shown()));
        }
        self.filter = chosen.text;
        let known = kernel_folder(&self.name, index);
        self.losses = known.as_deref().map(losses).unwrap_or_default();
        self.link = link;
        let flags = known.and_then(|folder| File::open(folder.join("flags")).ok());
        self.handle = Some(Handle { capture, index, flags, received: 0, dropped: 0 });
        Ok(())
    }

    /// What is to be told now.
    fn notice(&mut self) -> Option<String> {
        if self.queue.frames.is_empty() { self.notices.pop_front() } else { None }
    }

    fn shown(&self) -> String {
        shown_path(Path::new(&self.name))
    }

    /// Takes what the handle has.
    fn fill(&mut self) {
        let Some(handle) = self.handle.as_mut().filter(|_| self.queue.frames.is_empty()) else { return };
        let queue = &mut self.queue;
        queue.octets.clear();
        if handle.capture.dispatch(Some(BATCH), |packet| queue.push(&packet)).is_err() {
            self.disturbed.get_or_insert_with(Instant::now);
        }
    }

    /// Sees whether the interface is there, up, and still the same one.
    fn look(&mut self, options: &SniffOptions) {
        if self.name == ANY {
            self.disturbed = None;
            return;
        }
        let index = index(&self.name);
        let same = self.handle.as_ref().is_some_and(|handle| handle.index == index);
        if !same && self.handle.is_some() && self.disturbed.is_none() {
            self.disturbed = Some(Instant::now());
            return;
        }
        if self.disturbed.is_some() {
            self.fill();
            if !self.queue.frames.is_empty() {
                // What was heard before is given out first.
                return;
            }
        }
        let disturbed = self.disturbed.take().is_some();
        if !same {
            self.count();
            self.handle = None;
        }
        let presence = match (index, &self.handle) {
            (None, _) => Presence::Gone,
            (Some(_), Some(handle)) => {
                let doubtful = disturbed || self.presence != Presence::Up;
                let up =
                    handle.is_up().unwrap_or_else(|| !doubtful || activate(&self.name, options, SMALL_RING).is_ok());
                if up { Presence::Up } else { Presence::Down }
            }
            (Some(_), None) => match self.reopen(options) {
                Ok(()) => Presence::Up,
                Err(LiveError::Down { .. }) => Presence::Down,
                Err(LiveError::Unknown { .. }) => Presence::Gone,
                Err(error) => Presence::Refused(error.to_string()),
            },
        };
        let told = match (&presence, &self.presence) {
            (Presence::Up, Presence::Up) if same && disturbed => "was down for a moment",
            (Presence::Up, Presence::Up) if !same => "was removed and made again; it is listened to again",
            (now, before) if now == before => return,
            (Presence::Up, _) => "is back, and is listened to again",
            (Presence::Down, _) => "is down; it is listened to again when it is up",
            (Presence::Gone, _) => "is gone; it is listened to again when there is one of its name",
            (Presence::Refused(reason), _) => &format!("cannot be listened to: {reason}"),
        };
        self.notices.push_back(format!("{} {told}", self.shown()));
        self.presence = presence;
    }

    /// Brings the totals up to date.
    fn count(&mut self) {
        if let Some(handle) = &mut self.handle
            && let Ok(stats) = handle.capture.stats()
        {
            self.drops.received += u64::from(stats.received.wrapping_sub(handle.received));
            self.drops.kernel += u64::from(stats.dropped.wrapping_sub(handle.dropped));
            (handle.received, handle.dropped) = (stats.received, stats.dropped);
        }
        for losses in &mut self.losses {
            if let Some(total) = losses.read() {
                self.drops.interface += total.saturating_sub(losses.last);
                losses.last = total;
            }
        }
    }
}

impl Handle {
    /// Whether the interface is switched on, if the kernel says.
    fn is_up(&self) -> Option<bool> {
        const IFF_UP: u32 = 1;
        let text = read(self.flags.as_ref()?)?;
        Some(u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()? & IFF_UP != 0)
    }
}

impl Queue {
    fn push(&mut self, packet: &pcap::Packet<'_>) {
        let place = self.octets.len();
        self.octets.extend_from_slice(packet.data);
        self.frames.push_back(Taken {
            at: stamp(packet.header),
            place,
            len: packet.data.len(),
            wire_len: packet.header.len.max(packet.header.caplen),
        });
    }

    /// Forgets the first frame.
    fn step(&mut self) {
        self.frames.pop_front();
    }
}

impl Losses {
    fn read(&self) -> Option<u64> {
        read(&self.file)?.parse().ok()
    }
}

/// What a short file of the kernel's says now; `None` if what it was about is gone.
fn read(file: &File) -> Option<String> {
    let mut text = [0; 32];
    let len = file.read_at(&mut text, 0).ok()?;
    Some(std::str::from_utf8(text.get(..len)?).ok()?.trim().to_owned())
}

/// Where the kernel says what it knows of an interface; `None` if what stands there is about another of that name, in
/// another network namespace.
fn kernel_folder(name: &str, index: Option<u32>) -> Option<PathBuf> {
    let folder = Path::new("/sys/class/net").join(name);
    let there: u32 = read(&File::open(folder.join("ifindex")).ok()?)?.parse().ok()?;
    (Some(there) == index).then_some(folder)
}

/// The driver's counters of frames it had no room for.
fn losses(folder: &Path) -> Vec<Losses> {
    let folder = folder.join("statistics");
    let open = |counter: &str| {
        let mut losses = Losses { file: File::open(folder.join(counter)).ok()?, last: 0 };
        losses.last = losses.read()?;
        Some(losses)
    };
    ["rx_missed_errors", "rx_fifo_errors"].into_iter().filter_map(open).collect()
}

fn activate(name: &str, options: &SniffOptions, ring: u32) -> Result<Capture<Active>, pcap::Error> {
    let signed = |octets: u32| i32::try_from(octets).unwrap_or(i32::MAX);
    Capture::from_device(name)?
        .timeout(HOLD.as_millis() as i32)
        .precision(Precision::Nano)
        .buffer_size(signed(ring))
        .snaplen(signed(options.snap_length))
        // all interfaces at once are never heard promiscuously, and asking for it is an error
        .promisc(options.promiscuous && name != ANY)
        .open()?
        .setnonblock()
}

fn is_memory(error: &pcap::Error) -> bool {
    error.to_string().to_lowercase().contains("memory")
}

/// The kernel's number of an interface.
fn index(name: &str) -> Option<u32> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).ok()?;
    rustix::net::netdevice::name_to_index(&socket, name).ok()
}

/// The time stamp of a packet, which counts nanoseconds where libpcap's type says microseconds.
fn stamp(header: &pcap::PacketHeader) -> Timestamp {
    Timestamp::from_parts(header.ts.tv_sec, u32::try_from(header.ts.tv_usec).unwrap_or(0))
}

fn now() -> Timestamp {
    Timestamp::default().after(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A link type as files number it, from the number that this system's libpcap uses.
fn link_type(number: i32) -> LinkType {
    match LinkType(u32::try_from(number).unwrap_or(u32::MAX)) {
        LinkType::RAW_BSD | LinkType::RAW_OPENBSD => LinkType::RAW,
        link => link,
    }
}
