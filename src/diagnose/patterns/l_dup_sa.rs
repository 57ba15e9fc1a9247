//! L-DUP-SA: two SAs where one is meant, and the two ends use different ones.

use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::payload;
use crate::diagnose::words::span;
use crate::track::{Exchange, ExchangeKind, Label};

use super::informational::{self, Reading};
use super::{ikev2, traffic};

/// Longer than this after a re-key, the old SA ought to be gone.
const OVERLAP: Duration = Duration::from_secs(60);
/// Re-keys looked at, the latest ones.
const LATEST: usize = 4;

pattern! {
    /// ## What is seen
    ///
    /// After a re-key one side sends on the new SPI only, while the other goes on with the old one for more than a minute
    /// and never uses the new one.
    ///
    /// ## What it means
    ///
    /// Both SAs exist, and the two ends disagree on which one counts. It works until the old one expires or is deleted on
    /// the receiving side; then traffic one way is lost.
    ///
    /// ## Look-alikes
    ///
    /// - Several subnets, one SA each, are normal: several SPIs at once say nothing.
    /// - Old and new SPI side by side for some seconds are a normal re-key.
    /// - `T-SPI-UNKNOWN`: the same after a new IKE SA.
    L_DUP_SA = "L-DUP-SA", LifeCycle, Warning;
    title: "the two ends use different SAs after a re-key";
    causes: [
        "collision" 0.50 "both sides re-keyed at once and kept different results", raised by "crossing requests", lowered by "";
        "late" 0.35 "the sender did not install the new SA, or prefers the old one until it expires", raised by "", lowered by "";
        "lost" 0.15 "the last message of the re-key was lost", raised by "repeats of the re-key", lowered by "";
    ];
    checks: [
        Either: "compare the SPIs that each gateway lists with those in use in the capture";
        Either: "clear the IPsec SAs of this tunnel";
        Either: "avoid re-keying from both sides at once: a shorter lifetime on one side, or a random margin";
    ];
    logs: [
        "libreswan": "Child SA duplicated on one side only" ("GitHub issue");
    ];
    sources: ["S2S-61", "RFC 7296 §2.8", "RFC 7296 §2.8.1"];
    when: FLOWS CREATE_CHILD, FLOWS QUICK_MODE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut rekeys: Vec<(Timestamp, FrameRef, Duration)> = case.attempts().flat_map(|(_, view)| rekeys(view)).collect();
    rekeys.sort_unstable();
    let [there, back] = traffic::ways(case);
    let apart = rekeys.iter().rev().take(LATEST).find_map(|&(at, frame, age)| {
        [(&there, &back), (&back, &there)].into_iter().find_map(|(old, new)| {
            let late = old.only(|flow| flow.first.after(age) < at && flow.last > at.after(OVERLAP));
            let stuck = old.begun_since(at).is_empty() && !late.is_empty();
            let changed = !new.begun_since(at).is_empty()
                && new.only(|flow| flow.first < at && flow.last > at.after(traffic::GRACE)).is_empty();
            (stuck && changed).then(|| (late.clone(), at, frame))
        })
    });
    let Some((late, at, frame)) = apart else { return Vec::new() };
    // An SA that was deleted after the re-key is not there: T-SPI-UNKNOWN.
    let deleted = case.attempts().any(|(_, view)| {
        informational::read(&view).iter().any(|one| one.reading == Reading::Delete && one.message.at > at)
    });
    if deleted {
        return Vec::new();
    }
    vec![
        Match::on_pair(Confidence::Suspected)
            .seen(format!(
                "{} still sent on an old SPI {} after the re-key and never on a new one, while {} changed over",
                late.from,
                span(late.last().map_or_else(Default::default, |last| last.since(at))),
                late.to,
            ))
            .means("both SAs exist, and the two ends use different ones")
            .frames([frame])
            .frames(late.frames())
            .settle("the SAs that each gateway lists, by SPI"),
    ]
}

/// When SAs may have been replaced, by which message, and how much older the replaced ones are at least: a request that begins
/// with a Notify says that it is for a re-key (RFC 7296 §1.3.3), others may be for networks more.
fn rekeys<'a>(view: View<'a>) -> impl Iterator<Item = (Timestamp, FrameRef, Duration)> + use<'a> {
    let of = move |exchange: &'a Exchange| {
        let (request, response) = ikev2::request_and_response(exchange);
        let says_so = request.is_some_and(|request| view.first_inside(request) == Some(payload::NOTIFY));
        let created = response.filter(|_| exchange.kind == ExchangeKind::CreateChildSa);
        let age = if says_so { traffic::AHEAD } else { OVERLAP };
        let confirmed = exchange.message(Label::Qm(3)).filter(|message| view.attempt.phase2_up < Some(message.at));
        created.map(|message| (message, age)).or(confirmed.map(|message| (message, OVERLAP)))
    };
    view.exchanges().iter().filter_map(of).map(|(message, age)| (message.at, message.frame, age))
}
