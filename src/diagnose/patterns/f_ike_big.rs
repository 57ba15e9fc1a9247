//! F-IKE-BIG: a large IKE message goes in IP fragments because IKE fragmentation is not agreed.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::Side;

use super::{fragments, nat};

pattern! {
    /// ## What is seen
    ///
    /// An IKE message comes in IP fragments, and at least one side never announced IKE fragmentation (notify
    /// IKEV2_FRAGMENTATION_SUPPORTED in IKEv2, the vendor id FRAGMENTATION in IKEv1).
    ///
    /// ## What it means
    ///
    /// It may work for years, until a firewall or NAT on the path drops IP fragments.
    ///
    /// ## Look-alikes
    ///
    /// - `F-IKE-FRAG-LOST`: the fragments are lost already.
    F_IKE_BIG = "F-IKE-BIG", Fragments, Warning;
    title: "a large IKE message goes in IP fragments, IKE fragmentation is not agreed";
    causes: [
        "off" 0.60 "IKE fragmentation is turned off on the side that does not announce it", raised by "that product can do it", lowered by "";
        "unsupported" 0.40 "that side cannot do it", raised by "an old product", lowered by "";
    ];
    checks: [
        Either: "turn on IKE fragmentation, or send smaller certificates";
    ];
    logs: [
        "strongSwan": "splitting IKE message (… bytes) into … fragments" ("strongSwan source");
    ];
    sources: ["RFC 7383 §2.3"];
    when: FRAGMENTS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.attempts()
        .filter_map(|(index, view)| {
            let message = view.messages().find(|message| message.ip_fragments > 1)?;
            let silent: Vec<&str> = [Side::Initiator, Side::Responder]
                .into_iter()
                .filter(|&side| view.heard(side) && !fragments::announced(&view, side))
                .map(nat::name)
                .collect();
            // What was cut off may have announced it.
            let cut = || view.messages().any(|message| !message.encrypted && message.is_cut());
            if silent.is_empty() || view.attempt.midstream || cut() {
                return None;
            }
            // As long as nobody waits in vain for the answer, the fragments may well have got through.
            let over = view.attempt.phase1_up.or_else(|| view.tunnel_up()).is_some()
                || case.overcome(index)
                || !view.waited(message).is_silence();
            let found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "{}, {} octets, came in {}; {} announced no IKE fragmentation",
                    message.label,
                    message.length,
                    number(message.ip_fragments.into(), "IP fragment"),
                    silent.join(" and "),
                ))
                .means(if over {
                    "it works as long as nobody on the path drops IP fragments"
                } else {
                    "the message depends on IP fragments getting through"
                })
                .frames([message.frame]);
            Some(fragments::unless_over(found, over))
        })
        .collect()
}
