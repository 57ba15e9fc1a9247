//! A first message that the responder refuses in clear, and later accepts as it is: a copy of it, or that of another attempt.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::pattern::Match;
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Attempt, MessageRecord};

use super::{nat, phase1};

const MENDED: &str = "the offer is the same: what the responder did not have for it was put right there, or not loaded until then; the \
                      refusals are not authenticated";

/// By initiator, the last attempt whose offer the responder went along with.
pub(super) struct Accepted<'a>(HashMap<IpAddr, &'a Attempt>);

impl<'a> Accepted<'a> {
    /// Of such attempts, in the order of their first messages.
    pub(super) fn of(attempts: impl Iterator<Item = &'a Attempt>) -> Self {
        Self(attempts.map(|attempt| (attempt.initiator.ip(), attempt)).collect())
    }

    /// Whether one came after that which was refused.
    pub(super) fn after(&self, refused: &Attempt) -> Option<&'a Attempt> {
        self.0.get(&refused.initiator.ip()).copied().filter(|later| later.first > refused.first)
    }

    /// How much later one with the same offer began: not that of another client behind the same NAT, or under another name.
    pub(super) fn same_after(&self, refused: &Attempt) -> Option<Duration> {
        let same = |later: &&Attempt| {
            later.mode == refused.mode
                && later.offered == refused.offered
                && !nat::of_two_clients(later.initiator.port(), refused.initiator.port())
                && named(later) == named(refused)
        };
        self.after(refused).filter(same).map(|later| later.first.since(refused.first))
    }
}

/// Who the first message says it is from: that of Aggressive Mode does.
fn named(attempt: &Attempt) -> Option<(u8, &[u8])> {
    phase1::identity(attempt.exchanges.first()?.messages.first()?)
}

/// A refusal, as history: the same offer was accepted so much `later`.
pub(super) fn recalled(mut found: Match, later: Duration) -> Match {
    found.seen.push_str(&format!("; it accepted the same offer {} later", span(later)));
    found.severity(Severity::Notice).means(MENDED)
}

/// The message `asked` was refused several times, each time with what is `said`, and then accepted. What refuses and accepts the same
/// copy may be two, as anybody can refuse in clear: another copy has to come between the last refusal and `accepted`.
///
/// On the pair and not on the attempt: how that went on says more about it.
pub(super) fn mended<'a>(
    asked: &'a MessageRecord,
    refusals: impl Iterator<Item = &'a MessageRecord>,
    said: &str,
    accepted: &'a MessageRecord,
) -> Option<Match> {
    let refusals: Vec<_> = refusals.collect();
    let first = refusals.iter().min_by_key(|refusal| refusal.at)?;
    let (frame, last) = refusals.iter().flat_map(|refusal| refusal.copies()).max_by_key(|&(_, at)| at)?;
    let count: u64 = refusals.iter().map(|refusal| u64::from(refusal.repeat_count) + 1).sum();
    let between = |at: Timestamp| at > last && at <= accepted.at;
    if count < 2 || !asked.copies().any(|(_, at)| between(at)) {
        return None;
    }
    Some(
        Match::on_pair(Confidence::Inferred)
            .severity(Severity::Notice)
            .seen(format!(
                "the responder answered {} with {said} in clear, {} in {}, and accepted it {} after the first copy",
                asked.label,
                times(count),
                span(last.since(first.at)),
                span(accepted.at.since(asked.at)),
            ))
            .means(MENDED)
            .frames([asked.frame, first.frame, frame, accepted.frame]),
    )
}
