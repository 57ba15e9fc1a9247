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

/// The parts of [`filter`], each of which may be used without the others.
pub(super) fn parts(ike_ports: &[u16]) -> Vec<String> {
    let mut parts: Vec<String> = ports(ike_ports).map(|port| format!("udp port {port} or tcp port {port}")).collect();
    parts.push(format!("udp port {L2TP} or udp src port {DNS}"));
    parts.push("esp or ah".to_owned());
    parts.push("icmp[0] >= 3 and icmp[0] <= 5 or icmp[0] = 11 or icmp[0] = 12".to_owned());
    parts.push(format!("ip6[6] = {ICMP_V6} and ip6[40] >= 1 and ip6[40] <= 4"));
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
        LinkType::LINUX_SLL => whole.typed(14, MOST_TAGS),
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
            "(link[{fragment}:2] & 0x1fff != 0 or {whole} or ({protocol} = {ICMP} and ({icmp_type} = 3 or \
             {icmp_type} = 4 or {icmp_type} = 5 or {icmp_type} = 11 or {icmp_type} = 12)) or {upper})",
            fragment = at + 6,
            whole = any(&protocol, &WHOLE_PROTOCOLS),
            upper = self.upper(&protocol, &behind(0), &behind(2)),
        )
    }

    fn v6(&self, at: usize) -> String {
        let protocol = format!("link[{}]", at + 6);
        let icmp_type = format!("link[{}]", at + 40);
        format!(
            "({whole} or {extended} or ({protocol} = {ICMP_V6} and {icmp_type} >= 1 and {icmp_type} <= 4) or {upper})",
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
