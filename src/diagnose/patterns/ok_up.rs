//! OK-UP: the tunnel is up and carries traffic.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::unheard::ANSWER_WITHIN;
use crate::diagnose::words::{number, span};
use crate::track::EspFlow;

use super::life_cycle::{self, Life, Traffic, UNWANTED, frame_at};
use super::traffic::{self, AHEAD};
use super::{is_taken_down, l_simult_init, n_nat_multi, ok_delete, t_seq_gap};

pattern! {
    /// ## What is seen
    ///
    /// Phase 2 (or IKE_AUTH) complete, and ESP or AH in both directions.
    ///
    /// ## What it means
    ///
    /// The tunnel works as far as the outside can see. Where packets of one size had their answers and the last ones have none for some
    /// seconds, it worked until then, and it is too early for more.
    ///
    /// ## Look-alikes
    ///
    /// - `T-ONEWAY`: ESP in one direction only.
    OK_UP = "OK-UP", Normal, Info;
    title: "the tunnel is up and carries traffic";
    causes: [];
    checks: [];
    logs: [
        "Cisco": "Up-Active" ("CON-25");
        "Netopia": "phase2 complete" ("NIR-18");
        "Cisco ASA": "PHASE 2 COMPLETED" ("Cisco ASA syslog reference");
        "GCP": "ESTABLISHED" ("Google Cloud VpnTunnel.Status reference");
    ];
    sources: [
        "SMG-01", "SMG-05", "S2S-52", "S2S-60", "S2S-61", "S2S-63", "CON-12", "CON-13", "CON-15", "CON-25", "NIR-05",
        "NIR-18", "NIR-20", "NIR-39", "NIR-46",
    ];
    when: TUNNEL FLOWS;
    check: check
}

/// Who changes from one SA to another uses both no longer than this.
const CHANGE: Duration = Duration::from_secs(3);

fn check(case: &Case<'_>) -> Vec<Match> {
    // That it was taken down says more.
    if is_taken_down(case) {
        return Vec::new();
    }
    // Traffic of a tunnel that was up before does not show that this one works.
    let packets = |from, up| case.flows_from(from).filter(|flow| flow.last >= up).map(|flow| flow.packets).sum::<u64>();
    let (a, b) = (case.pair.a, case.pair.b);
    let carries = |up| packets(a, up) > 0 && packets(b, up) > 0;
    let is_half = |view: &View<'_>, up| Beside::of(view, up).is_some_and(Beside::is_half);
    // One that took over a moment ago had no time for it: then the one before tells.
    let until = |from, up| case.flows_from(from).any(|flow| flow.last.after(PATIENCE) >= up);
    let just_begun = |up| case.end().since(up) < PATIENCE && until(a, up) && until(b, up);
    let ups = case.attempts().filter_map(|(index, view)| Some((index, view, view.tunnel_up()?)));
    let ups: Vec<_> = ups.collect();
    let mut told = ups.into_iter().rev().filter(|(_, view, up)| !is_half(view, *up));
    let last = told.find(|&(_, _, up)| carries(up) || !just_begun(up));
    let Some((index, view, up)) = last.filter(|&(_, _, up)| carries(up)) else { return Vec::new() };
    let beside = Beside::of(&view, up).is_some_and(Beside::is_whole);
    let last = |from| case.flows_from(from).map(|flow| flow.last).max();
    let apart = last(a).zip(last(b)).map(|(one, other)| one.since(other).max(other.since(one)));
    let fading = apart.filter(|&apart| apart >= ANSWER_WITHIN).and_then(|_| traffic::fading(case));
    // A re-key takes over what is up; its own beginning tells nothing.
    let seen = case.in_words(|| {
        let began = begun_as(case, index);
        let takes_over = taken_over(case, began).filter(|_| !n_nat_multi::is_seen(case));
        let took = match view.attempt.rekeyed_from {
            Some(_) => "re-keyed".into(),
            None if beside => {
                format!("set up in {} beside another one, whose SAs go on", span(up.since(view.attempt.first)))
            }
            None if takes_over.is_some()
                && case.view(began).is_some_and(|view| is_second_of_two(&view, takes_over)) =>
            {
                "the second of two negotiations that ran side by side".into()
            }
            None if takes_over.is_some() => "negotiated anew while the one before was up".into(),
            None if view.attempt.midstream || view.shown_by_traffic().is_some() => {
                "up; messages of the negotiation are not in the capture".into()
            }
            None => {
                let began = view.attempt.first;
                let mut took = format!("set up in {}", span(up.since(began)));
                // A child SA may come long after its IKE SA, by CREATE_CHILD_SA.
                if let Some(authenticated) = view.attempt.phase1_up.filter(|&at| view.is_v2() && at < up) {
                    took.push_str(&format!(", the IKE SA in {}", span(authenticated.since(began))));
                }
                took
            }
        };
        let first_up = || case.view(began).and_then(|first| first.tunnel_up());
        let since = takes_over.or_else(first_up).unwrap_or(up);
        let open = fading.as_ref().map_or_else(String::new, |fading| {
            let (last, over) = (number(fading.packets[1], "packet"), span(fading.over));
            format!("; the last {last} of {}, in {over}, had no answer, though those before had", fading.way.from)
        });
        format!("{took}; {} from {a}, {} from {b}{open}", number(packets(a, since), "packet"), packets(b, since))
    });
    let means = if fading.is_some() {
        "the tunnel worked as far as the outside can see; whether it still does is open"
    } else if t_seq_gap::is_patchy(case) {
        "the tunnel carries traffic both ways, and much of what one side sent did not come by here"
    } else {
        "the tunnel works as far as the outside can see"
    };
    let works =
        |index, view: &View<'_>, up| Match::on(index, Confidence::Inferred).means(means).frames([frame_at(view, up)]);
    let other = beside.then(|| told.find(|&(_, _, up)| carries(up))).flatten();
    let other = other.map(|(index, view, up)| works(index, &view, up));
    std::iter::once(works(index, &view, up).seen(seen)).chain(other).collect()
}

/// What goes on under SAs from before one came up, and under those from then on: whether both ways, for longer than it takes to change
/// from one to the other.
#[derive(Debug, Clone, Copy)]
struct Beside {
    up: Timestamp,
    before: [Option<Timestamp>; 2],
    since: [Option<Timestamp>; 2],
}

impl Beside {
    /// For an attempt that came up at `up`. A re-key takes over what was there before.
    fn of(view: &View<'_>, up: Timestamp) -> Option<Self> {
        let case = &view.case;
        let ends = [case.pair.a, case.pair.b];
        let is_old = |flow: &&EspFlow| flow.first.after(AHEAD) < up;
        let last = |end| case.flows_from(end).filter(is_old).map(|flow| flow.last).max();
        let first = |end| case.flows_from(end).filter(|flow| !is_old(flow)).map(|flow| flow.first).min();
        view.attempt.rekeyed_from.is_none().then(|| Self { up, before: ends.map(last), since: ends.map(first) })
    }

    /// Whether the older ones go on both ways for long after the first packet under a newer one.
    fn goes_on(self) -> bool {
        let newer = self.since.iter().flatten().max().map_or(self.up.after(PATIENCE), |newer| newer.after(CHANGE));
        self.before.iter().all(|last| last.is_some_and(|last| last > newer))
    }

    /// There are two tunnels.
    fn is_whole(self) -> bool {
        self.since.iter().all(Option::is_some) && self.goes_on()
    }

    /// The newer one carries nothing, or nothing in one direction.
    fn is_half(self) -> bool {
        self.since.contains(&None) && self.goes_on()
    }
}

/// What was up since then is what the other side had begun just before.
fn is_second_of_two(view: &View<'_>, since: Option<Timestamp>) -> bool {
    l_simult_init::beside(view).is_some_and(|other| other.index < view.index && other.tunnel_up() == since)
}

/// The attempt that set up what `index` is the latest re-key of: child SAs go on under the next IKE SA (RFC 7296 §2.8).
fn begun_as(case: &Case<'_>, index: usize) -> usize {
    let from = |&index: &usize| case.pair.attempts.get(index)?.rekeyed_from.filter(|&from| from < index);
    std::iter::successors(Some(index), from).last().unwrap_or(index)
}

/// Since when the tunnel was up without a break, if attempt `index` took over from an earlier one.
fn taken_over(case: &Case<'_>, index: usize) -> Option<Timestamp> {
    let lives = life_cycle::lives(case);
    let last = lives.iter().rposition(|life| life.index == index).filter(|&last| last > 0)?;
    let traffic = Traffic::of(case);
    let unused = |earlier: &Life<'_>, later: &Life<'_>| {
        let at_once = later.begun() > earlier.up && later.begun().since(earlier.up) < UNWANTED;
        at_once && !earlier.view.traffic_begins(earlier.up)
    };
    let without_break = |earlier: &Life<'_>, later: &Life<'_>| {
        ok_delete::left(&earlier.view).is_none_or(|left| left >= later.begun())
            && !unused(earlier, later)
            && !life_cycle::interrupted(&traffic, earlier, later)
    };
    let breaks = lives.get(..=last)?.windows(2).rposition(|two| !without_break(&two[0], &two[1]));
    let first = breaks.map_or(0, |place| place + 1);
    lives.get(first).filter(|_| first < last).map(|life| life.up)
}
