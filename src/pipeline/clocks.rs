//! Clocks of several captures: messages that two of them hold tell how far apart their clocks are.
//!
//! Not here: merging by time. Contract: a capture is put right only by messages of both sides that it has in common with
//! another one, copy by copy; captures that follow each other, and clocks that agree, stay as they are.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::path::Path;

use foldhash::quality::FixedState;

use super::Options;
use crate::capture::Captures;
use crate::packet::{Body, Classifier, Datagram};

/// Captures that are compared: more are pieces of one, most likely.
const MOST_CAPTURES: usize = 8;
/// What of each is looked at.
const MESSAGES: usize = 256;
const FRAMES: u64 = 20_000;
/// So many messages in both tell how far apart the clocks are,
const COMMON: usize = 4;
/// which differ by no more than this, in nanoseconds: twice the time that a packet is under way.
const SPREAD: i64 = 1_000_000_000;
/// Clocks this near agree: a packet may be under way as long.
const AGREE: i64 = 200_000_000;

/// A packet: what the message says, and the IP identification.
type Packet = (u64, Option<u32>);

/// When packets of a capture were recorded first, and who sent them.
type Seen = HashMap<Packet, (i64, IpAddr)>;

/// Puts the clocks of captures right by that of the first one with which they have enough in common.
pub fn put_right(captures: &mut Captures, options: &Options) {
    let infos = captures.infos();
    if !(2..=MOST_CAPTURES).contains(&infos.len()) {
        return;
    }
    let seen: Vec<Seen> = infos.iter().map(|info| messages(&info.path, options)).collect();
    let mut ahead = vec![0_i64; seen.len()];
    for id in 1..seen.len() {
        let (before, here) = (&seen[..id], &seen[id]);
        let known =
            before.iter().zip(&ahead).find_map(|(other, ahead)| Some(ahead.saturating_add(apart(other, here)?)));
        ahead[id] = known.filter(|ahead| ahead.saturating_abs() > AGREE).unwrap_or(0);
    }
    captures.put_back(&ahead);
}

/// The first messages of a file. None of what cannot be read twice.
fn messages(path: &Path, options: &Options) -> Seen {
    let mut seen = Seen::new();
    if !path.is_file() {
        return seen;
    }
    let mut capture = Captures::open(&[path.to_owned()]);
    let mut classifier = Classifier::new(&options.ike_ports, &options.limits);
    let hasher = FixedState::default();
    for _ in 0..FRAMES {
        let Some(frame) = capture.next_frame() else { break };
        classifier.classify(&frame, &mut |datagram: &Datagram<'_>| {
            if let Body::Isakmp(isakmp) = datagram.body {
                let packet = (hasher.hash_one(isakmp.octets), datagram.ip_id);
                seen.entry(packet).or_insert((datagram.at.as_nanos(), datagram.source));
            }
        });
        if seen.len() >= MESSAGES {
            break;
        }
    }
    seen
}

/// By how many nanoseconds the clock of `here` is ahead of that of `other`: halfway between what a packet seems to take there
/// and back. `None` if they have too little in common.
fn apart(other: &Seen, here: &Seen) -> Option<i64> {
    let common = here.iter().filter_map(|(packet, &(at, _))| {
        let &(there, sender) = other.get(packet)?;
        Some((at.saturating_sub(there), sender))
    });
    let mut common: Vec<(i64, IpAddr)> = common.collect();
    common.sort_unstable();
    let (median, _) = *common.get(common.len() / 2)?;
    // where the first copy is in one of them only, the next ones were compared
    common.retain(|(apart, _)| apart.abs_diff(median) <= SPREAD.unsigned_abs() / 2);
    let senders: HashSet<IpAddr> = common.iter().map(|&(_, sender)| sender).collect();
    let ((least, _), (most, _)) = (common.first()?, common.last()?);
    (common.len() >= COMMON && senders.len() >= 2).then(|| least + (most - least) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(packets: &[(u64, i64, u8)]) -> Seen {
        let one = |&(what, at, sender): &(u64, i64, u8)| {
            ((what, Some(7)), (at * 1_000_000, IpAddr::from([192, 0, 2, sender])))
        };
        packets.iter().map(one).collect()
    }

    #[test]
    fn clocks_are_compared_by_what_goes_both_ways() {
        let near = seen(&[(1, 0, 1), (2, 30, 2), (3, 40, 1), (4, 70, 2)]);
        // 2.7 s ahead, and 15 ms away
        let far = seen(&[(1, 2715, 1), (2, 2715, 2), (3, 2755, 1), (4, 2755, 2)]);
        assert_eq!(apart(&near, &far), Some(2_700_000_000));
        assert_eq!(apart(&far, &near), Some(-2_700_000_000));
        // the first copy of one message is at one point only
        let lost = seen(&[(1, 2715, 1), (2, 2715, 2), (3, 6755, 1), (4, 2755, 2), (5, 2800, 1)]);
        let near_too = seen(&[(1, 0, 1), (2, 30, 2), (3, 40, 1), (4, 70, 2), (5, 85, 1)]);
        assert_eq!(apart(&near_too, &lost), Some(2_700_000_000));
        // copies of one side, and too few
        assert_eq!(
            apart(
                &seen(&[(1, 0, 1), (2, 1, 1), (3, 2, 1), (4, 3, 1)]),
                &seen(&[(1, 4000, 1), (2, 4001, 1), (3, 4002, 1), (4, 4003, 1)])
            ),
            None
        );
        assert_eq!(apart(&seen(&[(1, 0, 1), (2, 1, 2)]), &seen(&[(1, 4000, 1), (2, 4001, 2)])), None);
    }
}
