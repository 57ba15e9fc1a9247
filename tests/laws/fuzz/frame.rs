//! Any octets as a frame: what is handed on lies in the frame, fits the class, and does not depend on the link.

use ikescope::base::{FrameRef, Limits, LinkType, Timestamp};
use ikescope::capture::Frame;
use ikescope::packet::{Body, Class, Classifier, Encapsulation};

use super::Asked;
use super::craft;
use super::seen::{Seen, What};

/// Link types a frame may be of; the last one is nobody's.
pub const LINKS: [u32; 16] = [1, 0, 9, 12, 14, 50, 51, 101, 108, 113, 204, 228, 229, 276, 105, 65_000];

/// Link (index into [`LINKS`]), octets that were not captured, the frame.
pub fn hold(octets: &[u8], _: Asked) {
    let [link, uncaptured, bytes @ ..] = octets else { return };
    let link = LinkType(LINKS[usize::from(*link) % LINKS.len()]);
    let wire_len = bytes.len() as u32 + u32::from(*uncaptured);

    let whole = classify(link, bytes, wire_len);
    assert_eq!(whole, classify(link, bytes, wire_len), "the same frame gives the same datagrams");
    check_class(&whole);
    check_links(bytes, *uncaptured);
    for cut in [bytes.len() / 2, bytes.len().saturating_sub(9), bytes.len().saturating_sub(1)] {
        check_cut(&whole, link, &bytes[..cut], wire_len);
    }
}

/// Class of a frame and its datagrams, from a classifier that has seen nothing else.
fn classify(link: LinkType, bytes: &[u8], wire_len: u32) -> (Class, Vec<Seen>) {
    let mut classifier = Classifier::new(&[7000], &Limits::default());
    let mut seen = Vec::new();
    let frame = Frame { reference: FrameRef::new(0, 1), at: Timestamp::default(), link, interface: 0, bytes, wire_len };
    let mut datagrams = 0;
    let class = classifier.classify(&frame, &mut |datagram| {
        datagrams += 1;
        if let Body::Isakmp(isakmp) = datagram.body
            && isakmp.encapsulation != Encapsulation::Tcp
            && datagram.fragments == 1
            && !isakmp.octets.is_empty()
        {
            let (frame, message) = (bytes.as_ptr_range(), isakmp.octets.as_ptr_range());
            let borrowed = frame.start <= message.start && message.end <= frame.end;
            // Of a fragment a copy is handed on.
            let copied = || bytes.windows(isakmp.octets.len()).any(|window| window == isakmp.octets);
            assert!(borrowed || copied(), "a message lies in its frame");
        }
        seen.push(Seen::of(datagram));
    });
    assert!(datagrams <= 1 + bytes.len() / 2, "{datagrams} datagrams in {} octets", bytes.len());
    classifier.finish(&mut |datagram| seen.push(Seen::of(datagram)));
    (class, seen)
}

/// The class is that of a datagram in the frame, and of the most telling one.
fn check_class((class, seen): &(Class, Vec<Seen>)) {
    let classes: Vec<Class> = seen.iter().filter_map(Seen::class).collect();
    match class {
        Class::Isakmp | Class::Esp | Class::EspUdp | Class::Ah | Class::Keepalive | Class::IcmpError => {
            assert!(classes.contains(class), "{class:?} and {seen:?}");
        }
        Class::Malformed => assert!(classes.iter().all(|class| *class == Class::Malformed), "{class:?} and {seen:?}"),
        Class::Fragment | Class::UnknownLink | Class::Other => assert!(classes.is_empty(), "{class:?} and {seen:?}"),
    }
    if classes.contains(&Class::Isakmp) {
        assert_eq!(*class, Class::Isakmp, "a message is the most telling of all: {seen:?}");
    }
}

/// An IP packet says the same on every link.
fn check_links(packet: &[u8], uncaptured: u8) {
    let version = packet.first().map_or(0, |first| first >> 4);
    if !matches!(version, 4 | 6) {
        return;
    }
    let mut expected = None;
    for (link, head) in craft::links(version == 6) {
        let frame = [head, packet].concat();
        let (class, mut seen) = classify(LinkType(link), &frame, frame.len() as u32 + u32::from(uncaptured));
        // Packets between private networks are looked for on Ethernet only.
        seen.retain(|seen| !matches!(seen.what, What::Aside(_)));
        let expected = expected.get_or_insert_with(|| (class, seen.clone()));
        assert_eq!((class, seen), *expected, "link type {link} with {} octets in front", head.len());
    }
}

/// A frame that was cut holds no message that is not in the whole one.
fn check_cut((_, whole): &(Class, Vec<Seen>), link: LinkType, bytes: &[u8], wire_len: u32) {
    let (class, part) = classify(link, bytes, wire_len);
    check_class(&(class, part.clone()));
    if whole.iter().any(|seen| matches!(seen.what, What::Incomplete(_))) {
        // A first fragment waits for the others, but not if it was cut: then what there is of it is handed on.
        return;
    }
    for octets in part.iter().filter_map(Seen::isakmp).filter(|octets| octets.len() >= 28) {
        assert!(
            whole.iter().filter_map(Seen::isakmp).any(|whole| whole.starts_with(octets)),
            "cut at {} of {wire_len} octets: {part:?}\nwhole: {whole:?}",
            bytes.len()
        );
    }
}
