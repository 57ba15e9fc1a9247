//! T-ENCAP-MISMATCH: ESP in UDP one way, directly over IP the other.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};
use crate::packet::Encapsulation;
use crate::track::{EspFlow, FlowProtocol};

use super::traffic::{self, GRACE, Way};

/// A stray packet proves nothing.
const LEAST_PACKETS: u64 = 3;

pattern! {
    /// ## What is seen
    ///
    /// At the same time, ESP goes inside UDP 4500 in one direction and as IP protocol 50 in the other.
    ///
    /// ## What it means
    ///
    /// The two ends came to different results about NAT on the path, or one is configured to encapsulate always or never.
    /// Each of them may drop what arrives in the other form, and a NAT device drops protocol 50 that nobody asked for. Some take
    /// both at any time, as IKEv2 wants it: where packets have answers the tunnel works.
    ///
    /// ## Look-alikes
    ///
    /// - After an address change (MOBIKE) both directions change together; that is normal.
    T_ENCAP_MISMATCH = "T-ENCAP-MISMATCH", Traffic, Error;
    title: "one side sends ESP in UDP, the other directly over IP";
    causes: [
        "setting" 0.50 "NAT traversal is forced or switched off on one side",
            raised by "the NAT detection hashes show no NAT", lowered by "";
        "draft" 0.25 "the two ends speak different versions of NAT traversal (draft and RFC)",
            raised by "vendor ids of drafts only", lowered by "RFC 3947 vendor ids, or IKEv2, on both sides";
        "box" 0.25 "a pass-through device rewrites NAT detection or unpacks ESP",
            raised by "the hashes match on one side only", lowered by "";
    ];
    checks: [
        Either: "set NAT traversal alike (automatic, or forced on both)";
        Path: "switch off IPsec pass-through or VPN helper functions of NAT devices on the path";
        Either: "update the end that speaks an old draft of NAT traversal";
    ];
    logs: [];
    sources: ["RFC 3947 §3.2", "RFC 3948 §2.1", "RFC 7296 §2.23"];
    when: FLOWS_MIXED;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let [there, back] = traffic::ways(case);
    let (Some(one), Some(other)) = (latest(&there), latest(&back)) else { return Vec::new() };
    let native = |flow: &EspFlow| flow.encapsulation == Encapsulation::None;
    let at_once = one.first <= other.last.after(GRACE) && other.first <= one.last.after(GRACE);
    // The latest flow may be a stray of the old form: the form must hold for all that goes on at that time.
    let consistent = |way: &Way<'_>, flow: &EspFlow| {
        way.used_since(flow.first).flows.iter().all(|each| native(each) == native(flow))
    };
    if native(one) == native(other) || !at_once || !consistent(&there, one) || !consistent(&back, other) {
        return Vec::new();
    }
    let form = |flow: &EspFlow| match flow.encapsulation {
        Encapsulation::None => "directly over IP",
        Encapsulation::Udp => "in UDP",
        Encapsulation::Tcp => "in TCP",
    };
    // IKEv2 wants both forms taken at any time (RFC 7296 §2.23).
    let takes_both = case.attempts().any(|(_, view)| view.is_v2());
    let found = Match::on_pair(if takes_both { Confidence::Suspected } else { Confidence::Inferred })
        .seen(format!(
            "{} from {} {}, {} from {} {}",
            number(one.packets, "packet"),
            there.from,
            form(one),
            number(other.packets, "packet"),
            back.from,
            form(other),
        ))
        .means("a side drops what comes in a form that it does not expect")
        .settle("the counters of both ends: whether what is received rises")
        .frames([one.first_frame, other.first_frame]);
    let (sent, answers) = (there.used_since(one.first), back.used_since(other.first));
    if sent.is_answered_by(&answers) {
        let works = "each side takes what the other sends: what one sends has as many answers";
        return vec![found.means(works).severity(Severity::Notice)];
    }
    let no_nat = case.pair.attempts.last().is_some_and(|attempt| {
        attempt.nat.own_matches == [Some(true); 2] || attempt.nat.peer_matches == [Some(true); 2]
    });
    vec![if no_nat { found.weigh("setting", 1.5) } else { found }]
}

fn latest<'a>(way: &Way<'a>) -> Option<&'a EspFlow> {
    way.flows
        .iter()
        .copied()
        .filter(|flow| flow.protocol == FlowProtocol::Esp && flow.packets >= LEAST_PACKETS)
        .max_by_key(|flow| flow.last)
}
