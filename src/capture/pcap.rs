//! The pcap format: one header, then records (draft-ietf-opsawg-pcap).
//!
//! Reads both byte orders, time in micro- and nanoseconds, the longer record header of Alexey Kuznetzov's patched
//! libpcap, the longer file header of IXIA's lcap, and the swapped lengths of versions before 2.4.

use super::error::Refusal;
use super::order::{Fields, Order};
use super::stretch::{Plain, PlainRecord};
use super::tally::Tally;
use super::window::Window;
use super::{MOST_RECORD, Record, Step};
use crate::base::{LinkType, Timestamp};

/// The largest snap length recorders use; what a record may claim whatever its file header says.
const USUAL_SNAP: u32 = 256 << 10;

/// The version DG/UX writes; its lengths have changed places as well.
const DG_UX: (u16, u16) = (543, 0);

/// The kinds of pcap, by their first four octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    order: Order,
    /// Nanoseconds in the unit of the fraction of a second.
    unit: i64,
    file_header: usize,
    record_header: usize,
}

impl Variant {
    /// Which pcap starts with these octets, if any.
    pub fn of(magic: [u8; 4]) -> Option<Self> {
        let known = |order: Order| {
            let (unit, file_header, record_header) = match order.u32(magic) {
                0xa1b2_c3d4 => (1000, 24, 16),
                0xa1b2_3c4d => (1, 24, 16),
                0xa1b2_cd34 => (1000, 24, 24),
                0x1c00_01ac => (1, 28, 16),
                0x1c00_01ab => (1000, 28, 16),
                _ => return None,
            };
            Some(Self { order, unit, file_header, record_header })
        };
        known(Order::Little).or_else(|| known(Order::Big))
    }
}

/// A walk over the records of one file.
#[derive(Debug, Clone)]
pub(super) struct Pcap {
    variant: Variant,
    link: LinkType,
    snap: u32,
    /// Octets a record may claim.
    most: u32,
    /// Octets that a record has about which there is nothing to say.
    usual: u32,
    /// Written before version 2.4, when the two lengths changed places.
    lengths_swapped: bool,
}

impl Plain for Pcap {
    #[inline(always)]
    fn plain(&self, octets: &[u8], at: usize) -> Option<PlainRecord> {
        self.plain_in(self.variant.order, octets, at)
    }

    fn whole(&self, octets: &[u8], at: usize) -> Option<usize> {
        let recorded =
            octets.get(at.checked_add(8)?..)?.first_chunk::<4>().map(|recorded| self.variant.order.u32(*recorded))?;
        (recorded <= self.usual).then_some(self.variant.record_header + recorded as usize)
    }
}

/// A walk over a file whose numbers are in little-endian order, as nearly all are: the same with less to decide.
pub(super) struct LittleEndian<'a>(&'a Pcap);

impl Plain for LittleEndian<'_> {
    #[inline(always)]
    fn plain(&self, octets: &[u8], at: usize) -> Option<PlainRecord> {
        self.0.plain_in(Order::Little, octets, at)
    }

    fn whole(&self, octets: &[u8], at: usize) -> Option<usize> {
        self.0.whole(octets, at)
    }
}

impl Pcap {
    /// The highest octet of the seconds, which stays for half a year, and its place in a record.
    pub fn common_to_records_about(&self, at: Timestamp) -> (usize, u8) {
        let highest = (at.as_nanos().div_euclid(1_000_000_000) >> 24) as u8;
        (if self.variant.order == Order::Little { 3 } else { 0 }, highest)
    }

    /// Itself, if its numbers are in little-endian order.
    pub fn little_endian(&self) -> Option<LittleEndian<'_>> {
        (self.variant.order == Order::Little).then_some(LittleEndian(self))
    }

    #[inline(always)]
    fn plain_in(&self, order: Order, octets: &[u8], at: usize) -> Option<PlainRecord> {
        let &[s0, s1, s2, s3, f0, f1, f2, f3, r0, r1, r2, r3, w0, w1, w2, w3] =
            octets.get(at..)?.first_chunk::<16>()?;
        let (recorded, wire) = (order.u32([r0, r1, r2, r3]), order.u32([w0, w1, w2, w3]));
        let nanos = i64::from(order.u32([f0, f1, f2, f3])).wrapping_mul(self.variant.unit);
        let len = recorded as usize;
        let place = at.wrapping_add(self.variant.record_header);
        // neither can wrap: a usual record is small, and `at` lies in memory
        let next = place.wrapping_add(len);
        if recorded > wire || recorded > self.usual || nanos >= 1_000_000_000 || next > octets.len() {
            return None;
        }
        let seconds = i64::from(order.u32([s0, s1, s2, s3]));
        let at = Timestamp::from_nanos(seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos));
        Some(PlainRecord { at, link: self.link, interface: 0, place, len, wire_len: wire, next })
    }

    /// Reads the file header.
    pub fn start(variant: Variant, window: &mut Window, tally: &mut Tally) -> Result<Self, Refusal> {
        if !window.need(variant.file_header)? {
            return Err(Refusal::corrupt(window.offset(), "the file ends inside the pcap file header"));
        }
        let place = window.consume(variant.file_header);
        let mut fields = Fields::new(variant.order, window.slice(place, variant.file_header));
        let mut read = || {
            let _magic = fields.u32()?;
            let version = (fields.u16()?, fields.u16()?);
            let _zone_and_accuracy = fields.u32_pair()?;
            Some((version, fields.u32()?, fields.u32()?))
        };
        let Some((version, snap, network)) = read() else {
            return Err(Refusal::corrupt(0, "the pcap file header cannot be read"));
        };
        if version != (2, 4) {
            tally.oddities.version = Some(version);
        }
        // The upper half says whether and how long a frame check sequence is (draft-ietf-opsawg-pcap §4).
        let link = LinkType(network & 0xffff);
        tally.list(link);
        let most = snap.clamp(USUAL_SNAP, MOST_RECORD);
        let lengths_swapped = version < (2, 4) || version == DG_UX;
        let usual = match snap {
            _ if lengths_swapped => 0,
            0 => most,
            snap => snap.min(most),
        };
        Ok(Self { variant, link, snap, most, usual, lengths_swapped })
    }

    /// The next record.
    pub fn advance(&mut self, window: &mut Window, tally: &mut Tally) -> Result<Step, Refusal> {
        let Some(header) = window.fixed::<16>()? else {
            return Ok(if window.view().is_empty() { Step::End } else { Step::Cut(window.offset()) });
        };
        let mut fields = Fields::new(self.variant.order, &header);
        let (Some(seconds), Some(fraction), Some(recorded), Some(wire)) =
            (fields.u32(), fields.u32(), fields.u32(), fields.u32())
        else {
            return Ok(Step::End);
        };
        let (recorded, wire) =
            if self.lengths_swapped { (recorded.min(wire), recorded.max(wire)) } else { (recorded, wire) };
        if recorded > self.most {
            let reason = format!("a record claims {recorded} octets where at most {} can be", self.most);
            return Err(Refusal::corrupt(window.offset(), reason));
        }
        let len = recorded as usize;
        let whole = self.variant.record_header + len;
        if !window.need(whole)? {
            return Ok(Step::Cut(window.offset()));
        }
        if recorded > wire {
            tally.oddities.longer_than_wire += 1;
        }
        if recorded > self.snap && self.snap != 0 {
            tally.oddities.longer_than_snap += 1;
        }
        let place = window.consume(whole) + self.variant.record_header;
        let nanos = self.nanos(fraction, tally);
        Ok(Step::Record(Record {
            at: Some(Timestamp::from_nanos(i64::from(seconds) * 1_000_000_000 + nanos)),
            link: self.link,
            interface: 0,
            place,
            len,
            wire_len: wire.max(recorded),
        }))
    }

    #[inline]
    fn nanos(&self, fraction: u32, tally: &mut Tally) -> i64 {
        let nanos = i64::from(fraction) * self.variant.unit;
        if nanos >= 1_000_000_000 {
            tally.oddities.fraction_over_a_second += 1;
        }
        nanos
    }
}
