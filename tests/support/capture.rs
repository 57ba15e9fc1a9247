//! A list of frames: what may be done to one, and the files it makes. Reads simple pcap files too, so that
//! a recorded capture can be cut and turned like a crafted one.

use std::net::IpAddr;
use std::time::Duration;

use super::link::{self, Link};

/// A frame with its time in nanoseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it was recorded.
    pub at: u64,
    /// What was recorded of it, link layer included.
    pub octets: Vec<u8>,
    /// Octets it had on the wire.
    pub wire_length: usize,
}

/// Frames in the order of their recording, all of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Their link.
    pub link: Link,
    /// The frames.
    pub frames: Vec<Frame>,
}

/// What may be done to a capture.
impl Capture {
    /// An empty one on Ethernet.
    pub fn new() -> Self {
        Self { link: Link::Ethernet, frames: Vec::new() }
    }

    /// Adds an IP packet at its time.
    pub fn record(&mut self, at: u64, packet: &[u8]) {
        let octets = self.link.wrap(packet);
        self.frames.push(Frame { at, wire_length: octets.len(), octets });
    }

    /// The IP packets, those frames left out that hold something else.
    pub fn packets(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.frames.iter().filter_map(|frame| Some((frame.at, self.link.unwrap(&frame.octets)?)))
    }

    fn retain(mut self, keep: impl Fn(&Frame, &[u8]) -> bool) -> Self {
        let link = self.link;
        self.frames.retain(|frame| link.unwrap(&frame.octets).is_none_or(|packet| keep(frame, packet)));
        self
    }

    /// Only the packets that `ip` sent; what is not IP stays.
    pub fn only_from(self, ip: IpAddr) -> Self {
        self.retain(|_, packet| link::source(packet) == ip)
    }

    /// Every frame twice, ten microseconds apart, as a mirror of both ends of a port records it.
    pub fn double_every_frame(self) -> Self {
        self.double_apart(Duration::from_micros(10))
    }

    /// Every frame twice, the second time `gap` later and one hop further on: as a mirror of two ports of a router
    /// records it, with the same IP identification and a time to live that is one less.
    pub fn double_across_a_hop(mut self, gap: Duration) -> Self {
        let link = self.link;
        let twice = |frame: Frame| {
            let mut copy = Frame { at: frame.at + gap.as_nanos() as u64, ..frame.clone() };
            link::route_on(link, &mut copy.octets);
            [frame, copy]
        };
        self.frames = self.frames.into_iter().flat_map(twice).collect();
        self.frames.sort_by_key(|frame| frame.at);
        self
    }

    /// Every frame twice, the same octets, `gap` apart.
    pub fn double_apart(mut self, gap: Duration) -> Self {
        let twice = |frame: Frame| [frame.clone(), Frame { at: frame.at + gap.as_nanos() as u64, ..frame }];
        self.frames = self.frames.into_iter().flat_map(twice).collect();
        self.frames.sort_by_key(|frame| frame.at);
        self
    }

    fn start(&self) -> u64 {
        self.frames.first().map_or(0, |frame| frame.at)
    }

    /// Only the frames up to `span` after the first.
    pub fn cut_after(mut self, span: Duration) -> Self {
        let end = self.start() + span.as_nanos() as u64;
        self.frames.retain(|frame| frame.at <= end);
        self
    }

    /// Only the frames from `span` after the first on.
    pub fn start_after(mut self, span: Duration) -> Self {
        let start = self.start() + span.as_nanos() as u64;
        self.frames.retain(|frame| frame.at >= start);
        self
    }

    /// Only the first `count` frames.
    pub fn first(mut self, count: usize) -> Self {
        self.frames.truncate(count);
        self
    }

    /// All frames but those with these 1-based numbers.
    pub fn without(mut self, numbers: &[usize]) -> Self {
        let mut number = 0;
        self.frames.retain(|_| {
            number += 1;
            !numbers.contains(&number)
        });
        self
    }

    /// Every frame later by `seconds`, earlier if negative.
    pub fn shift_time(mut self, seconds: i64) -> Self {
        for frame in &mut self.frames {
            frame.at = frame.at.saturating_add_signed(seconds * 1_000_000_000);
        }
        self
    }

    /// Only the frames behind the first `count`.
    pub fn skip(mut self, count: usize) -> Self {
        self.frames.drain(..count.min(self.frames.len()));
        self
    }

    /// The same frames in `parts` captures of about the same size, as a recorder that rotates its files leaves them.
    pub fn split(&self, parts: usize) -> Vec<Self> {
        let size = self.frames.len().div_ceil(parts).max(1);
        self.frames.chunks(size).map(|frames| Self { link: self.link, frames: frames.to_vec() }).collect()
    }

    /// No more than `length` octets of each frame.
    pub fn snap(mut self, length: usize) -> Self {
        for frame in &mut self.frames {
            frame.octets.truncate(length);
        }
        self
    }

    /// The same IP packets on another link; frames that hold something else are left out.
    pub fn relink(&self, link: Link) -> Self {
        let mut relinked = Self { link, frames: Vec::new() };
        for (at, packet) in self.packets() {
            relinked.record(at, packet);
        }
        relinked
    }

    /// Both captures as one, in order of time.
    pub fn merge(mut self, other: &Self) -> Self {
        assert_eq!(self.link.number(), other.link.number(), "captures of two links do not fit in one file");
        self.frames.extend(other.frames.iter().cloned());
        self.frames.sort_by_key(|frame| frame.at);
        self
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self::new()
    }
}

/// The files it makes.
impl Capture {
    /// A pcap file, little-endian, microseconds.
    pub fn pcap(&self) -> Vec<u8> {
        self.pcap_with(u32::to_le_bytes, 0xa1b2_c3d4, 1_000)
    }

    /// A pcap file, little-endian, nanoseconds.
    pub fn pcap_nanoseconds(&self) -> Vec<u8> {
        self.pcap_with(u32::to_le_bytes, 0xa1b2_3c4d, 1)
    }

    /// A pcap file, big-endian, microseconds.
    pub fn pcap_big_endian(&self) -> Vec<u8> {
        self.pcap_with(u32::to_be_bytes, 0xa1b2_c3d4, 1_000)
    }

    /// A pcap file, big-endian, nanoseconds.
    pub fn pcap_big_endian_nanoseconds(&self) -> Vec<u8> {
        self.pcap_with(u32::to_be_bytes, 0xa1b2_3c4d, 1)
    }

    fn pcap_with(&self, word: fn(u32) -> [u8; 4], magic: u32, unit: u64) -> Vec<u8> {
        let version = if word(1) == [1, 0, 0, 0] { [2, 0, 4, 0] } else { [0, 2, 0, 4] };
        let mut file = [&word(magic)[..], &version, &[0; 8], &word(262_144), &word(self.link.number())].concat();
        for frame in &self.frames {
            file.extend(word((frame.at / 1_000_000_000) as u32));
            file.extend(word((frame.at % 1_000_000_000 / unit) as u32));
            file.extend(word(frame.octets.len() as u32));
            file.extend(word(frame.wire_length as u32));
            file.extend(&frame.octets);
        }
        file
    }

    /// Where each record of the pcap file ends, in octets from its start; the file header first.
    pub fn pcap_borders(&self) -> Vec<usize> {
        let ends = self.frames.iter().scan(24, |end, frame| {
            *end += 16 + frame.octets.len();
            Some(*end)
        });
        std::iter::once(24).chain(ends).collect()
    }

    /// A pcapng file: one little-endian section, one interface in nanoseconds, an enhanced packet block a frame.
    pub fn pcapng(&self) -> Vec<u8> {
        let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
        let resolution = [9, 0, 1, 0, 9, 0, 0, 0];
        let interface =
            [&(self.link.number() as u16).to_le_bytes()[..], &[0, 0], &[0; 4], &resolution, &[0; 4]].concat();
        let mut file = [block(0x0a0d_0d0a, &section), block(1, &interface)].concat();
        for frame in &self.frames {
            let mut body = vec![0; 4];
            body.extend(((frame.at >> 32) as u32).to_le_bytes());
            body.extend((frame.at as u32).to_le_bytes());
            body.extend((frame.octets.len() as u32).to_le_bytes());
            body.extend((frame.wire_length as u32).to_le_bytes());
            body.extend(&frame.octets);
            file.extend(block(6, &body));
        }
        file
    }

    /// The frames of a little-endian microsecond pcap file of Ethernet. Panics on anything else.
    pub fn read_pcap(file: &[u8]) -> Self {
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four octets"));
        assert_eq!((word(0), word(20)), (0xa1b2_c3d4, 1), "a little-endian microsecond pcap file of Ethernet");
        let mut capture = Self::new();
        let mut at = 24;
        while at < file.len() {
            let length = word(at + 8) as usize;
            capture.frames.push(Frame {
                at: u64::from(word(at)) * 1_000_000_000 + u64::from(word(at + 4)) * 1_000,
                octets: file[at + 16..at + 16 + length].to_vec(),
                wire_length: word(at + 12) as usize,
            });
            at += 16 + length;
        }
        capture
    }
}

fn block(block_type: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = (12 + body.len() + padding.len()) as u32;
    [&block_type.to_le_bytes()[..], &length.to_le_bytes(), body, &padding, &length.to_le_bytes()].concat()
}
