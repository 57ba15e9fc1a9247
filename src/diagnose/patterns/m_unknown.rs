//! M-UNKNOWN: an exchange, payload or version that no registry knows.

use std::collections::BTreeSet;

use crate::base::FaultKind;
use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::isakmp::registry;
use crate::track::{ExchangeKind, IkeVersion};

/// Kinds named in a sentence.
const NAMED: usize = 6;

pattern! {
    /// ## What is seen
    ///
    /// An exchange type or payload type that has no name here, or an IKE version other than 1 and 2.
    ///
    /// ## What it means
    ///
    /// Something newer than this program, a private extension, or not IKE at all. It is shown by its number and passed over.
    ///
    /// ## Look-alikes
    ///
    /// - `M-LENGTH`: numbers that come from reading a broken message at the wrong place.
    M_UNKNOWN = "M-UNKNOWN", Malformed, Notice;
    title: "an exchange, payload or version is not known";
    causes: [
        "private" 0.60 "a private extension of a vendor, or one newer than this program", raised by "numbers of private use; the peer goes on", lowered by "";
        "foreign" 0.40 "not IKE, or a scanner that tries numbers", raised by "the address sends nothing readable", lowered by "the peer goes on";
    ];
    checks: [
        Either: "nothing, as long as the negotiation goes on; otherwise turn the extension off";
    ];
    logs: [
        "racoon": "unsupported exchange … received. / Invalid exchange type …" ("racoon source");
        "strongSwan": "payload type … is not supported, critical" ("strongSwan source");
    ];
    sources: ["RFC 2408 §5.2", "RFC 7296 §2.5"];
    when: UNKNOWN, FAULTS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut what = BTreeSet::new();
    let mut frames = Vec::new();
    for (_, view) in case.attempts() {
        let major = match view.attempt.version {
            IkeVersion::V1 => 1,
            IkeVersion::V2 => 2,
        };
        for exchange in view.exchanges() {
            let unknown = match exchange.kind {
                ExchangeKind::Other(number) if registry::exchange_name(major, number).is_none() => Some(number),
                _ => None,
            };
            for message in &exchange.messages {
                if let Some(number) = unknown {
                    what.insert(format!("IKEv{major} exchange type {number}"));
                    frames.push(message.frame);
                }
                // What is read behind a wrong length are numbers from anywhere.
                if message.fault.is_some() {
                    continue;
                }
                for payload in message.carried.iter() {
                    if registry::payload_name(major, payload.payload_type).is_none() {
                        what.insert(format!("IKEv{major} payload type {}", payload.payload_type));
                        frames.push(message.frame);
                    }
                }
            }
        }
    }
    for datagram in &case.pair.malformed {
        if let ("version", FaultKind::Unexpected { value }) = (datagram.fault.field, datagram.fault.kind) {
            what.insert(format!("version octet {value}"));
            frames.push(datagram.frame);
        }
    }
    if what.is_empty() {
        return Vec::new();
    }
    let more = what.len().saturating_sub(NAMED);
    let mut seen = what.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        seen.push_str(&format!(" and {more} more"));
    }
    frames.dedup();
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(seen)
            .means("not known here: shown by number and passed over")
            .frames(frames),
    ]
}
