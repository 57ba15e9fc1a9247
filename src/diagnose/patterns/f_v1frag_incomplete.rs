//! F-V1FRAG-INCOMPLETE: IKEv1 fragments of a message never all come.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::IkeVersion;

use super::fragments;

pattern! {
    /// ## What is seen
    ///
    /// Fragments of IKEv1 (payload 132, an extension that several vendors share) of which a number, or the last one, never
    /// comes by, and no answer.
    ///
    /// ## What it means
    ///
    /// The receiver cannot put the message together.
    ///
    /// ## Look-alikes
    ///
    /// - The capture alone lost packets: then the exchange goes on, and nothing is reported.
    /// - `F-IKE-FRAG-LOST`: the same with IP fragments.
    F_V1FRAG_INCOMPLETE = "F-V1FRAG-INCOMPLETE", Fragments, Error;
    title: "some IKEv1 fragments of a message never come";
    causes: [
        "loss" 0.48 "packets are lost", raised by "another number is missing each time", lowered by "the same number is missing in every repeat";
        "size" 0.47 "the fragments are larger than the path takes", raised by "the same number is missing in every repeat", lowered by "another number is missing each time";
        "filter" 0.05 "something on the path drops this one by what is in it", raised by "the last and shortest is missing in every repeat", lowered by "another number is missing each time";
    ];
    checks: [
        Either: "lower the IKE fragment size, or turn IKE fragmentation off if the message is small enough without";
        Path: "look for loss, and for filters on packet size";
    ];
    logs: [
        "racoon": "Packet reassembly failed" ("racoon source");
        "racoon": "Repeated fragment index mismatch / Repeated last fragment index mismatch" ("racoon log");
    ];
    sources: ["MS-IKEE §3.1"];
    misses: Fragments;
    when: FRAGMENTS_MISSING, IKE_FRAGMENTS CAPTURES;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    fragments::incomplete(case, IkeVersion::V1)
}
