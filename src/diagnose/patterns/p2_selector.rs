//! P2-SELECTOR: the protected networks may not match.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::IkeVersion;

use super::p2_pfs::FirstMessages;
use super::phase2::{self, Accepted, Fate, Standing};

pattern! {
    /// ## What is seen
    ///
    /// A Quick Mode is refused or not answered while others of the same two peers succeed: for other networks, or started from
    /// the other side.
    ///
    /// ## What it means
    ///
    /// Where one Quick Mode succeeds, the algorithms agree most of the time; what differs from one to the next is the pair of
    /// networks. The identities that name them are encrypted. A responder accepts networks that are part of its own and
    /// refuses wider ones, so a tunnel may come up from one side only.
    ///
    /// ## Look-alikes
    ///
    /// - `P2-PROPOSAL`, `P2-PFS`: refused in the same way; another connection of the same peers may have other algorithms.
    /// - `P-DIRECTION`: the same seen from the side of who starts.
    P2_SELECTOR = "P2-SELECTOR", Phase2, Notice;
    title: "the protected networks (encryption domain, proxy ids) may not match";
    causes: [
        "mirror" 0.60 "networks, masks, hosts or ports are not mirror images of each other", raised by "another Quick Mode succeeds", lowered by "none ever does";
        "missing" 0.25 "this pair of networks is configured on one end only", raised by "it never succeeded", lowered by "it succeeded before";
        "summary" 0.15 "one end joins networks into a larger one, or adds its own address to its domain", raised by "Check Point's vendor id", lowered by "other vendors on both ends";
    ];
    checks: [
        Either: "make local and remote networks mirror images: same address, same mask, same protocol and port";
        Either: "look for overlapping entries, a host written as a network, and networks that one end joins together";
    ];
    logs: [
        "SMG": "ID: IPv4 subnet, …" ("SMG-24");
        "Cisco PIX": "IPSEC(validate_transform_proposal): proxy identities not supported / IPSEC(initialize_sas): invalid proxy IDs" ("PIX-03, PIX-13");
        "HPE Aruba": "Initiator IKE Phase 2 Identity doesn't match for ipsec-map" ("public log");
        "Cisco ASA": "Tunnel rejected: Crypto Map Policy not found for Src, Dst!" ("Cisco ASA syslog reference");
        "Cisco ASA": "Static Crypto Map check, ACL does not match proxy IDs src dst" ("Cisco ASA syslog reference");
        "Cisco ASA": "Rejecting IPSec tunnel: no matching crypto map entry for remote proxy … local proxy …" ("public ASA logs");
        "Cisco ASA": "Tunnel Rejected: IKE peer does not match remote peer as defined in L2L policy" ("Cisco ASA syslog reference");
    ];
    sources: [
        "SMG-24", "PIX-03", "PIX-04", "PIX-05", "PIX-06", "PIX-12", "PIX-13", "PIX-21", "PIX-27", "PIX-29", "PIX-30", "PIX-31",
        "PIX-37", "PIX-46", "PIX-48", "S2S-29", "S2S-59", "NIR-29", "NIR-30", "RFC 2407 §4.6.2", "RFC 2409 §5.5",
    ];
    when: QUICK_MODE_OPEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    if !standing.any_success() {
        return Vec::new();
    }
    let own = FirstMessages::of(case);
    let accepted = Accepted::of(case);
    case.attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1)
        .filter_map(|(index, view)| {
            let quick_modes = phase2::quick_modes(&view);
            // Silence with a tunnel that worked before may just be a peer that went away.
            let refused = || quick_modes.iter().filter(|quick| matches!(quick.fate, Fate::Refused { .. }));
            let first = refused().next()?;
            if own.difference(&view, first).is_some() {
                // P2-PFS: it is not the networks that differ.
                return None;
            }
            if accepted.before(&view, first).is_some() || accepted.after(&view, first).is_some() {
                // It may be the same as what was accepted, before or since: what differs is then before and after.
                return None;
            }
            Some(
                Match::on(index, Confidence::Suspected)
                    .seen(format!(
                        "{} refused under this phase 1; {} between the two accepted in this capture",
                        number(refused().count() as u64, "Quick Mode"),
                        number(standing.successes(), "other"),
                    ))
                    .means("the algorithms seem to agree; the networks of the refused one do not")
                    .frames([first.first.frame])
                    .settle("the log of the side that refuses: which networks it was asked for"),
            )
        })
        .collect()
}
