//! A first message that the responder refuses in clear again and again, and then accepts as it is.

use crate::base::Timestamp;
use crate::diagnose::pattern::Match;
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::MessageRecord;

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
            .means(
                "the offer is the same: what the responder did not have for it was put right there, or not loaded until then; the \
                 refusals are not authenticated",
            )
            .frames([asked.frame, first.frame, frame, accepted.frame]),
    )
}
