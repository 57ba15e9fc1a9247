//! IKE in TCP: cuts, repeats, gaps, bounds.

use ikescope::base::{EspSpi, Limits, LinkType};
use ikescope::packet::{Class, Encapsulation, EspPacket};

use crate::bench::*;
use crate::craft::*;

fn assert_is_the_stream(seen: &[Seen]) {
    let isakmp = |len| What::Isakmp {
        ports: (40_000, 443),
        encapsulation: Encapsulation::Tcp,
        non_esp_marker: true,
        octets: ike(len),
    };
    let esp = EspPacket {
        spi: EspSpi(0x0909_0909),
        sequence: 0x0909_0909,
        length: 40,
        encapsulation: Encapsulation::Tcp,
        ports: (40_000, 443),
        readable: false,
    };
    let what: Vec<&What> = seen.iter().map(|seen| &seen.what).collect();
    assert_eq!(what, [&isakmp(60), &What::Esp(esp), &isakmp(90)]);
}

#[test]
fn a_tcp_stream_may_be_cut_into_segments_anywhere() {
    let octets = stream();
    for cut in 1..octets.len() {
        let mut bench = Bench::new();
        // Close to the end of the sequence numbers.
        let mut tcp = Tcp { source: 40_000, destination: 443, sequence: u32::MAX - 30 };
        let first = bench.ip(&tcp.next(&octets[..cut]));
        let second = bench.ip(&tcp.next(&octets[cut..]));
        assert_is_the_stream(&bench.seen);
        assert_eq!(first, if cut < 6 + 66 { Class::Other } else { Class::Isakmp }, "cut at {cut}");
        assert_eq!(second, Class::Isakmp, "cut at {cut}");
        if (7..6 + 66).contains(&cut) {
            assert_eq!((bench.seen[0].first_frame, bench.seen[0].frame), (1, 2), "cut at {cut}");
        }
    }
    let mut bench = Bench::new();
    let mut tcp = Tcp { source: 40_000, destination: 443, sequence: 1 };
    for octet in octets {
        bench.ip(&tcp.next(&[octet]));
    }
    assert_is_the_stream(&bench.seen);
}

#[test]
fn segments_may_come_again_and_out_of_order() {
    let octets = stream();
    let tcp = Tcp { source: 40_000, destination: 443, sequence: 0 };
    let at = |from: usize, to: usize| tcp.segment(1000 + from as u32, Tcp::ACK, &octets[from..to]);
    let end = octets.len();
    let mut bench = Bench::new();
    for packet in [at(0, 20), at(0, 20), at(60, 120), at(100, end), at(10, 50), at(0, 70), at(90, end)] {
        bench.ip(&packet);
    }
    assert_is_the_stream(&bench.seen);
}

#[test]
fn the_answering_side_is_followed_without_a_prefix() {
    let mut bench = Bench::new();
    let mut tcp = Tcp { source: 40_000, destination: 443, sequence: 1 };
    bench.ip(&tcp.next(b"IKETCP"));
    let mut back = Tcp { source: 443, destination: 40_000, sequence: 7000 };
    let answer = marked(80);
    bench.ip(&back.next(&answer[..30]));
    assert_eq!(bench.ip(&back.next(&answer[30..])), Class::Isakmp);
    assert_eq!(bench.messages(), [ike(80)]);
}

#[test]
fn a_capture_may_begin_within_a_stream_on_a_port_of_ours() {
    for payload in [marked(60), join(&[&marked(60), &marked(60)[..20]]), record(&[9; 40])] {
        let mut bench = Bench::new();
        let mut tcp = Tcp { source: 40_000, destination: 4500, sequence: 1 };
        let class = bench.ip(&tcp.next(&payload));
        assert!(matches!(class, Class::Isakmp | Class::EspUdp));
        assert_eq!(bench.seen.len(), 1);
    }
    let mut tcp = Tcp { source: 40_000, destination: 4500, sequence: 1 };
    assert_eq!(one_ip(&tcp.next(b"HTTP/1.1 200 OK")), (Class::Other, vec![]));
    let mut tcp = Tcp { source: 40_000, destination: 443, sequence: 1 };
    assert_eq!(one_ip(&tcp.next(&marked(60))), (Class::Other, vec![]));
}

#[test]
fn a_stream_goes_on_behind_a_gap() {
    let mut bench = Bench::new();
    let mut tcp = Tcp { source: 40_000, destination: 443, sequence: 1 };
    bench.ip(&tcp.next(&stream()));
    bench.taken();
    tcp.next(&marked(60));
    bench.ip(&tcp.next(&marked(70)));
    assert_eq!(bench.messages(), Vec::<Vec<u8>>::new());
    bench.finish();
    assert_eq!(bench.messages(), [ike(70)]);
    // While the capture goes on, only so many segments wait.
    let mut bench = Bench::new();
    bench.ip(&tcp.next(&stream()));
    bench.taken();
    tcp.next(&marked(60));
    for _ in 0..100 {
        bench.ip(&tcp.next(&marked(70)));
    }
    assert_eq!(bench.messages().len(), 100);
    assert_eq!(bench.classifier.stream_gaps(0), 1);
}

#[test]
fn a_segment_cut_by_the_snap_length_still_shows_its_header() {
    let mut tcp = Tcp { source: 40_000, destination: 443, sequence: 1 };
    let mut bench = Bench::new();
    bench.ip(&tcp.next(b"IKETCP"));
    let frame = ethernet(&tcp.next(&marked(300)));
    assert_eq!(bench.frame(LinkType::ETHERNET, 0, &frame[..120], frame.len()), Class::Isakmp);
    let here = 120 - 14 - 20 - 20 - 6;
    assert_eq!(bench.messages(), [&ike(300)[..here]]);
    assert_eq!(bench.taken()[0].missing, 300 - here as u32);
    bench.ip(&tcp.next(&marked(60)));
    assert_eq!(bench.messages(), [ike(60)]);
}

#[test]
fn records_that_cannot_be_are_given_up() {
    for length in [0, 1] {
        let mut tcp = Tcp { source: 40_000, destination: 443, sequence: 1 };
        let mut bench = Bench::new();
        let broken = join(&[b"IKETCP", &be(length), &[0; 40]]);
        assert_eq!(bench.ip(&tcp.next(&broken)), Class::Malformed);
        // The next segment that begins with a record is read again.
        assert_eq!(bench.ip(&tcp.next(&marked(60))), Class::Isakmp);
    }
}

#[test]
fn only_so_many_streams_are_followed() {
    let limits = Limits { streams: 4, ..Limits::default() };
    let mut bench = Bench::with(&[], &limits);
    let mut streams: Vec<Tcp> = (0..20).map(|at| Tcp { source: 40_000 + at, destination: 443, sequence: 1 }).collect();
    for tcp in &mut streams {
        bench.ip(&tcp.next(b"IKETCP"));
    }
    for tcp in &mut streams {
        bench.ip(&tcp.next(&marked(60)));
    }
    // Both directions count, and the last ones stay.
    assert_eq!(bench.messages().len(), 2);
    assert_eq!(bench.classifier.streams_forgotten(), 36);
}
