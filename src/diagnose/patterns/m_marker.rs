//! M-MARKER: the non-ESP marker is missing, or stands where none belongs.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};
use crate::packet::Encapsulation;

use super::nat;

pattern! {
    /// ## What is seen
    ///
    /// An IKE message on UDP 4500 without the four zero octets in front that tell it from ESP, or with them on UDP 500.
    ///
    /// ## What it means
    ///
    /// On 4500 the receiver takes a message without marker for ESP with an unknown SPI and drops it; on 500 it takes the
    /// marker for the first half of the SPI. A port forwarded from 500 to 4500 (or back) does this, and so does a faulty NAT
    /// traversal.
    ///
    /// ## Look-alikes
    ///
    /// - ESP whose first octets look like an IKE header: version, exchange type and length were all checked.
    M_MARKER = "M-MARKER", Malformed, Error;
    title: "the non-ESP marker is missing, or stands where none belongs";
    causes: [
        "forward" 0.60 "a NAT or firewall forwards one IKE port to the other", raised by "only one direction is affected", lowered by "both sides do it; the packet goes from a port to the same one";
        "bug" 0.40 "a fault in the sender's NAT traversal", raised by "that product does it everywhere", lowered by "";
    ];
    checks: [
        Path: "forward UDP 500 to 500 and 4500 to 4500, never one to the other" about "forward";
        Either: "look up the sender's version for faults in NAT traversal";
    ];
    logs: [];
    sources: ["RFC 3948 §2.2", "RFC 7296 §3.1"];
    when: MARKER;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.attempts()
        .filter_map(|(index, view)| {
            let odd: Vec<_> = view
                .messages()
                .filter(|message| message.encapsulation == Encapsulation::Udp)
                .filter(|message| {
                    let both_500 = message.source.port() == 500 && message.destination.port() == 500;
                    (nat::on_4500(message) && !message.non_esp_marker) || (both_500 && message.non_esp_marker)
                })
                .collect();
            let first = odd.first()?;
            let stops = view.waiting().is_some_and(|last| odd.iter().any(|message| std::ptr::eq(*message, last)));
            let copies = odd.iter().map(|message| u64::from(message.repeat_count) + 1).sum();
            let what = if first.non_esp_marker { "has a marker on UDP 500" } else { "has no marker on UDP 4500" };
            let found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "{} from {} {what}; {} like this, copies and all",
                    first.label,
                    first.source,
                    number(copies, "message")
                ))
                .means("the receiver takes it for something else and drops it")
                .frames(odd.iter().map(|message| message.frame));
            // What is forwarded to another port still comes from its own.
            let same = first.source.port() == first.destination.port();
            let found = if same { found.rule_out(&["forward"]) } else { found };
            Some(if stops && !view.one_sided() { found } else { found.severity(Severity::Warning) })
        })
        .collect()
}
