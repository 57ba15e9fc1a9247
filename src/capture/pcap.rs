//! The pcap format: one header, then records (draft-ietf-opsawg-pcap).
//!
//! Reads both byte orders, time in micro- and nanoseconds, the longer record header of Alexey Kuznetzov's patched
//! libpcap, the longer file header of IXIA's lcap, and the swapped lengths of versions before 2.4.

use super::error::Refusal;
use super::order::{Fields, Order};
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
    nanoseconds: bool,
    file_header: usize,
    record_header: usize,
}

impl Variant {
    /// Which pcap starts with these octets, if any.
    pub fn of(magic: [u8; 4]) -> Option<Self> {
        let known = |order: Order| {
            let (nanoseconds, file_header, record_header) = match order.u32(magic) {
                0xa1b2_c3d4 => (false, 24, 16),
                0xa1b2_3c4d => (true, 24, 16),
                0xa1b2_cd34 => (false, 24, 24),
                0x1c00_01ac => (true, 28, 16),
                0x1c00_01ab => (false, 28, 16),
                _ => return None,
            };
            Some(Self { order, nanoseconds, file_header, record_header })
        };
        known(Order::Little).or_else(|| known(Order::Big))
    }
}

/// A walk over the records of one file.
#[derive(Debug)]
pub(super) struct Pcap {
    variant: Variant,
    link: LinkType,
    snap: u32,
    /// Octets a record may claim.
    most: u32,
    /// Written before version 2.4, when the two lengths changed places.
    lengths_swapped: bool,
}

impl Pcap {
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
        Ok(Self { variant, link, snap, most, lengths_swapped: version < (2, 4) || version == DG_UX })
    }

    /// The next record.
    #[inline]
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
        let nanos = if self.variant.nanoseconds { i64::from(fraction) } else { i64::from(fraction) * 1000 };
        if nanos >= 1_000_000_000 {
            tally.oddities.fraction_over_a_second += 1;
        }
        nanos
    }
}
