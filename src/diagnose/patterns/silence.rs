//! First messages that draw no answer, of either version: what may be said of them, and how surely.

use crate::diagnose::Confidence;
use std::time::Duration;

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::Match;
use crate::diagnose::words::{number, span, times};
use crate::track::{IkeVersion, Label, Side};

/// Attempts of `version` whose first message, as told by `is_first`, was all that was ever seen of them.
pub(super) fn unanswered_first_message(
    case: &Case<'_>,
    version: IkeVersion,
    is_first: impl Fn(Label) -> bool,
) -> Vec<Match> {
    case.attempts()
        .filter(|(_, view)| view.attempt.version == version && !view.attempt.midstream)
        .filter_map(|(index, view)| unanswered(case, index, &view, &is_first))
        .collect()
}

fn unanswered(case: &Case<'_>, index: usize, view: &View<'_>, is_first: impl Fn(Label) -> bool) -> Option<Match> {
    let first = view.messages().find(|message| is_first(message.label))?;
    let nothing_more = view.messages().all(|message| is_first(message.label)) && !view.heard(Side::Responder);
    let answered_elsewhere = !view.attempt.responder_spi.is_zero();
    let refused_by_icmp = !case.pair.icmp_errors.is_empty();
    let waited = view.waited(first);
    if !nothing_more || answered_elsewhere || refused_by_icmp || !waited.is_silence() {
        return None;
    }
    let peer = view.attempt.responder.ip();
    let alive = case.heard_around(peer, view.attempt);
    let silent_peers = case.silent_peers();
    let mut seen = format!("{} was sent {}", first.label, times(waited.copies));
    if waited.copies > 1 {
        seen.push_str(&format!(" in {}", span(waited.over)));
    }
    seen.push_str(&if waited.after < Duration::from_secs(1) {
        "; nothing came back before the capture ends".to_owned()
    } else {
        let last = if waited.copies > 1 { "the last copy" } else { "it" };
        format!("; nothing came back, also not in the {} after {last}", span(waited.after))
    });
    seen.push_str(&if alive {
        format!("; {peer} is alive: other packets of it are in the capture")
    } else {
        format!("; no packet of any kind from {peer} in {} of capture", span(case.watched()))
    });
    let (confidence, settle) = if alive {
        let once = || {
            format!("another try with a capture on the outside of {peer}: whether the message arrives and is answered")
        };
        (waited.certainty(), (waited.copies < 2).then(once))
    } else {
        (
            Confidence::Suspected,
            Some(format!(
                "make sure that the capture holds both directions (ping {peer} while capturing); a capture on the outside of {peer} tells whether the message arrives there"
            )),
        )
    };
    let mut found = Match::on(index, confidence).seen(seen).frames(view.frames(first)).means(if alive {
        "the responder is reachable and does not answer this: look at its configuration before the path"
    } else {
        "either the message does not arrive, or its answer does not, or the responder stays silent on purpose"
    });
    found.settle = settle.map(Into::into);
    if alive {
        found = found.weigh("path", 0.3).weigh("no-profile", 2.0).weigh("refused", 2.0).weigh("off", 1.5);
    } else if silent_peers > 1 {
        found = found.weigh("path", 1.5);
        found.seen.push_str(&format!(
            "; {} of the same sender are silent too",
            number(silent_peers as u64 - 1, "other peer")
        ));
    }
    Some(found)
}
