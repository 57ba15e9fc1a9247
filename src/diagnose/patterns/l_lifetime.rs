//! L-LIFETIME: lifetimes that do not fit together.

use std::time::Duration;

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::diagnose::{Confidence, Severity};
use crate::track::{Attempt, IkeVersion, Label, Side};

use super::life_cycle::{self, Traffic};
use super::offer;

pattern! {
    /// ## What is seen
    ///
    /// One of these. The phase 1 lifetimes that the two ends offer or choose differ (IKEv1 shows them in clear). The
    /// tunnel goes down exactly when the phase 1 lifetime ends, and only then is negotiated anew. Quick Modes come further
    /// apart than the phase 1 lifetime.
    ///
    /// ## What it means
    ///
    /// Different lifetimes are seldom fatal: the shorter one should win. Without a margin before the end the tunnel is down
    /// for the time of a negotiation, and if the two ends count differently, one of them uses an SA that the other has
    /// dropped. IKEv2 does not negotiate lifetimes, and those of phase 2 are encrypted: only their period can be measured.
    ///
    /// ## Look-alikes
    ///
    /// - `L-FLAP`: the tunnel goes down more often than any lifetime.
    /// - Re-keying by volume follows the traffic and not the clock.
    L_LIFETIME = "L-LIFETIME", LifeCycle, Warning;
    title: "lifetimes do not fit together";
    causes: [
        "differs" 0.50 "the lifetimes are configured differently on the two ends", raised by "other values in the two directions", lowered by "";
        "margin" 0.30 "no margin: the new SA is negotiated when the old one has ended", raised by "down exactly at the lifetime", lowered by "ESP runs across the negotiation";
        "order" 0.20 "phase 1 lives shorter than phase 2", raised by "Quick Modes further apart than the phase 1 lifetime", lowered by "";
    ];
    checks: [
        Either: "set the same phase 1 lifetime, and the same phase 2 lifetime (by time and by volume)";
        Either: "let phase 1 live at least as long as phase 2";
        Either: "re-key some time before the end (margin, soft lifetime), and let one side begin earlier";
    ];
    logs: [
        "Cisco ASA": "Phase-1 life time should be higher than Phase-2" ("S2S-46");
        "strongSwan": "received lifetime %us does not match configured" ("strongSwan source");
        "Cisco IOS": "lifetime: 86400" ("CON-07");
        "racoon": "phase2 negotiation failed due to phase1 expired." ("racoon source");
        "Cisco ASA": "Responder forcing change of Phase 1/Phase 2 rekeying duration from larger to smaller seconds" ("Cisco ASA syslog reference");
    ];
    sources: [
        "S2S-03", "S2S-28", "S2S-46", "S2S-55", "S2S-63", "CON-07", "CON-14", "RFC 2407 §4.5.4", "RFC 2409 appendix A", "RFC 7296 §2.8",
    ];
    when: V1 SEVERAL FLOWS, V1 BEGUN_BY_SEVERAL, MANY_QUICK_MODES, LIFETIMES;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    expiry(case).or_else(|| order(case)).or_else(|| difference(case)).into_iter().collect()
}

/// Seconds that the responder agreed to, or the initiator offered.
pub(super) fn agreed(attempt: &Attempt) -> Option<u64> {
    let chosen = attempt.chosen.iter().flat_map(|proposal| &proposal.transforms).find_map(offer::lifetime);
    chosen.filter(|_| attempt.version == IkeVersion::V1)
}

/// Seconds that the initiator offered, in the transform that was taken if one was.
pub(super) fn offered(attempt: &Attempt) -> Option<u64> {
    let transforms = || attempt.offered.iter().flat_map(|proposal| &proposal.transforms);
    // The choice repeats the number of the transform it takes.
    let number =
        attempt.chosen.iter().flat_map(|proposal| &proposal.transforms).map(|transform| transform.number).next();
    let same = transforms().find(|transform| Some(transform.number) == number);
    let offered = same.and_then(offer::lifetime).or_else(|| transforms().find_map(offer::lifetime));
    offered.filter(|_| attempt.version == IkeVersion::V1)
}

/// Down from the end of the lifetime until a new negotiation.
fn expiry(case: &Case<'_>) -> Option<Match> {
    let lives = life_cycle::lives(case);
    let traffic = Traffic::of(case);
    if case.pair.flows.is_empty() {
        return None;
    }
    let found = lives.windows(2).find_map(|two| {
        let [earlier, later] = two else { return None };
        let life = agreed(earlier.view.attempt)?;
        let lived = later.begun().since(earlier.view.attempt.phase1_up?).as_secs_f64();
        let exact = lived >= life as f64 * 0.98 && lived <= life as f64 * 1.05 + 5.0;
        (exact && life_cycle::interrupted(&traffic, earlier, later)).then_some((life, lived, later))
    });
    let (life, lived, later) = found?;
    Some(
        Match::on_pair(Confidence::Suspected)
            .seen(format!(
                "phase 1 was agreed for {}; the tunnel was negotiated anew {} after it came up, and no ESP ran across",
                span(Duration::from_secs(life)),
                span(Duration::from_secs_f64(lived)),
            ))
            .means("the SAs ended before new ones were there")
            .frames([later.view.attempt.first_frame])
            .weigh("margin", 4.0),
    )
}

/// Quick Modes further apart than phase 1 may live.
fn order(case: &Case<'_>) -> Option<Match> {
    let life = Duration::from_secs(case.pair.attempts.iter().filter_map(agreed).min()?);
    let mut quick: Vec<_> =
        case.attempts().flat_map(|(_, view)| view.messages()).filter(|message| message.label == Label::Qm(1)).collect();
    quick.sort_by_key(|message| message.at);
    let closest = quick.windows(2).filter_map(|two| Some(two.get(1)?.at.since(two.first()?.at))).min()?;
    if quick.len() < 3 || closest <= life || life.is_zero() {
        return None;
    }
    Some(
        Match::on_pair(Confidence::Inferred)
            .seen(format!("Quick Modes are at least {} apart, and phase 1 is agreed for {}", span(closest), span(life)))
            .means("phase 1 ends before phase 2 does, so that nothing can re-key or delete phase 2 in between")
            .frames(quick.iter().take(8).map(|message| message.frame))
            .severity(Severity::Notice)
            .weigh("order", 6.0),
    )
}

/// Other values from the two ends.
fn difference(case: &Case<'_>) -> Option<Match> {
    let answered = case.pair.attempts.iter().find_map(|attempt| {
        Some((attempt, offered(attempt)?, agreed(attempt)?)).filter(|(_, offer, choice)| offer != choice)
    });
    let by = |address| {
        let from = move |attempt: &&Attempt| life_cycle::address(attempt, Side::Initiator) == address;
        case.pair.attempts.iter().filter(from).find_map(|attempt| Some((attempt, offered(attempt)?)))
    };
    let (seen, frames) = match (answered, by(case.pair.a), by(case.pair.b)) {
        (Some((attempt, offer, choice)), ..) => (
            format!("{offer} s of phase 1 lifetime offered, {choice} s chosen"),
            offer::frames(attempt).collect::<Vec<_>>(),
        ),
        (None, Some((one, a)), Some((other, b))) if a != b => (
            format!("{} offers {a} s of phase 1 lifetime, {} offers {b} s", case.pair.a, case.pair.b),
            vec![one.first_frame, other.first_frame],
        ),
        _ => return None,
    };
    Some(
        Match::on_pair(Confidence::Stated)
            .seen(seen)
            .means("seldom fatal; the shorter one should win")
            .frames(frames)
            .severity(Severity::Notice)
            .weigh("differs", 4.0),
    )
}
