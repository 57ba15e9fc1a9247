//! V2-PROPOSAL: the responder refused every proposal of IKE_SA_INIT.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::track::{Label, Side};

/// RFC 7296 §3.10.1.
const NO_PROPOSAL_CHOSEN: u16 = 14;

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SA_INIT response in clear that carries NO_PROPOSAL_CHOSEN (14) and no SA.
    ///
    /// ## What it means
    ///
    /// Of everything the initiator offered, nothing was acceptable. The notify never names the algorithm. Several stacks
    /// answer exactly the same when they know no connection for the initiator's address, or when IKEv2 is not enabled for
    /// this peer. The notify is not authenticated.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-KE-RETRY`: INVALID_KE_PAYLOAD asks for another group and is normal.
    /// - `P1-VERSION`: the peer speaks IKEv1 to us at the same time.
    V2_PROPOSAL = "V2-PROPOSAL", IkeV2, Error;
    title: "the responder refused every proposal of IKE_SA_INIT";
    causes: [
        "differs" 0.70 "an algorithm, the key length or the key exchange group differs",
            raised by "the peer itself starts with another offer; a short or exotic offer",
            lowered by "the offer holds the usual AES-256, SHA-256, group 14";
        "no-profile" 0.20 "the responder has no connection for this address",
            raised by "the source address changed; NAT", lowered by "earlier success from this address";
        "version" 0.10 "IKEv2 is not enabled at the responder for this peer",
            raised by "the peer sends IKEv1 itself", lowered by "the peer sends IKEv2 itself";
    ];
    checks: [
        Responder: "put its IKEv2 proposal for this peer beside the offer: encryption with key length, PRF, integrity and group must match in one set";
        Responder: "make sure that a connection for the initiator's address exists, and for IKEv2";
        Initiator: "offer a set that the responder has; do not rely on defaults of either product";
    ];
    logs: [
        "strongSwan": "received proposals unacceptable / no IKE config found for …, sending NO_PROPOSAL_CHOSEN" ("strongSwan source");
        "libreswan": "no local proposal matches remote proposals" ("libreswan source");
        "AWS": "No Proposal Match Found by AWS" ("AWS log-contents");
        "Azure": "IkePolicyMismatch" ("Azure network-watcher-troubleshoot-overview");
        "HP-UX": "no proposal chosen" ("HP-UX IPSec admin guide");
    ];
    sources: ["S2S-02", "S2S-43", "RFC 7296 §2.7", "RFC 7296 §3.10.1"];
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.attempts()
        .filter(|(index, view)| view.is_v2() && !case.overcome(*index))
        .filter_map(|(index, view)| {
            let notify = view.clear_notifies(Side::Responder).find(|notify| {
                notify.notify_message_type == NO_PROPOSAL_CHOSEN && notify.message.label == Label::Response(34)
            })?;
            if view.attempt.chosen.is_some() {
                return None;
            }
            let request = view.message(Label::Request(34));
            Some(
                Match::on(index, Confidence::Stated)
                    .seen(format!(
                        "the responder answered IKE_SA_INIT with NO_PROPOSAL_CHOSEN (14) in clear, {}",
                        times(u64::from(notify.message.repeat_count) + 1)
                    ))
                    .means("nothing in the offer fits the responder, or it has no connection for this peer")
                    .frames(request.map(|message| message.frame))
                    .frames([notify.message.frame]),
            )
        })
        .collect()
}
