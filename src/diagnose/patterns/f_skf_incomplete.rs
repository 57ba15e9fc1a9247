//! F-SKF-INCOMPLETE: IKEv2 fragments of a message never all come.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::IkeVersion;

use super::fragments;

pattern! {
    /// ## What is seen
    ///
    /// Encrypted fragments (SKF) that say how many they are, some numbers of which never come by, and no answer. The whole
    /// set is sent again.
    ///
    /// ## What it means
    ///
    /// The receiver cannot put the message together. IKE's own fragments are small packets, so either they are still too
    /// large for the path, or packets are lost.
    ///
    /// ## Look-alikes
    ///
    /// - The capture alone lost packets: then the exchange goes on, and nothing is reported.
    /// - `F-IKE-FRAG-LOST`: the same with IP fragments.
    F_SKF_INCOMPLETE = "F-SKF-INCOMPLETE", Fragments, Error;
    title: "some IKEv2 fragments of a message never come";
    causes: [
        "size" 0.47 "the fragments are larger than the path takes", raised by "the same number is missing in every repeat; the fragments are above 1280 octets", lowered by "another number is missing each time";
        "loss" 0.48 "packets are lost", raised by "another number is missing each time", lowered by "the same number is missing in every repeat";
        "filter" 0.05 "something on the path drops this one by what is in it", raised by "the last and shortest is missing in every repeat", lowered by "another number is missing each time";
    ];
    checks: [
        Either: "lower the IKE fragment size to 1200 octets or less";
        Path: "look for loss, and for filters on packet size";
    ];
    logs: [];
    sources: ["RFC 7383 §2.5", "RFC 7383 §2.6"];
    misses: Fragments;
    when: FRAGMENTS_MISSING, IKE_FRAGMENTS CAPTURES;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    fragments::incomplete(case, IkeVersion::V2)
}
