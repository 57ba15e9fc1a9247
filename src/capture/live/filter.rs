//! The kernel's filter: which frames are worth copying to this program.
//!
//! Two texts in libpcap's language say the same. [`filter`] is the one for people; it sees IP right behind the link
//! layer only. [`program`] is the one that is used: libpcap's words for tags (`vlan`, `pppoes`) move all offsets behind
//! them for the rest of the text, so that no order of them covers every nesting, and this text therefore names the
//! octets themselves. A tag that the kernel took off before it filters leaves the frame as if there had been none.
//!
//! Not here: what becomes of a frame. Contract: what these texts refuse, `packet` would not make use of, with these
//! exceptions: packets in clear between private networks (every packet would have to pass), IKE in TCP on other ports
//! than those asked for (it is known by its first segment only), IP behind 802.2 headers and compressed PPP protocols.

use std::fmt::Write as _;

use super::LiveError;
use crate::base::LinkType;

/// Ports of IKE: RFC 7296 §2, RFC 3947.
const IKE_PORTS: [u16; 2] = [500, 4500];
/// L2TP, which is in clear if it is seen (RFC 2661 §8.1).
const L2TP: u16 = 1701;
/// DNS, whose failures explain why a peer is never called.
const DNS: u16 = 53;
/// VXLAN, VXLAN before its assignment, and Geneve: mirror ports use them.
const TUNNEL_PORTS: [u16; 3] = [4789, 8472, 6081];
/// ESP, AH, and tunnels that may hold either: IPv4, IPv6, GRE.
const WHOLE_PROTOCOLS: [u8; 5] = [50, 51, 4, 41, 47];
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;
/// Hop-by-hop options, routing, fragment, destination options, mobility (RFC 8200 §4): what follows them is not
/// looked for in the kernel.
const EXTENSION_HEADERS: [u8; 5] = [0, 43, 44, 60, 135];
/// 802.1Q, 802.1ad, and the type used for stacked tags before it.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Tags that the kernel leaves in a frame. One more may have been taken off.
const MOST_TAGS: usize = 2;

/// The kernel filter in words of tcpdump, for people: what it admits of IP right behind the link layer. Live capture
/// admits the same behind VLAN tags, PPPoE and MPLS.
///
/// `ike_ports`: UDP and TCP ports that carry IKE besides 500 and 4500.
pub fn filter(ike_ports: &[u16]) -> String {
    parts(ike_ports).join(" or ")
}

/// The parts of [`filter`], each of which may be used without the others. In libpcap's language `and` binds no tighter
/// than `or`.
pub(super) fn parts(ike_ports: &[u16]) -> Vec<String> {
    let mut parts: Vec<String> = ports(ike_ports).map(|port| format!("udp port {port} or tcp port {port}")).collect();
    parts.push(format!("udp port {L2TP} or udp src port {DNS}"));
    parts.push("esp or ah".to_owned());
    parts.push(any("icmp[0]", &[0, 3, 4, 5, 11, 12]));
    parts.push(format!("(ip6[6] = {ICMP_V6} and (ip6[40] = 129 or (ip6[40] >= 1 and ip6[40] <= 4)))"));
    parts.push("ip[6:2] & 0x1fff != 0".to_owned());
    parts.push(any("ip6[6]", &EXTENSION_HEADERS));
    parts.push("ip proto 4 or ip proto 41 or ip proto 47 or ip6 proto 4 or ip6 proto 41 or ip6 proto 47".to_owned());
    parts.push(TUNNEL_PORTS.map(|port| format!("udp dst port {port}")).join(" or "));
    parts
}

/// The filter for frames of type `link`; `None` if frames of that type are not taken apart here.
pub(super) fn program(link: LinkType, ike_ports: &[u16]) -> Option<String> {
    let whole = Whole { ike_ports };
    Some(match link {
        LinkType::ETHERNET => whole.typed(12, MOST_TAGS),
        // An outgoing frame whose tag is still in it is shown with the tag's type and, right behind, the IP packet.
        LinkType::LINUX_SLL => {
            format!("{} or (({}) and ({}))", whole.typed(14, MOST_TAGS), any("link[14:2]", &TAGS), whole.untyped(16))
        }
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => whole.untyped(0),
        // The family is not looked at: its octets stand in the order of whoever captured.
        LinkType::NULL | LinkType::LOOP => whole.untyped(4),
        _ => return None,
    })
}

/// The filter an interface gets.
#[derive(Debug)]
pub(super) struct Chosen {
    /// For [`pcap::Capture::filter`]; empty: every frame is admitted.
    pub text: String,
    /// What could not be had, for a person.
    pub left_out: Option<String>,
}

/// The narrowest filter that `compile` takes for frames of type `link`, and `user`'s with it.
///
/// Errors: `user` is no filter, or not for this type.
pub(super) fn choose(
    link: LinkType,
    ike_ports: &[u16],
    user: Option<&str>,
    compile: &dyn Fn(&str) -> Result<(), String>,
) -> Result<Chosen, LiveError> {
    if let Some(text) = user {
        // By itself first, so that `a) or (b` is found out.
        compile(text).map_err(|reason| LiveError::Filter { text: text.to_owned(), reason })?;
    }
    let with_user = |text: String| match user {
        // The user's comes second: it may hold words that move the offsets of what follows.
        Some(user) if !text.is_empty() => format!("({text}) and ({user})"),
        Some(user) => user.to_owned(),
        None => text,
    };
    if let Some(text) = program(link, ike_ports).map(with_user).filter(|text| compile(text).is_ok()) {
        return Ok(Chosen { text, left_out: None });
    }
    let text = with_user(filter(ike_ports));
    if compile(&text).is_ok() {
        let left_out = format!("the kernel filters frames of link type {link} without looking behind tags");
        return Ok(Chosen { text, left_out: Some(left_out) });
    }
    let said: Vec<String> = parts(ike_ports).into_iter().filter(|part| compile(part).is_ok()).collect();
    let text = with_user(said.join(" or "));
    let left_out = match (said.is_empty(), compile(&text)) {
        (false, Ok(())) => format!("of frames of link type {link} the kernel admits only: {}", said.join(" or ")),
        _ => {
            let left_out = format!("the kernel cannot filter frames of link type {link}: every frame is read");
            return Ok(Chosen { text: with_user(String::new()), left_out: Some(left_out) });
        }
    };
    Ok(Chosen { text, left_out: Some(left_out) })
}

fn ports(ike_ports: &[u16]) -> impl Iterator<Item = u16> {
    IKE_PORTS.into_iter().chain(ike_ports.iter().copied().filter(|port| !IKE_PORTS.contains(port)))
}

/// `value` is one of `numbers`.
fn any<N: std::fmt::Display>(value: &str, numbers: &[N]) -> String {
    numbers.iter().map(|number| format!("{value} = {number}")).collect::<Vec<_>>().join(" or ")
}

/// Writes the text in terms of octets, counted from the start of the frame.
struct Whole<'a> {
    ike_ports: &'a [u16],
}

impl Whole<'_> {
    /// What an EtherType at octet `at` announces, with up to `tags` VLAN tags in front of it.
    fn typed(&self, at: usize, tags: usize) -> String {
        let (v4, v6) = (self.v4(at + 2), self.v6(at + 2));
        // Behind the EtherType: six octets of PPPoE (RFC 2516 §4), two of PPP.
        let (ppp_v4, ppp_v6) = (self.v4(at + 10), self.v6(at + 10));
        let mut text = format!(
            "(link[{at}:2] = 0x0800 and {v4}) or (link[{at}:2] = 0x86dd and {v6}) or (link[{at}:2] = 0x8864 and \
             ((link[{ppp}:2] = 0x0021 and {ppp_v4}) or (link[{ppp}:2] = 0x0057 and {ppp_v6}))) \
             or link[{at}:2] = 0x8847 or link[{at}:2] = 0x8848",
            ppp = at + 8
        );
        if tags > 0 {
            let tag = any(&format!("link[{at}:2]"), &TAGS);
            // writing to a String cannot fail
            let _ = write!(text, " or (({tag}) and ({}))", self.typed(at + 4, tags - 1));
        }
        text
    }

    /// An IP packet at octet `at` that tells its version itself.
    fn untyped(&self, at: usize) -> String {
        let (v4, v6) = (self.v4(at), self.v6(at));
        format!("(link[{at}] & 0xf0 = 0x40 and {v4}) or (link[{at}] & 0xf0 = 0x60 and {v6})")
    }

    fn v4(&self, at: usize) -> String {
        let protocol = format!("link[{}]", at + 9);
        let behind = |octets: usize| format!("{} + ((link[{at}] & 0xf) << 2)", at + octets);
        let icmp_type = format!("link[{}]", behind(0));
        // Fragments come first: in the others the octets that follow may not be there, and then all is refused.
        format!(
            "(link[{fragment}:2] & 0x1fff != 0 or {whole} or ({protocol} = {ICMP} and ({icmp_type} = 0 or \
             {icmp_type} = 3 or {icmp_type} = 4 or {icmp_type} = 5 or {icmp_type} = 11 or {icmp_type} = 12)) or {upper})",
            fragment = at + 6,
            whole = any(&protocol, &WHOLE_PROTOCOLS),
            upper = self.upper(&protocol, &behind(0), &behind(2)),
        )
    }

    fn v6(&self, at: usize) -> String {
        let protocol = format!("link[{}]", at + 6);
        let icmp_type = format!("link[{}]", at + 40);
        format!(
            "({whole} or {extended} or ({protocol} = {ICMP_V6} and ({icmp_type} = 129 or \
             ({icmp_type} >= 1 and {icmp_type} <= 4))) or {upper})",
            whole = any(&protocol, &WHOLE_PROTOCOLS),
            extended = any(&protocol, &EXTENSION_HEADERS),
            upper = self.upper(&protocol, &(at + 40).to_string(), &(at + 42).to_string()),
        )
    }

    /// UDP and TCP, with the octets at which their ports stand.
    fn upper(&self, protocol: &str, source: &str, destination: &str) -> String {
        let (source, destination) = (format!("link[{source}:2]"), format!("link[{destination}:2]"));
        let ike: Vec<u16> = ports(self.ike_ports).collect();
        let (from_ike, to_ike) = (any(&source, &ike), any(&destination, &ike));
        let (from_aside, to_aside) = (any(&source, &[L2TP, DNS]), any(&destination, &[L2TP]));
        let tunnel = any(&destination, &TUNNEL_PORTS);
        format!(
            "({protocol} = {TCP} and ({from_ike} or {to_ike})) or \
             ({protocol} = {UDP} and ({from_ike} or {from_aside} or {to_ike} or {to_aside} or {tunnel}))"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pcap::{BpfProgram, Capture, Linktype};

    use super::*;
    use crate::base::{FrameRef, Limits, Timestamp};
    use crate::capture::live::available;
    use crate::capture::{Captures, Frame};
    use crate::packet::{Class, Classifier};

    /// What the kernel takes of a filter (BPF_MAXINSNS).
    const MOST_INSTRUCTIONS: usize = 4096;
    const LINKS: [LinkType; 6] =
        [LinkType::ETHERNET, LinkType::LINUX_SLL, LinkType::RAW, LinkType::NULL, LinkType::LOOP, LinkType::RAW_BSD];

    fn compile(link: LinkType, text: &str) -> Result<BpfProgram, String> {
        // on Linux libpcap's own number of raw IP is the older one
        let number = if link == LinkType::RAW { 12 } else { link.0 as i32 };
        let dead = Capture::dead(Linktype(number)).map_err(|error| error.to_string())?;
        dead.compile(text, true).map_err(|error| error.to_string())
    }

    fn skipped() -> bool {
        let missing = available().err();
        if let Some(missing) = &missing {
            println!("skipped: {missing}");
        }
        missing.is_some()
    }

    fn of(link: LinkType, ports: &[u16]) -> BpfProgram {
        compile(link, &program(link, ports).unwrap()).unwrap()
    }

    /// IPv4 with `options` octets of options.
    fn v4(options: usize, fragment: u16, protocol: u8, carried: &[u8]) -> Vec<u8> {
        let len = (20 + options + carried.len()) as u16;
        let mut packet = vec![0x45 + (options / 4) as u8, 0];
        packet.extend(len.to_be_bytes());
        packet.extend([0, 9]);
        packet.extend(fragment.to_be_bytes());
        packet.extend([64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2]);
        packet.extend(vec![1; options]);
        packet.extend(carried);
        packet
    }

    fn v6(protocol: u8, carried: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend((carried.len() as u16).to_be_bytes());
        packet.extend([protocol, 64]);
        packet.extend([0x20; 32]);
        packet.extend(carried);
        packet
    }

    fn ported(source: u16, destination: u16) -> Vec<u8> {
        [source.to_be_bytes(), destination.to_be_bytes(), [0, 40], [0; 2]].concat().into_iter().chain([7; 32]).collect()
    }

    /// What an EtherType and all before it looks like in front of `packet`, in every nesting that is looked through.
    fn heads(packet: &[u8]) -> Vec<Vec<u8>> {
        let six = packet[0] >> 4 == 6;
        let ether_type: [u8; 2] = if six { [0x86, 0xdd] } else { [8, 0] };
        let ppp = [&[0x88, 0x64, 0x11, 0, 0, 7, 0, 99][..], if six { &[0, 0x57] } else { &[0, 0x21] }].concat();
        let mpls = [0x88, 0x47, 0, 1, 1, 64].to_vec();
        let tags: [&[u8]; 5] = [
            &[],
            &[0x81, 0, 0, 5],
            &[0x88, 0xa8, 0, 6, 0x81, 0, 0, 5],
            &[0x81, 0, 0, 6, 0x81, 0, 0, 5],
            &[0x91, 0, 0, 6, 0x81, 0, 0, 5],
        ];
        let inner = [ether_type.to_vec(), ppp, mpls];
        tags.iter().flat_map(|tag| inner.iter().map(move |inner| [tag, &inner[..]].concat())).collect()
    }

    /// `packet` in frames of `link`.
    fn framed(link: LinkType, packet: &[u8]) -> Vec<Vec<u8>> {
        let fronts = match link {
            LinkType::ETHERNET => heads(packet).into_iter().map(|head| [vec![2; 12], head].concat()).collect(),
            LinkType::LINUX_SLL => heads(packet).into_iter().map(|head| [vec![0; 14], head].concat()).collect(),
            LinkType::NULL => vec![vec![2, 0, 0, 0]],
            LinkType::LOOP => vec![vec![0, 0, 0, 2]],
            _ => vec![Vec::new()],
        };
        fronts.into_iter().map(|front: Vec<u8>| [&front, packet].concat()).collect()
    }

    fn ours() -> Vec<(&'static str, Vec<u8>)> {
        let mut list = Vec::new();
        for port in [500, 4500, 1701, 5555] {
            list.push(("to a port of ours", v4(0, 0, UDP, &ported(40_000, port))));
            list.push(("from a port of ours", v4(0, 0x4000, UDP, &ported(port, 40_000))));
            list.push(("behind IPv4 options", v4(24, 0, UDP, &ported(port, 40_000))));
            list.push(("IPv6", v6(UDP, &ported(port, 40_000))));
        }
        for port in [500, 4500, 5555] {
            list.push(("TCP", v4(0, 0, TCP, &ported(40_000, port))));
            list.push(("TCP in IPv6", v6(TCP, &ported(port, 40_000))));
        }
        list.push(("a DNS answer", v4(0, 0, UDP, &ported(53, 40_000))));
        for protocol in [50, 51] {
            list.push(("ESP, AH", v4(0, 0, protocol, &[7; 32])));
            list.push(("ESP, AH in IPv6", v6(protocol, &[7; 32])));
        }
        list.push(("an answer to a ping", v4(0, 0, ICMP, &[0, 0, 0, 0, 0, 0, 0, 0])));
        list.push(("an answer to a ping in IPv6", v6(ICMP_V6, &[129, 0, 0, 0, 0, 0, 0, 0])));
        for icmp_type in [3, 4, 5, 11, 12] {
            list.push(("an ICMP error", v4(4, 0, ICMP, &[icmp_type, 1, 0, 0, 0, 0, 0, 0])));
        }
        for icmp_type in 1..=4 {
            list.push(("an ICMPv6 error", v6(ICMP_V6, &[icmp_type, 1, 0, 0, 0, 0, 0, 0])));
        }
        list.push(("the end of a fragmented datagram", v4(0, 3, UDP, &[])));
        list.push(("a fragment in the middle", v4(0, 0x2003, UDP, &[1])));
        list.push(("an IPv6 fragment", v6(44, &[17, 0, 0, 8, 0, 0, 0, 1])));
        for extension in [0, 43, 60, 135] {
            list.push(("an IPv6 extension header", v6(extension, &[17, 0, 1, 4, 0, 0, 0, 0, 1, 244])));
        }
        let inner = v4(0, 0, UDP, &ported(500, 500));
        list.push(("IP in IP", v4(0, 0, 4, &inner)));
        list.push(("GRE", v4(0, 0, 47, &[&[0, 0, 8, 0], &inner[..]].concat())));
        list.push(("VXLAN", v4(0, 0, UDP, &ported(40_000, 4789))));
        list
    }

    fn foreign() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("web", v4(0, 0x4000, TCP, &ported(40_000, 443))),
            ("web in IPv6", v6(TCP, &ported(443, 40_000))),
            ("QUIC", v4(0, 0, UDP, &ported(40_000, 443))),
            ("a DNS query", v4(0, 0, UDP, &ported(40_000, 53))),
            ("a ping", v4(0, 0, ICMP, &[8, 0, 0, 0, 0, 0, 0, 0])),
            ("a ping in IPv6", v6(ICMP_V6, &[128, 0, 0, 0, 0, 0, 0, 0])),
            ("a neighbour solicitation", v6(ICMP_V6, &[135, 0, 0, 0, 0, 0, 0, 0])),
            ("OSPF", v4(0, 0, 89, &[2, 1, 0, 44])),
            ("a first fragment of something else", v4(0, 0x2000, UDP, &ported(40_000, 443))),
            ("500 where no port stands", v4(4, 0, UDP, &[&[0, 1, 0, 1][..], &[1, 244, 1, 244]].concat())),
        ]
    }

    #[test]
    fn each_filter_admits_what_is_ours_behind_every_header_and_nothing_else() {
        if skipped() {
            return;
        }
        for link in LINKS {
            let filter = of(link, &[5555]);
            for (what, packet) in ours() {
                for frame in framed(link, &packet) {
                    assert!(filter.filter(&frame), "{what} refused on {link}: {frame:02x?}");
                }
            }
            for (what, packet) in foreign() {
                for frame in framed(link, &packet).into_iter().filter(|frame| !holds_mpls(frame)) {
                    assert!(!filter.filter(&frame), "{what} admitted on {link}: {frame:02x?}");
                }
            }
        }
        let arp = [&[0xff; 12][..], &[8, 6], &[0; 28]].concat();
        assert!(!of(LinkType::ETHERNET, &[]).filter(&arp));
        let unasked = v4(0, 0, UDP, &ported(40_000, 5555));
        assert!(!of(LinkType::RAW, &[]).filter(&unasked), "a port that was not asked for");
    }

    /// It leaves out what is inside of tunnels, and IPv6 extension headers other than the fragment's.
    #[test]
    fn the_filter_of_the_documents_admits_what_ours_does() {
        const LEFT_OUT: [&str; 4] = ["GRE", "IP in IP", "VXLAN", "an IPv6 extension header"];
        if skipped() {
            return;
        }
        for document in ["README.md", "docs/capturing.md"] {
            let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
            let (_, behind) = text.split_once("tcpdump -i eth0 -w vpn.pcap '").unwrap();
            let said = compile(LinkType::RAW, behind.split_once('\'').unwrap().0).unwrap();
            let own = of(LinkType::RAW, &[]);
            for (what, packet) in ours().iter().filter(|(what, _)| !LEFT_OUT.contains(what)) {
                assert_eq!(said.filter(packet), own.filter(packet), "{what}, {document}");
            }
            assert!(!said.filter(&foreign()[0].1));
        }
    }

    /// Labels do not say what follows them, so that all of MPLS is admitted.
    fn holds_mpls(frame: &[u8]) -> bool {
        [12, 16, 20, 14, 18, 22].iter().any(|&at| frame.get(at..at + 6) == Some(&[0x88, 0x47, 0, 1, 1, 64]))
    }

    #[test]
    fn the_kernel_takes_each_filter_even_with_many_ports() {
        if skipped() {
            return;
        }
        let ports: Vec<u16> = (10_000..10_016).collect();
        for link in LINKS {
            for ports in [&[][..], &ports] {
                let filter = of(link, ports);
                let instructions = filter.get_instructions().len();
                assert!(instructions < MOST_INSTRUCTIONS, "{instructions} instructions on {link}");
            }
        }
    }

    /// Nothing is refused of which the report would have said something.
    #[test]
    fn what_is_used_of_the_captures_at_hand_is_admitted() {
        if skipped() {
            return;
        }
        let (full, plain) = (of(LinkType::ETHERNET, &[]), compile(LinkType::ETHERNET, &filter(&[])).unwrap());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab");
        let mut captures = Captures::open(&[folder]);
        let mut classifier = Classifier::new(&[], &Limits::default());
        let mut used = 0;
        while let Some(frame) = captures.next_frame() {
            let mut said = false;
            let class = classifier.classify(&frame, &mut |_| said = true);
            if frame.link != LinkType::ETHERNET {
                continue;
            }
            let is_ours = class != Class::Other || said;
            if is_ours {
                assert!(full.filter(frame.bytes), "{:?} of class {class:?} is refused", frame.reference);
                // the text for people does not look behind tags
                let is_tagged = !matches!(frame.bytes.get(12..14), Some([0x08, 0x00] | [0x86, 0xdd]));
                assert!(is_tagged || plain.filter(frame.bytes), "{:?} is refused by the short text", frame.reference);
                used += 1;
            }
        }
        assert!(used > 1000, "{used} frames");
    }

    #[test]
    fn what_the_classifier_reads_in_crafted_frames_is_admitted() {
        if skipped() {
            return;
        }
        for link in LINKS {
            let filter = of(link, &[5555]);
            for (what, packet) in ours().into_iter().chain(foreign()) {
                for bytes in framed(link, &packet) {
                    let mut classifier = Classifier::new(&[5555], &Limits::default());
                    let frame = Frame {
                        reference: FrameRef::new(0, 1),
                        at: Timestamp::default(),
                        link,
                        interface: 0,
                        bytes: &bytes,
                        wire_len: bytes.len() as u32,
                    };
                    let mut said = false;
                    let class = classifier.classify(&frame, &mut |_| said = true);
                    assert!(filter.filter(&bytes) || !(said || class != Class::Other), "{what} on {link}: {class:?}");
                }
            }
        }
    }

    #[test]
    fn a_filter_of_the_user_narrows_ours_and_cannot_widen_it() {
        if skipped() {
            return;
        }
        let link = LinkType::ETHERNET;
        let check = |text: &str| compile(link, text).map(drop);
        let chosen = choose(link, &[], Some("host 192.0.2.1 or vlan"), &check).unwrap();
        assert_eq!(chosen.left_out, None);
        let filter = compile(link, &chosen.text).unwrap();
        let frame = |packet: &[u8]| [&[2; 12][..], &[8, 0], packet].concat();
        assert!(filter.filter(&frame(&v4(0, 0, UDP, &ported(500, 500)))));
        assert!(!filter.filter(&frame(&v4(0, 0, TCP, &ported(443, 443)))));
        let mut elsewhere = v4(0, 0, UDP, &ported(500, 500));
        elsewhere[15] = 77;
        assert!(!filter.filter(&frame(&elsewhere)));
        for wrong in ["host 192.0.2.1) or (host 192.0.2.2", "no such word", "udp port"] {
            match choose(link, &[], Some(wrong), &check) {
                Err(error @ LiveError::Filter { .. }) => assert!(error.to_string().contains(wrong), "{error}"),
                other => panic!("{wrong}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_link_type_that_cannot_be_looked_through_gets_the_most_there_is_and_says_so() {
        if skipped() {
            return;
        }
        let choose = |link: LinkType| choose(link, &[], None, &|text| compile(link, text).map(drop)).unwrap();
        // frame relay is not taken apart here, and libpcap finds IP in it
        let frame_relay = choose(LinkType(107));
        assert_eq!(frame_relay.text, filter(&[]));
        assert!(frame_relay.left_out.unwrap().contains("linktype-107"));
        // USB holds no IP
        let usb = choose(LinkType(220));
        assert!(usb.left_out.is_some(), "{}", usb.text);
    }
}
