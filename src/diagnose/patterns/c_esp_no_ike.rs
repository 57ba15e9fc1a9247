//! C-ESP-NO-IKE: ESP or AH flows, and its negotiation is not in the capture.

use std::net::IpAddr;

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::track::Room;

use super::v2_mobike::PAIRS;
use super::{c_no_ike, traffic};

/// Flows of a pair that are looked through for the same SPIs.
const FLOWS: usize = 256;

pattern! {
    /// ## What is seen
    ///
    /// ESP or AH between two addresses (natively, or ESP on UDP 4500), and not one IKE message between them.
    ///
    /// ## What it means
    ///
    /// Nothing is wrong. A tunnel lives for hours after its negotiation: the capture begins later than that and ends before
    /// the keys are due again. Routers that translate addresses forget an idle IKE port long before the tunnel ends.
    ///
    /// If the same SPIs are used between other addresses, it is the same tunnel: seen on the other side of a NAT, packets that a NAT did not
    /// translate, as while its rules are changed, or after one end moved.
    ///
    /// ## Look-alikes
    ///
    /// - Keys configured by hand: no IKE at any time, and sequence numbers that go on across days.
    /// - `C-ONE-DIR`: IKE is there too, on one side only.
    /// - IKE on another port or path than the capture holds, or recorded too short to be read (`C-NO-IKE`).
    /// - Something else on UDP 4500 whose octets would be an SPI of their own in nearly every packet.
    /// - A tunnel that moved here from other addresses (`V2-MOBIKE`): its IKE is in the capture.
    C_ESP_NO_IKE = "C-ESP-NO-IKE", Capture, Info;
    title: "ESP or AH is seen, and no IKE";
    causes: [
        "earlier" 0.84 "the tunnel was set up before the capture began", raised by "sequence numbers well above 1", lowered by "a flow that begins at 1 inside the capture";
        "elsewhere" 0.10 "IKE takes another port or path, or the capture filter drops it",
            raised by "a flow that begins at 1 inside the capture; the same for other pairs", lowered by "IKE of other pairs is there";
        "manual" 0.05 "the keys are configured by hand", raised by "the same SPI for as long as anybody remembers", lowered by "SPIs that change";
        "translated" 0.01 "they are packets of a tunnel between other addresses: on the other side of a NAT, not translated by it, or after one end moved",
            raised by "the same SPIs between other addresses", lowered by "SPIs that no other pair has";
    ];
    checks: [
        Capture: "if the negotiation matters: capture for longer, over the next re-key, or restart the tunnel while capturing" about "earlier" "elsewhere" "manual";
        Capture: "check that the capture filter lets UDP 500 and 4500 through";
        Capture: "see on which side of a NAT the capture was taken, and whether that translates all packets" about "translated";
    ];
    logs: [
        "Netopia": "ESP only translation" ("NIR-41");
    ];
    sources: ["PIX-47", "NIR-41", "NIR-42", "RFC 4301 §4.4.2", "RFC 4303 §3.3.3"];
    misses: Beginning;
    when: NO_IKE FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let pair = case.pair;
    let ike = !pair.attempts.is_empty() || pair.sent.iter().any(|seen| seen.isakmp > 0);
    let unreadable = c_no_ike::is_cut_short(pair) || traffic::is_no_esp(pair);
    if pair.flows.is_empty() || ike || unreadable || moved_here(case) {
        return Vec::new();
    }
    let packets = |from| case.flows_from(from).map(|flow| flow.packets).sum::<u64>();
    let begins = pair.flows.iter().any(|flow| flow.first_sequence == 1);
    let mut found = Match::on_pair(Confidence::Stated)
        .seen(format!(
            "{} from {} and {} from {}, no IKE message between them in {} of capture",
            number(packets(pair.a), "packet"),
            pair.a,
            packets(pair.b),
            pair.b,
            span(case.watched()),
        ))
        .means(if begins {
            "an SA carries its first packet within the capture: it was negotiated before the capture began or where the capture does not see it, or its keys are set by hand"
        } else {
            "its SAs were in use before the capture began"
        })
        .frames(pair.flows.iter().take(2).map(|flow| flow.first_frame));
    if pair.flows.iter().any(|flow| flow.destination.is_multicast()) {
        found.means = "one SA for a group of receivers: IKE does not set up such, its keys are configured by hand or by a group key server".into();
        found = found.weigh("manual", 50.0);
    } else if begins {
        found = found.weigh("earlier", 0.5).weigh("elsewhere", 4.0).weigh("manual", 3.0);
    }
    let Some((a, b)) = same_sas(case) else { return vec![found.rule_out(&["translated"])] };
    found.seen.push_str(&format!("; {a} and {b} use the same SPIs"));
    vec![
        found
            .means(format!(
                "these are packets of the tunnel between {a} and {b}: seen on the other side of a NAT, not translated by it, or after one end moved"
            ))
            .rule_out(&["earlier", "elsewhere", "manual"]),
    ]
}

/// Between which other addresses, with IKE, all SPIs of this pair are used.
fn same_sas(case: &Case<'_>) -> Option<(IpAddr, IpAddr)> {
    let pairs = &case.facts.pairs;
    let flows = &case.pair.flows;
    if pairs.len() > PAIRS || flows.len() > FLOWS {
        return None;
    }
    let same = |index: usize| {
        let theirs: Vec<_> = pairs.flows(index).take(FLOWS).filter_map(|(place, ..)| pairs.flow(place)).collect();
        flows.iter().all(|own| theirs.iter().any(|flow| (flow.spi, flow.protocol) == (own.spi, own.protocol)))
    };
    let mut others = (0..pairs.len()).filter(|&index| index != case.index && pairs.attempts(index) > 0);
    others.find(|&index| same(index)).and_then(|index| pairs.ends(index))
}

/// Whether IKE between these two addresses was seen that belongs to a tunnel which began between others.
fn moved_here(case: &Case<'_>) -> bool {
    let pairs = &case.facts.pairs;
    if pairs.len() > PAIRS {
        return false;
    }
    let ours = |one, other| [(one, other), (other, one)].contains(&(case.pair.a, case.pair.b));
    let mut room = Room::default();
    (0..pairs.len()).filter(|&index| index != case.index && pairs.attempts(index) > 0).any(|index| {
        pairs.read(index, &mut room).is_some_and(|other| {
            let exchanges = other.attempts.iter().flat_map(|attempt| &attempt.exchanges);
            let mut messages = exchanges.flat_map(|exchange| &exchange.messages);
            messages.any(|message| ours(message.source.ip(), message.destination.ip()))
        })
    })
}
