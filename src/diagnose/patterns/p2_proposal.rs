//! P2-PROPOSAL: a refusal may be about the ESP or AH proposal.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::IkeVersion;

use super::nat;
use super::phase2::{self, Fate, QuickMode, Standing};

pattern! {
    /// ## What is seen
    ///
    /// The first Quick Mode of two peers is refused, none of theirs ever succeeds, and nothing points at networks or PFS.
    ///
    /// ## What it means
    ///
    /// Cipher, key length, hash, AH against ESP, ESP without authentication on one end, tunnel against transport mode: one
    /// full set must be the same on both ends. The proposal is encrypted, so that this is a guess by exclusion.
    ///
    /// ## Look-alikes
    ///
    /// - `P2-SELECTOR`, `P2-PFS`: refused in the same way.
    P2_PROPOSAL = "P2-PROPOSAL", Phase2, Notice;
    title: "the refusal may be about the ESP or AH proposal";
    causes: [
        "transform" 0.60 "cipher, key length or hash differ", raised by "newly configured; vendors differ", lowered by "it worked before";
        "protocol" 0.15 "one end wants AH, or ESP without authentication", raised by "AH between other peers of the same end", lowered by "ESP everywhere";
        "mode" 0.15 "one end wants tunnel mode, the other transport mode, or NAT traversal's form of it", raised by "L2TP; NAT on the path", lowered by "two gateways without NAT";
        "other" 0.10 "the proposal fits; the networks do not, or the side that refuses demands PFS", raised by "another Quick Mode succeeds", lowered by "none ever does";
    ];
    checks: [
        Either: "compare the transform sets: ESP or AH, cipher with key length, hash, tunnel or transport mode, lifetimes";
    ];
    logs: [
        "SMG": "Could not match Encryption Algorithm / Auth defined in ESP of SPD but not in proposal" ("SMG-23, SMG-26");
        "Cisco PIX": "IPSec (validate_proposal): transform proposal … not supported" ("PIX-10");
        "Cisco ASA": "Phase 2 failure: Mismatched attribute types for class …" ("Cisco ASA syslog reference");
        "racoon": "trns_id mismatched: my:… peer:…" ("racoon log");
    ];
    sources: ["SMG-23", "SMG-25", "SMG-26", "PIX-10", "PIX-23", "S2S-28", "S2S-51", "CON-32", "RFC 2407 §4.5", "RFC 2409 §5.5"];
    misses: Answer;
    when: QUICK_MODE_OPEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if Standing::of(case).any_success() {
        return Vec::new();
    }
    case.attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1 && view.shows_set_up())
        .filter_map(|(index, view)| {
            let quick_modes = phase2::quick_modes(&view);
            let is_refused = |quick: &&QuickMode<'_>| matches!(quick.fate, Fate::Refused { .. });
            let refused = quick_modes.iter().find(|quick| is_refused(quick) && !quick.may_be_greeted(&view))?;
            if phase2::group_besides_one_proposal(&view, refused.first.length).is_some() {
                // P2-PFS.
                return None;
            }
            let found = Match::on(index, Confidence::Suspected)
                .seen(match phase2::room_for_key_exchange(&view, refused.first.length) {
                    Some(false) => "no Quick Mode between the two was accepted in this capture, and the size of QM1 does not point at PFS",
                    _ => "no Quick Mode between the two was accepted in this capture",
                })
                .means("proposals or networks differ, or the side that refuses demands PFS; the wire does not tell which")
                .frames([refused.first.frame])
                .settle("the log of the side that refuses");
            Some(if nat::detected(&view) { found.weigh("mode", 1.5) } else { found })
        })
        .collect()
}
