//! N-NAT-DETECTED: NAT detection says that there is a NAT.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{address, number};
use crate::track::Side;

use super::n_private_outer::is_private;
use super::{life_cycle, nat};

pattern! {
    /// ## What is seen
    ///
    /// The hashes that both sides send of the addresses and ports they know (NAT-D in IKEv1, NAT_DETECTION notifies in
    /// IKEv2), computed again for the addresses in the capture, do not match. Or IKE comes from a port that is neither 500
    /// nor 4500. Then both sides move to UDP 4500, and the one behind the NAT sends keepalives.
    ///
    /// ## What it means
    ///
    /// Somebody between the two rewrites addresses or ports. That is normal and works, as long as UDP 4500 passes. A side's
    /// own hash that does not match puts the NAT between it and the capture point; its peer's hash that does not match, between
    /// the capture point and the peer.
    ///
    /// ## Look-alikes
    ///
    /// - A gateway that sends a wrong hash on purpose, to have ESP in UDP where no NAT is. Where both its hashes are wrong, and
    ///   both of its peer's right, that is the likelier reading, unless the peer has a private address: then the capture may
    ///   stand beside a peer whose address is translated farther out.
    /// - `N-PORT4500`: NAT was detected, and port 4500 does not pass.
    N_NAT_DETECTED = "N-NAT-DETECTED", Path, Info;
    title: "NAT detection says that there is a NAT";
    causes: [
        "nat" 0.85 "a NAT between a gateway and the capture point", raised by "the source port is rewritten", lowered by "ports and addresses unchanged, and both sides on public addresses";
        "forced" 0.15 "a gateway sends a wrong hash on purpose, to force UDP encapsulation", raised by "only the sender's own hash is wrong and no port is rewritten", lowered by "a rewritten port";
    ];
    checks: [
        Path: "nothing, as long as UDP 4500 passes both ways and its mapping lives longer than the keepalive interval";
    ];
    logs: [
        "strongSwan": "remote host is behind NAT / local host is behind NAT, sending keep alives" ("strongSwan source");
        "SonicWALL": "Peer IPSec Gateway behind a NAT/NAPT device / Local IPSec Security Gateway behind a NAT/NAPT device" ("SonicWALL manual, NAT Traversal chapter");
        "Cisco ASA": "Automatic NAT Detection Status: Remote end is/is not behind a NAT device" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-19", "S2S-48", "CON-02", "NIR-01", "RFC 3947 §3.2", "RFC 7296 §2.23"];
    when: NAT, PORT;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // of several, which become one finding, the words of the first are told
    let mut telling = *case;
    let mut found = |index, view| {
        let found = found(&telling, index, &view)?;
        telling = telling.without_words();
        Some(found)
    };
    case.attempts().filter_map(|(index, view)| found(index, view)).collect()
}

fn found(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let attempt = view.attempt;
    let behind: Vec<Side> = nat::behind(view).collect();
    let port = nat::rewritten_port(view);
    if behind.is_empty() && port.is_none() {
        return None;
    }
    let forced = may_be_forced(&behind, view);
    let false_words = nat::differs_alone(view);
    let on_purpose = false_words.is_some_and(|side| !is_private(life_cycle::address(attempt, side.other())));
    let seen = || {
        let mut seen: Vec<String> = behind
            .iter()
            .map(|&side| {
                let own = attempt.nat.own_matches[side.index()] == Some(false);
                let whose = if own { "its own" } else { "its peer's" };
                let or_forced = if forced { ", or sends a wrong hash on purpose, to have ESP in UDP" } else { "" };
                let named = [nat::name(side), " (", &address(life_cycle::address(view.attempt, side))].concat();
                [&named, ") is behind a NAT", or_forced, " (", whose, " hash of that address does not match)"].concat()
            })
            .collect();
        if let Some(side) = false_words {
            let forces = format!("{} sends wrong hashes on purpose, to have ESP in UDP", nat::name(side));
            let reading = if on_purpose {
                format!("most likely {forces}")
            } else {
                format!("both sides are behind a NAT, or {forces}")
            };
            seen = vec![format!(
                "{reading}: of the hashes that {} ({}) sends neither its own address nor its peer's matches, and of those that {} sends both do",
                nat::name(side),
                life_cycle::address(view.attempt, side),
                life_cycle::address(view.attempt, side.other()),
            )];
        }
        if let Some(port) = port {
            seen.push(format!("the initiator sends from port {port}, not from 500 or 4500"));
        }
        let keepalives = case.pair.sent.iter().map(|sent| sent.keepalives).sum();
        if keepalives > 0 {
            seen.push(format!("{} seen", number(keepalives, "keepalive")));
        }
        seen.join("; ")
    };
    let confidence = match (behind.is_empty(), forced || false_words.is_some()) {
        (true, _) => Confidence::Suspected,
        (false, true) => Confidence::Inferred,
        (false, false) => Confidence::Stated,
    };
    let found = Match::on(index, confidence)
        .seen(case.in_words(seen))
        .means("normal: IKE and ESP have to go in UDP 4500, and the mapping has to be kept alive")
        .frames(attempt.nat.mismatch_frame.or(Some(attempt.first_frame)));
    Some(match (port.is_some(), false_words, on_purpose) {
        (true, ..) => found.weigh("forced", 0.2),
        (_, Some(side), true) => found.weigh("forced", 20.0).means(format!(
            "{} sends wrong hashes, most likely on purpose, to have ESP in UDP: nothing is translated on the way to {}",
            nat::name(side),
            nat::name(side.other()),
        )),
        (_, Some(_), false) => {
            found.means("both sides are behind NAT, or one sends wrong hashes on purpose, to have ESP in UDP")
        }
        _ => found,
    })
}

/// Only the hashes that the sides sent of their own addresses are wrong, and no port is rewritten.
fn may_be_forced(behind: &[Side], view: &View<'_>) -> bool {
    let nat = &view.attempt.nat;
    let own_word_only = behind.iter().all(|side| nat.peer_matches[side.index()] != Some(false));
    !behind.is_empty() && own_word_only && nat::IKE.contains(&view.attempt.initiator.port())
}
