//! The pcapng format: sections of blocks, each section in its own byte order (draft-ietf-opsawg-pcapng).
//!
//! Reads packets from Enhanced, Simple and the obsolete Packet Blocks and losses from Interface Statistics Blocks.
//! Everything else is stepped over; what has no name here is counted.

use super::clock::Clock;
use super::error::Refusal;
use super::order::{Fields, Order};
use super::stretch::{Plain, PlainRecord};
use super::tally::Tally;
use super::window::Window;
use super::{MOST_RECORD, Record, Step};
use crate::base::{LinkType, Timestamp};

/// Block types (draft-ietf-opsawg-pcapng §11.1).
mod block {
    pub const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub const INTERFACE_DESCRIPTION: u32 = 1;
    pub const PACKET: u32 = 2;
    pub const SIMPLE_PACKET: u32 = 3;
    pub const NAME_RESOLUTION: u32 = 4;
    pub const INTERFACE_STATISTICS: u32 = 5;
    pub const ENHANCED_PACKET: u32 = 6;
    pub const SYSTEMD_JOURNAL: u32 = 9;
    pub const DECRYPTION_SECRETS: u32 = 10;
    pub const CUSTOM: u32 = 0xbad;
    pub const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
}

/// Option codes, each within its block.
mod option {
    pub const END: u16 = 0;
    pub const IF_TSRESOL: u16 = 9;
    pub const IF_TSOFFSET: u16 = 14;
    pub const SHB_USERAPPL: u16 = 4;
    pub const ISB_IFDROP: u16 = 5;
    pub const ISB_OSDROP: u16 = 7;
}

/// The first four octets of the format, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = block::SECTION_HEADER.to_be_bytes();
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Octets of a block around its body: type, length, length again.
const BLOCK_FRAME: usize = 12;
const MOST_BLOCK: u32 = MOST_RECORD + 4096;
/// Interfaces followed in one section; a number the obsolete Packet Block cannot pass either.
const MOST_INTERFACES: usize = 1 << 16;

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snap: u32,
    clock: Clock,
    /// Frames lost, as last reported.
    dropped: Option<u64>,
}

/// A walk over the blocks of one file.
#[derive(Debug, Clone)]
pub(super) struct Pcapng {
    order: Order,
    /// Of the section being read.
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before it.
    earlier_interfaces: u32,
    /// Frames lost by interfaces of the sections before it.
    earlier_dropped: Option<u64>,
    /// Frames lost according to obsolete Packet Blocks.
    packet_block_dropped: Option<u64>,
    /// This program wrote the section, so that its statistics say up to when was watched. Others write them too, and
    /// whoever cuts such a file short leaves them as they are.
    own: bool,
    /// Sections and interfaces so far: as long as it stays, packets are read in the same way.
    described: u64,
    /// Up to when was watched.
    watched_until: Option<Timestamp>,
}

/// How this program names itself in what it writes.
const OWN: &[u8] = b"ikescope ";

/// The frame of a block: what it is and how long in all.
struct Block {
    kind: u32,
    len: usize,
}

impl Plain for Pcapng {
    /// Enhanced Packet Blocks of interfaces that are known.
    #[inline(always)]
    fn plain(&self, octets: &[u8], at: usize) -> Option<PlainRecord> {
        const FIXED: usize = 28;
        let head: &[u8; FIXED] = octets.get(at..)?.first_chunk()?;
        let field = |place: usize| head.get(place..).and_then(<[u8]>::first_chunk).map(|field| self.order.u32(*field));
        let (kind, claimed, id) = (field(0)?, field(4)?, field(8)?);
        let (high, low, recorded, wire) = (field(12)?, field(16)?, field(20)?, field(24)?);
        if kind != block::ENHANCED_PACKET || !claimed.is_multiple_of(4) || claimed > MOST_BLOCK {
            return None;
        }
        let interface = self.interfaces.get(id as usize)?;
        let room = (claimed as usize).checked_sub(FIXED + 4)?;
        let next = at + claimed as usize;
        let again = octets.get(..next)?.last_chunk().map(|trailer| self.order.u32(*trailer));
        let len = recorded as usize;
        if len > room || recorded > wire || (recorded > interface.snap && interface.snap != 0) || again != Some(claimed)
        {
            return None;
        }
        Some(PlainRecord {
            at: interface.clock.at(u64::from(high) << 32 | u64::from(low)),
            link: interface.link,
            interface: self.earlier_interfaces.saturating_add(id),
            place: at + FIXED,
            len,
            wire_len: wire,
            next,
        })
    }

    fn whole(&self, octets: &[u8], at: usize) -> Option<usize> {
        let head = octets.get(at..)?.first_chunk::<8>()?;
        let field = |place: usize| head.get(place..).and_then(<[u8]>::first_chunk).map(|field| self.order.u32(*field));
        let (kind, claimed) = (field(0)?, field(4)?);
        (kind == block::ENHANCED_PACKET && claimed <= MOST_BLOCK).then_some(claimed as usize)
    }
}

impl Pcapng {
    /// Reads the first section header.
    pub fn start(window: &mut Window) -> Result<Self, Refusal> {
        let mut walk = Self {
            order: Order::Little,
            interfaces: Vec::new(),
            earlier_interfaces: 0,
            earlier_dropped: None,
            packet_block_dropped: None,
            own: false,
            described: 0,
            watched_until: None,
        };
        let start = window.offset();
        let ended = || Refusal::corrupt(start, "the file ends inside the pcapng section header");
        let block = walk.block(window)?.ok_or_else(ended)?;
        let place = walk.body(&block, window)?.ok_or_else(ended)?;
        walk.section(window.slice(place, block.len - BLOCK_FRAME), start)?;
        Ok(walk)
    }

    /// Sections and interfaces so far.
    pub fn described(&self) -> u64 {
        self.described
    }

    /// Up to when was watched, if the file says.
    pub fn watched_until(&self) -> Option<Timestamp> {
        self.watched_until
    }

    /// Frames lost, if anything in the file says.
    pub fn dropped(&self) -> Option<u64> {
        sum(sum(self.earlier_dropped, self.section_dropped()), self.packet_block_dropped)
    }

    fn section_dropped(&self) -> Option<u64> {
        self.interfaces.iter().fold(None, |dropped, interface| sum(dropped, interface.dropped))
    }

    /// The next packet.
    pub fn advance(&mut self, window: &mut Window, tally: &mut Tally) -> Result<Step, Refusal> {
        loop {
            let start = window.offset();
            let Some(block) = self.block(window)? else {
                return Ok(if window.view().is_empty() { Step::End } else { Step::Cut(start) });
            };
            if !is_read(block.kind) {
                if !is_harmless(block.kind) {
                    tally.note_unknown_block(block.kind);
                }
                if !self.step_over(&block, window, start)? {
                    return Ok(Step::Cut(start));
                }
                continue;
            }
            let Some(place) = self.body(&block, window)? else {
                return Ok(Step::Cut(start));
            };
            let body = window.slice(place, block.len - BLOCK_FRAME);
            match block.kind {
                block::SECTION_HEADER => self.section(body, start)?,
                block::INTERFACE_DESCRIPTION => self.interface(body, start, tally)?,
                block::INTERFACE_STATISTICS => self.statistics(body, tally),
                packet => {
                    if let Some(record) = self.packet(packet, body, place, start, tally)? {
                        return Ok(Step::Record(record));
                    }
                }
            }
        }
    }

    /// Looks at the next block without moving; `None` if the file ends before its fixed part does. A section header
    /// sets the byte order.
    #[inline]
    fn block(&mut self, window: &mut Window) -> Result<Option<Block>, Refusal> {
        let Some([t0, t1, t2, t3, l0, l1, l2, l3, b0, b1, b2, b3]) = window.fixed::<BLOCK_FRAME>()? else {
            return Ok(None);
        };
        let kind = self.order.u32([t0, t1, t2, t3]);
        let mut least = BLOCK_FRAME;
        if kind == block::SECTION_HEADER {
            least = 28;
            let magic = [b0, b1, b2, b3];
            self.order = [Order::Little, Order::Big]
                .into_iter()
                .find(|order| order.u32(magic) == BYTE_ORDER_MAGIC)
                .ok_or_else(|| Refusal::corrupt(window.offset(), "a section header without byte-order magic"))?;
        }
        let claimed = self.order.u32([l0, l1, l2, l3]);
        let len = claimed as usize;
        let wrong = if len < least {
            format!("a block claims {claimed} octets, at least {least} are needed")
        } else if !claimed.is_multiple_of(4) {
            format!("a block claims {claimed} octets, which is no multiple of 4")
        } else if claimed > MOST_BLOCK {
            format!("a block claims {claimed} octets, at most {MOST_BLOCK} are read")
        } else {
            return Ok(Some(Block { kind, len }));
        };
        Err(Refusal::corrupt(window.offset(), wrong))
    }

    /// Moves past a block, checks that both its lengths agree, and gives the place of its body; `None` if the file
    /// ends inside it.
    #[inline]
    fn body(&self, block: &Block, window: &mut Window) -> Result<Option<usize>, Refusal> {
        if !window.need(block.len)? {
            return Ok(None);
        }
        let start = window.offset();
        let place = window.consume(block.len);
        let trailer = window.slice(place + block.len - 4, 4).first_chunk().copied().unwrap_or_default();
        self.check_trailer(block, trailer, start)?;
        Ok(Some(place + 8))
    }

    /// The same without holding the block; `false` if the file ends inside it.
    fn step_over(&self, block: &Block, window: &mut Window, start: u64) -> Result<bool, Refusal> {
        if !window.skip(block.len as u64 - 4)? {
            return Ok(false);
        }
        let Some(trailer) = window.fixed::<4>()? else { return Ok(false) };
        window.consume(4);
        self.check_trailer(block, trailer, start)?;
        Ok(true)
    }

    #[inline]
    fn check_trailer(&self, block: &Block, trailer: [u8; 4], start: u64) -> Result<(), Refusal> {
        let again = self.order.u32(trailer);
        if again as usize == block.len {
            return Ok(());
        }
        Err(Refusal::corrupt(start, format!("a block claims {} octets at its head and {again} at its end", block.len)))
    }

    fn section(&mut self, body: &[u8], start: u64) -> Result<(), Refusal> {
        let mut fields = Fields::new(self.order, body);
        let version = (|| {
            let _byte_order_magic = fields.u32()?;
            Some((fields.u16()?, fields.u16()?))
        })();
        let _section_length = fields.u32_pair();
        match version {
            Some((1, _)) => {}
            Some((major, minor)) => {
                return Err(Refusal::corrupt(start, format!("pcapng version {major}.{minor} is not known")));
            }
            None => return Err(Refusal::corrupt(start, "a section header without version")),
        }
        self.earlier_dropped = sum(self.earlier_dropped, self.section_dropped());
        self.earlier_interfaces = self.earlier_interfaces.saturating_add(self.interfaces.len() as u32);
        self.interfaces.clear();
        self.described += 1;
        self.own = false;
        // what may be odd about these options is nobody's concern
        options(fields, &mut Tally::default(), |code, value| {
            self.own |= code == option::SHB_USERAPPL && value.starts_with(OWN);
            Some(())
        });
        Ok(())
    }

    fn interface(&mut self, body: &[u8], start: u64, tally: &mut Tally) -> Result<(), Refusal> {
        let mut fields = Fields::new(self.order, body);
        let (Some(link), Some(_reserved), Some(snap)) = (fields.u16(), fields.u16(), fields.u32()) else {
            return Err(Refusal::corrupt(start, "an interface description that is too short"));
        };
        if self.interfaces.len() >= MOST_INTERFACES {
            return Err(Refusal::corrupt(start, format!("more than {MOST_INTERFACES} interfaces in a section")));
        }
        let link = LinkType(u32::from(link));
        let mut clock = Clock::default();
        let order = self.order;
        options(fields, tally, |code, value| match code {
            option::IF_TSRESOL => value.first().map(|octet| clock.set_resolution(*octet)),
            option::IF_TSOFFSET => value.first_chunk().map(|octets| clock.set_offset(order.u64(*octets).cast_signed())),
            _ => Some(()),
        });
        tally.list(link);
        self.described += 1;
        self.interfaces.push(Interface { link, snap, clock, dropped: None });
        Ok(())
    }

    fn statistics(&mut self, body: &[u8], tally: &mut Tally) {
        let order = self.order;
        let mut fields = Fields::new(order, body);
        let (Some(id), Some(ticks)) = (fields.u32(), fields.u32_pair()) else { return };
        let mut dropped = None;
        options(fields, tally, |code, value| match code {
            option::ISB_IFDROP | option::ISB_OSDROP => {
                value.first_chunk().map(|octets| dropped = sum(dropped, Some(order.u64(*octets))))
            }
            _ => Some(()),
        });
        if let Some(interface) = self.interfaces.get(id as usize).filter(|_| self.own) {
            self.watched_until = self.watched_until.max(Some(interface.clock.at(ticks)));
        }
        // The counts are totals since the capture began, so the latest report stands for all.
        if let Some(interface) = self.interfaces.get_mut(id as usize)
            && dropped.is_some()
        {
            interface.dropped = dropped;
        }
    }

    /// The packet in a block; `None` if its interface is not known.
    #[inline]
    fn packet(
        &mut self,
        kind: u32,
        body: &[u8],
        place: usize,
        start: u64,
        tally: &mut Tally,
    ) -> Result<Option<Record>, Refusal> {
        let too_short = || Refusal::corrupt(start, "a packet block that is too short");
        let mut fields = Fields::new(self.order, body);
        let (id, ticks, recorded, wire, fixed) = if kind == block::SIMPLE_PACKET {
            let wire = fields.u32().ok_or_else(too_short)?;
            (0, None, None, wire, 4)
        } else {
            let id = if kind == block::ENHANCED_PACKET {
                fields.u32().ok_or_else(too_short)?
            } else {
                let id = fields.u16().ok_or_else(too_short)?;
                self.lost_before(fields.u16().ok_or_else(too_short)?);
                u32::from(id)
            };
            let (Some(ticks), Some(recorded), Some(wire)) = (fields.u32_pair(), fields.u32(), fields.u32()) else {
                return Err(too_short());
            };
            (id, Some(ticks), Some(recorded), wire, 20)
        };
        let Some(interface) = self.interfaces.get(id as usize) else {
            tally.oddities.unknown_interface += 1;
            return Ok(None);
        };
        let room = body.len().saturating_sub(fixed);
        let len = match recorded {
            Some(recorded) => recorded as usize,
            // A simple packet leaves its recorded length to the snap length and the block's room.
            None if interface.snap == 0 => room.min(wire as usize),
            None => room.min(wire.min(interface.snap) as usize),
        };
        if len > room {
            return Err(Refusal::corrupt(
                start,
                format!("a packet claims {len} octets in a block with room for {room}"),
            ));
        }
        if recorded.is_some_and(|recorded| recorded > wire) {
            tally.oddities.longer_than_wire += 1;
        }
        if len > interface.snap as usize && interface.snap != 0 {
            tally.oddities.longer_than_snap += 1;
        }
        Ok(Some(Record {
            at: ticks.map(|ticks| interface.clock.at(ticks)),
            link: interface.link,
            interface: self.earlier_interfaces.saturating_add(id),
            place: place + fixed,
            len,
            wire_len: wire.max(len as u32),
        }))
    }

    /// Takes the drop count of an obsolete Packet Block, where all ones says that it is not known.
    fn lost_before(&mut self, count: u16) {
        if count != u16::MAX {
            self.packet_block_dropped = sum(self.packet_block_dropped, Some(u64::from(count)));
        }
    }
}

/// Hands each option to `take`, which says `None` to a value that is too short.
fn options(mut fields: Fields<'_>, tally: &mut Tally, mut take: impl FnMut(u16, &[u8]) -> Option<()>) {
    while !fields.is_empty() {
        let read = (|| {
            let code = fields.u16()?;
            let len = usize::from(fields.u16()?);
            if code == option::END {
                return Some(false);
            }
            let value = fields.octets(len)?;
            take(code, value)?;
            fields.octets(len.next_multiple_of(4) - len)?;
            Some(true)
        })();
        match read {
            Some(true) => {}
            Some(false) => return,
            None => {
                tally.oddities.bad_options += 1;
                return;
            }
        }
    }
}

/// Whether a block holds packets, or what is needed to understand them.
fn is_read(kind: u32) -> bool {
    matches!(
        kind,
        block::SECTION_HEADER
            | block::INTERFACE_DESCRIPTION
            | block::PACKET
            | block::SIMPLE_PACKET
            | block::INTERFACE_STATISTICS
            | block::ENHANCED_PACKET
    )
}

/// Whether a block that is not read is known to hold nothing of interest here.
fn is_harmless(kind: u32) -> bool {
    matches!(
        kind,
        block::NAME_RESOLUTION
            | block::SYSTEMD_JOURNAL
            | block::DECRYPTION_SECRETS
            | block::CUSTOM
            | block::CUSTOM_NOT_COPIED
    )
}

/// The sum of what is known.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (known, None) | (None, known) => known,
    }
}
