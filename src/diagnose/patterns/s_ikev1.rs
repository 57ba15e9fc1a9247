//! S-IKEV1: IKEv1.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::IkeVersion;

pattern! {
    /// ## What is seen
    ///
    /// Messages of major version 1.
    ///
    /// ## What it means
    ///
    /// IKEv1 is deprecated: its documents are historic, its algorithms are no longer kept up, and IKEv2 does all it does with
    /// fewer messages and fewer ways to go wrong.
    ///
    /// ## Look-alikes
    ///
    /// - A peer that tries IKEv1 after IKEv2 got no answer.
    S_IKEV1 = "S-IKEV1", Security, Advisory;
    title: "IKEv1 is in use";
    causes: [
        "kept" 0.80 "the tunnel was configured before IKEv2 was usual", raised by "", lowered by "";
        "peer" 0.20 "the other end has no IKEv2", raised by "", lowered by "the other end speaks IKEv2 elsewhere in the capture";
    ];
    checks: [
        Either: "change to IKEv2 when the tunnel is next touched";
    ];
    logs: [];
    sources: ["RFC 9395 §2"];
    when: V1;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let negotiations = || case.pair.attempts.iter().filter(|attempt| !attempt.is_of_remarks());
    let v1: Vec<_> = negotiations().filter(|attempt| attempt.version == IkeVersion::V1).collect();
    if v1.is_empty() {
        return Vec::new();
    }
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(
                case.in_words(|| {
                    format!("{} of {} here", v1.len(), number(negotiations().count() as u64, "negotiation"))
                }),
            )
            .means("IKEv1 is deprecated; IKEv2 replaces it")
            .frames(v1.iter().take(8).map(|attempt| attempt.first_frame)),
    ]
}
