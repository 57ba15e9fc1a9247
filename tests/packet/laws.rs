//! What holds for any octets.

use std::time::Duration;

use ikescope::base::{Limits, LinkType};
use proptest::prelude::*;

use crate::bench::*;
use crate::craft::*;

const LINKS: [u32; 16] = [0, 1, 9, 12, 14, 50, 51, 101, 105, 108, 113, 204, 228, 229, 276, 4_000_000_000];

/// Packets that reach every reader.
fn specimens() -> Vec<Vec<u8>> {
    let mut tcp = Tcp { source: 40_000, destination: 4500, sequence: 1 };
    let options = [UDP, 0, 1, 4, 0, 0, 0, 0];
    let mut packets = vec![
        request(),
        ipv6(0, &join(&[&options, &udp(500, 500, &ike(60))])),
        ipv6(44, &join(&[&[UDP, 0, 0, 1, 0, 0, 0, 99], &udp(500, 500, &ike(60))])),
        ipv4(UDP, &udp(4500, 4500, &join(&[&[0; 4], &ike(60)]))),
        ipv4(ESP, &[7; 40]),
        ipv4(AH, &[7; 40]),
        icmp(3, 4, [0, 0, 5, 0x78], &request()),
        ipv6(58, &join(&[&[2, 0, 0, 0, 0, 0, 5, 0], &ipv6(UDP, &udp(500, 500, &ike(60)))])),
        gre(0xb000, 0x88be, &[1; 12], &join(&[&[0; 8], &ethernet(&request())])),
        gre(0x1000, 0x22eb, &[1; 16], &ethernet(&request())),
        ipv4(UDP, &udp(55_000, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(&request())]))),
        ipv4(UDP, &udp(55_000, 6081, &join(&[&[1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4], &ethernet(&request())]))),
        tcp.next(&stream()),
        tcp.next(&marked(60)),
    ];
    packets.extend(fragments(UDP, &udp(500, 500, &ike(300)), 104));
    packets
}

/// What is handed on must lie within what was captured and claimed.
fn assert_sane(seen: &[Seen], captured: usize) {
    for seen in seen {
        if let What::Isakmp { octets, .. } = &seen.what {
            assert!(octets.len() <= captured);
        }
    }
}

#[test]
fn a_frame_may_end_anywhere() {
    for packet in specimens() {
        for (_, link, frame) in on_every_link(&packet) {
            for len in 0..frame.len() {
                let mut bench = Bench::new();
                bench.frame(link, 0, &frame[..len], frame.len());
                bench.frame(link, 0, &frame[..len], len);
                bench.finish();
                assert_sane(&bench.seen, frame.len());
            }
        }
    }
}

proptest! {
    #[test]
    fn no_octets_stop_it(
        frames in prop::collection::vec((prop::sample::select(&LINKS[..]), prop::collection::vec(any::<u8>(), 0..200), any::<u32>()), 1..8),
    ) {
        let mut bench = Bench::with(&[7000], &Limits { reassemblies: 2, reassembly_octets: 500, streams: 2, ..Limits::default() });
        for (link, bytes, more) in frames {
            bench.frame(LinkType(link), i64::from(more), &bytes, bytes.len() + (more % 1000) as usize);
        }
        bench.finish();
        assert_sane(&bench.seen, 8 * 200);
    }

    #[test]
    fn no_damage_stops_it(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..60),
        tight in any::<bool>(),
    ) {
        let limits = if tight {
            Limits { reassemblies: 2, reassembly_octets: 500, streams: 2, reassembly_time: Duration::from_secs(1), ..Limits::default() }
        } else {
            Limits::default()
        };
        let mut bench = Bench::with(&[], &limits);
        let specimens = specimens();
        for (which, at, value) in damage {
            let mut packet = which.get(&specimens).clone();
            let at = at.index(packet.len());
            packet[at] = value;
            bench.ip_at(i64::from(value), &packet);
        }
        bench.finish();
        assert_sane(&bench.seen, 65_535);
    }

    /// The order in which any fragments of one datagram come does not change the message.
    #[test]
    fn any_cover_by_fragments_gives_the_message(
        cuts in prop::collection::vec((0_usize..38, 1_usize..39), 0..12),
        reverse in any::<bool>(),
    ) {
        let datagram = udp(500, 500, &ike(300));
        let mut ranges: Vec<(usize, usize)> = cuts
            .into_iter()
            .map(|(from, len)| (from * 8, ((from + len) * 8).min(datagram.len())))
            .collect();
        ranges.push((0, 160));
        ranges.push((160, datagram.len()));
        if reverse {
            ranges.reverse();
        }
        let mut bench = Bench::new();
        for (from, to) in ranges {
            bench.ip(&ipv4_fragment(UDP, from, to != datagram.len(), &datagram[from..to]));
        }
        let messages = bench.messages();
        prop_assert!(!messages.is_empty());
        for seen in &bench.seen {
            prop_assert!(!seen.ambiguous_overlap);
        }
        for message in messages {
            prop_assert_eq!(message, ike(300));
        }
    }
}
