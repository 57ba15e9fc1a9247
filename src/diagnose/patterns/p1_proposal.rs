//! P1-PROPOSAL: the responder refused every phase 1 proposal.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::track::{Label, Mode, Side};

use super::mended::{self, Accepted, mended};
use super::nearest_miss;
use super::phase1::{self, Standing, notify};

/// RFC 2408 §3.14.1.
const INVALID_TRANSFORM_ID: u16 = 12;
const ATTRIBUTES_NOT_SUPPORTED: u16 = 13;
const BAD_PROPOSAL_SYNTAX: u16 = 15;

pattern! {
    /// ## What is seen
    ///
    /// Message 1, then an Informational exchange in clear from the responder with the same initiator cookie (or at once, with
    /// a cookie of its own, as OpenBSD sends it) and the notify NO-PROPOSAL-CHOSEN (14); INVALID-TRANSFORM-ID (12),
    /// ATTRIBUTES-NOT-SUPPORTED (13) and BAD-PROPOSAL-SYNTAX (15) are its relatives, and say more: 13 is about what the responder
    /// does not support, 12 and 15 are about the form of the offer.
    ///
    /// ## What it means
    ///
    /// Of everything the initiator offered, nothing was acceptable for this peer. The notify never names the attribute: one
    /// full set of encryption, hash, group, method and key length must be the same on both ends. Some responders answer the
    /// same when they have no configuration for the initiator's address, or not for this IKE version. The notify is not
    /// authenticated; it is believed more if the initiator gives up or it repeats. If the responder accepts a later copy of the very
    /// message, what refused was mended, or had not been loaded yet. Where the responder shows elsewhere in the
    /// captures what it takes, by an offer of its own or a choice it made, the report says which change of this offer would
    /// have come nearest to it. Aggressive Mode cannot negotiate the group (RFC 2409 §5): message 1 brings the public value
    /// along, so its group has to be the responder's.
    ///
    /// ## Look-alikes
    ///
    /// - A responder that refuses in silence shows as `P1-NO-REPLY`.
    /// - `P1-VERSION`: IKEv1 is not enabled at a responder that answers NO-PROPOSAL-CHOSEN for it; both versions between
    ///   the same pair give it away.
    /// - `P1-NOTIFY`: the same notify after message 2, which had accepted the offer.
    P1_PROPOSAL = "P1-PROPOSAL", Phase1, Error;
    title: "the responder refused every phase 1 proposal";
    causes: [
        "differs" 0.77 "an algorithm, the group, the key length or the authentication method differs",
            raised by "the notify carries the cookies as its SPI; the peer itself starts with another offer",
            lowered by "a notify without SPI from a peer whose other notifies have one";
        "no-profile" 0.19 "the responder has no configuration for this address or this IKE version",
            raised by "a notify without SPI; the same offer is accepted from another address",
            lowered by "earlier success from this address";
        "syntax" 0.02 "the initiator builds the offer wrongly, or the responder reads it wrongly", raised by "BAD-PROPOSAL-SYNTAX, INVALID-TRANSFORM-ID", lowered by "NO-PROPOSAL-CHOSEN";
        "changed" 0.02 "the responder's configuration for this peer was changed or taken out since it accepted the same offer from here",
            raised by "it accepted this offer from the same address before", lowered by "it never accepted it";
    ];
    checks: [
        Responder: "look in its log what it finds wrong with the form of the offer, where it says that it is the form" about "syntax";
        Initiator: "then try the plainest offer: one proposal with one transform" about "syntax";
        Responder: "compare its configuration for this peer with what it was when it accepted this offer" about "changed";
        Responder: "put its phase 1 policy for this peer beside the offer: encryption, key length, hash, group, authentication method must match in one set" about "differs";
        Responder: "make sure that a configuration for the initiator's address exists, and for IKEv1" about "no-profile";
        Initiator: "offer a set that the responder has; do not rely on defaults of either product";
    ];
    logs: [
        "SMG": "IKE Attribute group did not match / Could not select an ISAKMP proposal" ("SMG-15");
        "SMG": "IKE encryption algorithm did not match" ("SMG-16");
        "Cisco PIX": "ISAKMP (0:1); no offers accepted! / SA not acceptable!" ("PIX-07");
        "Cisco IOS": "%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main Mode failed with peer" ("PIX-02");
        "Cisco IOS": "Hash Algorithm Offered does not Match Policy" ("Cisco doc 5409");
        "Cisco ASA": "All SA proposals found unacceptable" ("public ASA logs");
        "Netopia": "no matching proposal" ("NIR-10");
        "Fortinet": "no SA proposal chosen / negotiation failure" ("FortiGate guides");
        "strongSwan": "received NO_PROPOSAL_CHOSEN error notify / no proposal found" ("strongSwan source");
        "strongSwan": "no IKE config found for …, sending NO_PROPOSAL_CHOSEN" ("strongSwan source");
        "racoon, MikroTik": "no suitable proposal found." ("racoon source");
        "AWS": "No Proposal Match Found by AWS" ("AWS log-contents");
        "Tencent": "IKE_NEGO: received NO_PROPOSAL_CHOSEN error notify" ("Tencent Cloud doc 554/79960");
        "Cisco ASA": "Phase 1 failure: Mismatched attribute types for class …: Rcv'd: … Cfg'd: …" ("Cisco ASA syslog reference");
        "Cisco ASA": "Detected invalid Diffie-Helmann group_descriptor, in IKE area" ("Cisco ASA syslog reference");
        "Cisco ASA": "Client IKE Auth mode differs from the group's configured Auth mode" ("Cisco ASA syslog reference");
        "Check Point": "Main Mode Failed to match proposal: Transform: …; Reason: Wrong value for: Hash Algorithm" ("Check Point log sample");
        "Fortinet": "negotiate_error, peer SA proposal not match local policy" ("FortiOS event log samples");
        "GCP": "NEGOTIATION_FAILURE: Handshake failed" ("Google Cloud VpnTunnel.Status reference");
        "Azure": "IkePolicyMismatch" ("Azure network-watcher-troubleshoot-overview");
        "Huawei": "1: phase1 proposal mismatch" ("Huawei ALM-303046755");
        "ZyXEL": "!! No proposal chosen" ("ZyXEL manuals");
        "racoon": "notification NO-PROPOSAL-CHOSEN received in unencrypted informational exchange." ("racoon log");
        "libreswan": "no acceptable Oakley Transform" ("libreswan log");
        "libreswan": "received and ignored notification payload: NO_PROPOSAL_CHOSEN" ("libreswan log");
    ];
    sources: [
        "SMG-07", "SMG-14", "SMG-15", "SMG-16", "SMG-32", "PIX-02", "PIX-07", "S2S-02", "S2S-03", "S2S-43", "S2S-44",
        "S2S-57", "CON-16", "NIR-09", "NIR-10", "RFC 2408 §3.14.1", "RFC 2408 §5.4", "RFC 2409 §5",
    ];
    when: V1 ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let mut compared = false;
    let until = phase1::attempts(case).filter_map(|(_, view)| refused_until(&view));
    let went_along = phase1::attempts(case).filter(|(_, view)| phase1::accepted_at(view).is_some());
    let went_along = Accepted::of(went_along.map(|(_, view)| view.attempt));
    phase1::attempts(case)
        .filter(|(_, view)| view.attempt.chosen.is_none() && view.attempt.phase1_up.is_none())
        .filter_map(|(index, view)| {
            let accepted = phase1::accepted_at(&view);
            let refusal = view
                .clear_errors(Side::Responder)
                .filter(|refusal| !phase1::was_accepted(accepted, refusal.message))
                .find(|refusal| notify::REFUSALS.contains(&refusal.notify_message_type))?;
            let said = refusal.notify_message_type;
            let first = view.messages().find(|message| message.from == Side::Initiator);
            let mut found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "the responder answered {} with {} in clear, {}",
                    first.map_or("message 1".to_owned(), |message| message.label.to_string()),
                    phase1::notify_name(said),
                    times(view.times_said(&refusal)),
                ))
                .means(meaning(said))
                .frames(first.map(|message| message.frame))
                .frames([refusal.message.frame])
                .severity(standing.severity(&view, P1_PROPOSAL.severity));
            found = match said {
                INVALID_TRANSFORM_ID | BAD_PROPOSAL_SYNTAX => {
                    found.weigh("syntax", 60.0).weigh("differs", 0.3).rule_out(&["no-profile"])
                }
                ATTRIBUTES_NOT_SUPPORTED => found.weigh("no-profile", 0.2).rule_out(&["syntax"]),
                _ => found.rule_out(&["syntax"]),
            };
            if said != notify::NO_PROPOSAL_CHOSEN {
                // It is about the offer itself, and no answer to an address.
            } else if refusal.spi_size == 0 {
                // A responder that never compared anything has no SPI to name either; others never put one.
                found
                    .means
                    .to_mut()
                    .push_str(", or it has no connection for this address; the notify does not tell which");
                found = found.weigh("no-profile", 4.0);
            } else {
                found = found.weigh("no-profile", 0.3);
            }
            if view.attempt.mode == Mode::Aggressive {
                found.means.to_mut().push_str(ONE_GROUP);
            }
            if let Some(later) = went_along.same_after(view.attempt) {
                return Some(mended::recalled(found, later).rule_out(&["changed"]));
            }
            // Equal findings of a pair are told once: one comparison is enough.
            Some(match std::mem::replace(&mut compared, true) {
                true => found.rule_out(&["changed"]),
                false => beside(case, &view, said, found),
            })
        })
        .chain(until)
        .collect()
}

/// Message 1 was refused several times, and accepted in the end.
fn refused_until(view: &View<'_>) -> Option<Match> {
    let (first, second) = match view.attempt.mode {
        Mode::Aggressive => (Label::Am(1), Label::Am(2)),
        _ => (Label::Mm(1), Label::Mm(2)),
    };
    let refuses = |notify: &ClearNotify<'_>| notify.notify_message_type == notify::NO_PROPOSAL_CHOSEN;
    let refusals = view.clear_errors(Side::Responder).filter(refuses).map(|refusal| refusal.message);
    let said = phase1::notify_name(notify::NO_PROPOSAL_CHOSEN);
    let found = mended(view.message(first)?, refusals, &said, view.message(second)?)?;
    Some(found.rule_out(&["changed", "syntax"]).weigh("no-profile", 2.0))
}

/// What Aggressive Mode cannot negotiate (RFC 2409 §5).
const ONE_GROUP: &str = "; in Aggressive Mode the group is not negotiated: it is that of the public value in message 1";

/// What the type says (RFC 2408 §5.4 to §5.6).
fn meaning(said: u16) -> &'static str {
    match said {
        INVALID_TRANSFORM_ID => {
            "the responder finds a transform number in the offer that is none; phase 1 has KEY_IKE (1) only: the initiator builds the offer wrongly, or the responder reads it so"
        }
        ATTRIBUTES_NOT_SUPPORTED => {
            "the offer has an attribute, or a value of one, that the responder does not support: an algorithm, group or length that it lacks, rather than one that its policy forbids"
        }
        BAD_PROPOSAL_SYNTAX => {
            "the responder finds the offer badly formed: it is the form and not the policy, and the initiator builds it wrongly, or the responder reads it so"
        }
        _ => "nothing in the offer fits the responder's phase 1 policy for this peer",
    }
}

/// The offer, beside what the responder takes.
fn beside(case: &Case<'_>, view: &View<'_>, said: u16, mut found: Match) -> Match {
    if let Some(offer) = nearest_miss::offer(view.attempt) {
        found.seen.push_str(&format!("; the offer is {offer}"));
    }
    if matches!(said, INVALID_TRANSFORM_ID | BAD_PROPOSAL_SYNTAX) {
        return found
            .rule_out(&["changed"])
            .settle("the responder's log: what it finds wrong with the form of the offer");
    }
    let Some(miss) = nearest_miss::of(case, view) else {
        return found.rule_out(&["changed"]).settle(
            "the responder's phase 1 policy for this peer, or an attempt that it starts itself, while capturing",
        );
    };
    found.means = format!("{}. {}", found.means, miss.sentence).into();
    found.frames.push(miss.frame);
    match miss.changes {
        0 if miss.accepted_before => found.weigh("changed", 60.0).weigh("no-profile", 0.3).weigh("differs", 0.3),
        0 => found.weigh("no-profile", 8.0).weigh("differs", 0.3).rule_out(&["changed"]),
        _ => found.weigh("differs", 2.0).rule_out(&["changed"]),
    }
}
