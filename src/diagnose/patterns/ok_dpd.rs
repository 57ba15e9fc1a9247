//! OK-DPD: the sides ask each other whether they are alive, and answer.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::unheard::ANSWER_WITHIN;
use crate::diagnose::words::{span, times};
use crate::track::IkeVersion;

use super::informational::{self, Informational, Reading};
use super::v2_mobike;

pattern! {
    /// ## What is seen
    ///
    /// Small encrypted Informationals in pairs, one from each side within about a round trip, at regular intervals. IKEv2: an
    /// INFORMATIONAL request and its response, both empty or small enough to be.
    ///
    /// ## What it means
    ///
    /// Dead peer detection at work: each end knows that the other is alive and still has the SA.
    ///
    /// ## Look-alikes
    ///
    /// - Deletes have the same size in some suites; they come once, and nothing is sent under the SA afterwards (`OK-DELETE`).
    /// - `L-DPD-TIMEOUT`: the questions go on and the answers do not.
    OK_DPD = "OK-DPD", Normal, Info;
    title: "liveness checks are answered";
    causes: [];
    checks: [];
    logs: [
        "Cisco PIX": "NOTIFY payload 36136 / 36137" ("PIX-32");
    ];
    sources: ["PIX-32", "RFC 3706 §5", "RFC 7296 §1.4"];
    when: INFORMATIONAL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    for (_, view) in case.attempts() {
        let read = informational::read(&view);
        let is_question = |one: &&Informational<'_>| {
            one.reading == Reading::Question { answered: true }
                && !v2_mobike::tries_a_path(&view, one.message)
                && one.exchange(&view).and_then(|exchange| view.check_unheard(exchange)).is_none()
        };
        let questions: Vec<_> = read.iter().filter(is_question).collect();
        let (Some(first), Some(last)) = (questions.first(), questions.last()) else { continue };
        let sure = view.attempt.version == IkeVersion::V2 || questions.len() > 1;
        let seen = case.in_words(|| {
            let mut seen = ["asked and answered ", &times(questions.len() as u64)].concat();
            if questions.len() > 1 {
                seen.push_str(&format!(" in {}", span(last.message.at.since(first.message.at))));
            }
            // That nobody answers any more is for others to tell.
            let asks = |one: &Informational<'_>| matches!(one.reading, Reading::Question { .. });
            let later = |one: &Informational<'_>| {
                one.message.at > last.message.at && case.end().since(one.message.at) >= ANSWER_WITHIN
            };
            if read.iter().any(|one| asks(one) && later(one)) {
                seen.push_str(&format!(
                    ", the last time {} before the capture ends",
                    span(case.end().since(last.message.at))
                ));
            }
            seen
        });
        // On the pair and not on the attempt: that the tunnel is up, or idle, says more about it.
        found.push(
            Match::on_pair(if sure { Confidence::Inferred } else { Confidence::Suspected })
                .seen(seen)
                .means("both ends are alive and hold the SA")
                .frames([first.message.frame, last.message.frame]),
        );
    }
    found
}
