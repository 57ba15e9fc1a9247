//! ICMP errors tied to the pair whose datagram they quote; never counted as messages of it.

use std::time::Duration;

use crate::isakmp::Message;
use crate::packet::{Datagram, IcmpError, Quoted};

use super::Tracker;
use super::facts::{IcmpAbout, IcmpFact};
use super::store::slot::Open;

/// Frames remembered of one kind of error.
const FRAMES: usize = 16;
/// Kinds of error remembered of one pair.
const KINDS_A_PAIR: usize = 64;

/// One error is recorded in two captures within this time.
const AT_TWO_POINTS: Duration = Duration::from_millis(100);

impl Tracker {
    pub(super) fn observe_icmp(&mut self, datagram: &Datagram<'_>, error: &IcmpError<'_>) {
        let Some(index) = self.pair_between(error.quoted_source, error.quoted_destination, datagram.at, datagram.frame)
        else {
            return;
        };
        let (count, most) = (self.icmp_count, self.limits.icmp_errors);
        let Some(Open { pair, .. }) = self.open(index) else { return };
        pair.last = pair.last.max(datagram.at);
        let (about, initiator_spi) = match error.quoted {
            Quoted::Udp { esp: Some(_), .. } => (IcmpAbout::EspInUdp, None),
            Quoted::Udp { source_port, destination_port, isakmp, .. } => {
                let quoted = Message::decode(isakmp, u32::MAX).ok().map(|message| message.header.initiator_spi);
                (IcmpAbout::Isakmp { source_port, destination_port }, quoted)
            }
            Quoted::Esp { .. } => (IcmpAbout::Esp, None),
            Quoted::Ah { .. } => (IcmpAbout::Ah, None),
            Quoted::Fragment { protocol } => (IcmpAbout::Fragment { protocol }, None),
        };
        let known = pair.icmp_errors.iter_mut().find(|fact| {
            (fact.from, fact.icmp_type, fact.code, fact.about) == (datagram.source, error.icmp_type, error.code, about)
                && fact.quoted_source == error.quoted_source
                && fact.initiator_spi == initiator_spi
        });
        if let Some(fact) = known {
            let elsewhere = fact.frames.last().is_some_and(|last| last.capture != datagram.frame.capture);
            if elsewhere && datagram.at.since(fact.last) < AT_TWO_POINTS {
                return;
            }
            fact.count += 1;
            fact.last = fact.last.max(datagram.at);
            fact.mtu = fact.mtu.into_iter().chain(error.mtu).min();
            if fact.frames.len() < FRAMES {
                fact.frames.push(datagram.frame);
            }
            return;
        }
        if pair.icmp_errors.len() >= KINDS_A_PAIR || count >= most {
            self.facts.forgotten.messages += 1;
            return;
        }
        pair.icmp_errors.push(IcmpFact {
            from: datagram.source,
            version: error.version,
            icmp_type: error.icmp_type,
            code: error.code,
            mtu: error.mtu,
            quoted_source: error.quoted_source,
            quoted_destination: error.quoted_destination,
            about,
            initiator_spi,
            count: 1,
            frames: vec![datagram.frame],
            first: datagram.at,
            last: datagram.at,
        });
        self.icmp_count += 1;
    }
}
