//! S-VID-LEAK: vendor ids that tell product and version.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::FrameRef;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{Attempt, MessageRecord, PayloadDetail, Side};

use super::life_cycle;

/// Families of vendor ids that announce what a sender can do and not what it is.
const FEATURES: [&str; 10] =
    ["nat-t", "dpd", "fragmentation", "xauth", "crack", "gss-api", "heartbeat", "antireplay", "delete-reason", "ikev2"];
/// Vendor ids named in one finding.
const MOST: usize = 12;

pattern! {
    /// ## What is seen
    ///
    /// Vendor ids in clear that name a product, some with its version.
    ///
    /// ## What it means
    ///
    /// Everybody who sends a first message learns what answers. Harmless in itself; it saves an attacker time when that version
    /// has a known hole. It helps you, too: here is what the far end runs, if it tells the truth.
    ///
    /// ## Look-alikes
    ///
    /// - Vendor ids that announce a feature (NAT traversal, dead peer detection) tell little; they are not counted here.
    S_VID_LEAK = "S-VID-LEAK", Security, Notice;
    title: "vendor ids tell product or version";
    causes: [
        "default" 1.0 "the product sends it by default", raised by "", lowered by "";
    ];
    checks: [
        Either: "switch it off where the product allows it, if it bothers you";
        Either: "keep gateways that show their version up to date";
    ];
    logs: [];
    sources: ["RFC 2408 §3.16", "RFC 7296 §3.12"];
    when: PRODUCT;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut told: BTreeMap<(IpAddr, String), FrameRef> = BTreeMap::new();
    let mut versions = false;
    for attempt in &case.pair.attempts {
        for side in [Side::Initiator, Side::Responder] {
            for (place, data) in attempt.vendor_ids[side.index()].iter().enumerate() {
                let Some(vendor) = product(data) else {
                    continue;
                };
                if told.len() < MOST {
                    // Unity is a protocol, and many speak it.
                    versions |= vendor.name != "Cisco Unity" && registry::vendor_id_version(data).is_some();
                    let label =
                        registry::vendor_id_label(data).map_or(vendor.name.to_owned(), |label| label.into_owned());
                    told.entry((life_cycle::address(attempt, side), label))
                        .or_insert_with(|| carrier(attempt, side, place));
                }
            }
        }
    }
    if told.is_empty() {
        return Vec::new();
    }
    let list: Vec<_> = told.keys().map(|(address, label)| format!("{address}: {label}")).collect();
    let found = Match::on_pair(Confidence::Stated)
        .seen(list.join("; "))
        .means("anybody who sends a first message learns this; it is a claim, not a proof")
        .frames(told.values().copied());
    vec![if versions { found } else { found.severity(Severity::Info) }]
}

/// Frame of the message in which `side` sent its vendor id number `place`.
fn carrier(attempt: &Attempt, side: Side, place: usize) -> FrameRef {
    let carries = |message: &&MessageRecord| {
        message.from == side
            && message.carried.iter().any(
                |payload| matches!(payload.detail, PayloadDetail::VendorId { index } if usize::from(index) == place),
            )
    };
    let mut messages = attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
    messages.find(carries).map_or(attempt.first_frame, |message| message.frame)
}

fn product(data: &[u8]) -> Option<registry::VendorId> {
    registry::vendor_id(data).filter(|vendor| !FEATURES.contains(&vendor.family))
}

/// Whether a vendor id names a product, and not only what it can do.
pub(super) fn names_a_product(data: &[u8]) -> bool {
    product(data).is_some()
}
