//! T-ONEWAY: traffic in one direction only.

use std::net::IpAddr;

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, MessageRecord, Side};

use super::{c_two_point, l_stale_sa, life_cycle, n_port4500, nat, t_esp_blocked, t_seq_wrap, traffic};

pattern! {
    /// ## What is seen
    ///
    /// The tunnel is up, one side sends ESP (or AH), its sequence numbers rise, and the other side sends none, while IKE
    /// shows that the capture holds both directions. The spacing often tells what asks: one packet a second of one size is
    /// ping, intervals of 1, 2, 4 s are a TCP SYN that nobody answers.
    ///
    /// ## What it means
    ///
    /// From one capture point three things look the same: the packets do not arrive; they arrive and are dropped (unknown
    /// SPI, integrity, an inner address outside the negotiated subnets); or they arrive and nothing comes back, because
    /// the far host has no route through its gateway, its firewall drops them, or its answers are translated or routed
    /// past the tunnel. The receive counter of the far gateway decides.
    ///
    /// Where packets of one size were answered one for one, and go on at that pace without an answer, or the last ones that have none
    /// all have lengths that came back before (an answer to ping or to a TCP SYN is as long), the same is suspected of
    /// a tunnel that worked before: the far end lost the SA, or the path or the far host is gone. While IKE of the silent side goes on,
    /// packets of several sizes may need no answer: no more than a notice.
    ///
    /// Where two ends have several tunnels, the same is suspected of one of them: its initiator or responder begins to send under a
    /// new SPI, the other one does not, and both go on under their older ones. Or of one of several clients behind one address, whom the
    /// ports tell apart; or of one of several SAs side by side, where what comes back answers the others one for one.
    ///
    /// In a capture that begins after the tunnel came up the other side may have sent before, so that the same picture is
    /// only suspected, and only after half a minute.
    ///
    /// ## Look-alikes
    ///
    /// - `T-ESP-BLOCKED`: the path passes UDP and not IP protocol 50. Where ICMP says so, that finding leads.
    /// - `L-STALE-SA`, `L-DPD-TIMEOUT`: the far end lost the SA; liveness checks fail too.
    /// - `C-ONE-DIR`: the capture misses the answers.
    /// - Traffic that needs no answer (logs, streams) has none.
    T_ONEWAY = "T-ONEWAY", Traffic, Error;
    title: "traffic through the tunnel is seen in one direction only";
    causes: [
        "no-answer" 0.38 "the far side has nothing to answer with: no route back through its gateway, a host firewall, address translation before encryption",
            raised by "IKE liveness is answered; the far side sends ESP for other traffic", lowered by "the far side never sends ESP at all";
        "blocked" 0.30 "ESP (IP protocol 50) or AH (51) is blocked towards the far side, or on its way back",
            raised by "ICMP that refuses ESP; ESP directly over IP, and the far side never sends any", lowered by "ESP in UDP";
        "mapping" 0.05 "ESP in UDP is lost on its way: a NAT forgot or changed its mapping, or a filter for UDP 4500",
            raised by "a NAT on the path; it worked before; nothing at all comes from UDP 4500 any more, and UDP 500 answers", lowered by "ESP directly over IP";
        "dropped" 0.20 "the far side drops it after it arrived: unknown SPI, integrity, inner addresses that do not fit the policy",
            raised by "INVALID-SPI; a re-key or a restart shortly before", lowered by "";
        "one-way" 0.05 "what is sent wants no answer: log lines, telemetry, a stream",
            raised by "many packets at a pace of their own, which nobody gives up", lowered by "packets as ping or TCP sends them; answers before";
        "gone" 0.02 "the far gateway is down, or its line is: nothing at all comes from there any more",
            raised by "answers before, neither ESP nor IKE since, and IKE asked in vain", lowered by "IKE that goes on";
    ];
    checks: [
        Either("the silent side"): "look first whether it runs, and whether its line does" about "gone";
        Either("the silent side"): "look at the counters of the SA: if receive (decaps) stands still, ESP does not arrive; if send (encaps) rises as well, ESP is lost on its way back; if receive alone rises, look behind that gateway";
        Either("the silent side"): "check that the target host's route to the other subnet leads through this gateway, and that the host and its firewall answer (try another host)" about "no-answer";
        Either("the silent side"): "check that answers are exempt from address translation and match the policy, with the subnets mirrored on both ends" about "no-answer" "dropped";
        Path: "check that IP protocol 50 (51 for AH) passes both ways; ESP may be forced into UDP" about "blocked";
        Path: "check that UDP 4500 passes both ways, and that keepalives come more often than the NAT's timer needs" about "mapping";
        Either: "check that the two subnets do not overlap" about "no-answer" "dropped";
    ];
    logs: [
        "Cisco PIX": "SYN timeout / invalid proxy IDs" ("PIX-41, PIX-13");
        "Netopia": "Tx without Rx / Rx Discard" ("NIR-21");
        "Cisco ASA": "#pkts encaps / #pkts decaps" ("S2S-36");
        "Check Point": "According to the policy the packet should not have been decrypted" ("Check Point guides");
    ];
    sources: [
        "PIX-13", "PIX-40", "PIX-41", "S2S-07", "S2S-31", "S2S-32", "S2S-33", "S2S-36", "S2S-37", "S2S-39", "S2S-40",
        "S2S-50", "CON-24", "NIR-21", "NIR-22", "NIR-23", "NIR-24", "NIR-25", "NIR-27", "NIR-29", "NIR-30", "NIR-43",
        "RFC 4301 §5.2", "RFC 4303 §3.4",
    ];
    misses: Data;
    when: FLOWS_ONE_WAY, SEVERAL FLOWS, FLOWS_UNEVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let Some(one_way) = traffic::one_way(case) else { return faded(case).into_iter().collect() };
    let way = &one_way.way;
    let mut seen = format!(
        "{} from {} to {} in {}, none back in the {} since the first",
        number(way.packets(), "packet"),
        way.from,
        way.to,
        span(way.span()),
        span(one_way.waited),
    );
    if let Some(rhythm) = way.rhythm() {
        seen.push_str(": ");
        seen.push_str(rhythm);
    }
    if one_way.alive {
        seen.push_str(&format!(". IKE of {} goes on", way.to));
    }
    if one_way.beside {
        seen.push_str("; under other SAs both go on");
    }
    if one_way.late {
        seen.push_str("; the tunnel came up before the capture began");
    }
    let refused = t_esp_blocked::refusals(case, way).next().is_some();
    if refused {
        seen.push_str("; ICMP says that ESP is refused on the way");
    }
    let confidence = if one_way.short || one_way.late { Confidence::Suspected } else { Confidence::Stated };
    let mut found = Match::on(one_way.attempt, confidence)
        .seen(seen)
        .means(format!(
            "what {} sends is lost on its way or dropped at {}, or nothing behind it answers, or the answers are lost",
            way.from, way.to
        ))
        .frames(way.frames())
        .settle(format!(
            "the receive counter of the SA on {}, or a capture on its outside and inside while traffic is sent",
            way.to
        ));
    found.party = case.view(one_way.attempt).map(|view| side_at(&view, way.to));
    let natted = case.view(one_way.attempt).is_some_and(|view| nat::detected(&view));
    let lost = lost_as(way);
    found = if lost == "blocked" {
        found.weigh(lost, if one_way.answered_before { 1.4 } else { 1.9 }).rule_out(&["mapping"])
    } else {
        found.weigh(lost, if natted && one_way.answered_before { 6.0 } else { 2.0 }).rule_out(&["blocked"])
    };
    if one_way.beside && way.is_native() {
        // No path tells one SPI from another.
        found = found.rule_out(&["blocked"]);
    }
    if one_way.alive {
        found = found.weigh("no-answer", 1.2);
    }
    let by_design = one_way.may_want_no_answer();
    found =
        if by_design { found.weigh("one-way", 6.0).severity(Severity::Warning) } else { found.rule_out(&["one-way"]) };
    if one_way.unconfirmed {
        // Quick Mode is at fault and has a finding of its own.
        found.attempt = None;
    }
    if one_way.answered_before {
        found = found.weigh("dropped", 2.0);
    }
    found =
        if one_way.answered_before { weigh_gone(case, way, found, one_way.alive) } else { found.rule_out(&["gone"]) };
    // It worked before, something else explains it, or a longer capture would tell.
    if one_way.answered_before || one_way.unconfirmed || one_way.short {
        found = found.severity(Severity::Warning);
    }
    if one_way.unconfirmed && one_way.short {
        found = found.severity(Severity::Notice).means(
            "message 2 of Quick Mode was sent again, so its message 3 had not arrived: until it does, that side sends nothing",
        );
    }
    if one_way.late {
        // Nobody saw whether it was ever meant to be answered.
        found = found.severity(Severity::Notice);
    }
    if refused {
        // The refusal has findings of its own.
        found = found.weigh(lost, 20.0).severity(Severity::Notice);
    }
    vec![c_two_point::tell_traffic(case, way, (&T_ONEWAY, lost), found)]
}

/// The side that has this address.
fn side_at(view: &View<'_>, address: IpAddr) -> Side {
    if life_cycle::address(view.attempt, Side::Initiator) == address { Side::Initiator } else { Side::Responder }
}

/// The cause that what goes this way is lost on its way.
fn lost_as(way: &traffic::Way<'_>) -> &'static str {
    if way.is_native() { "blocked" } else { "mapping" }
}

/// It worked, and then the answers stopped.
fn faded(case: &Case<'_>) -> Option<Match> {
    // Who took its SA down answers no more, nor does who drops all because the numbers ran over.
    let faded = traffic::faded(case).filter(|faded| l_stale_sa::unheeded_delete(case, faded).is_none())?;
    if t_seq_wrap::has_stopped(case) {
        return None;
    }
    let traffic::Faded { attempt, way, packets: [before, after], even, alive, over, last_answer } = faded;
    let before = number(before, "packet");
    let (from, to, over) = (way.from, way.to, span(over));
    let closed = n_port4500::fallen_silent(case).is_some_and(|(peer, _)| peer == to);
    let goes_on = match alive {
        true if closed => format!(". Nothing at all comes from UDP 4500 of {to} since, and its UDP 500 answers"),
        true => format!(". IKE of {to} goes on"),
        false => String::new(),
    };
    let seen = match even {
        true => format!(
            "{before} from {from} to {to}, all of one size, had about as many answers; {after} more of that size and pace in the {over} since the last answer have none{goes_on}"
        ),
        false => format!(
            "{before} came from {to} to {from}, and none in the last {over}, while {from} goes on: its last {after} packets all have lengths that came back before{goes_on}"
        ),
    };
    let mut found = attempt
        .map_or_else(|| Match::on_pair(Confidence::Suspected), |attempt| Match::on(attempt, Confidence::Suspected));
    found.party = attempt.and_then(|attempt| case.view(attempt)).map(|view| side_at(&view, to));
    let lost = lost_as(&way);
    let found = weigh_gone(case, &way, found, alive)
            // A peer that is there may have nothing to say to datagrams of many sizes.
            .severity(if alive && !even { Severity::Notice } else { Severity::Warning })
            .seen(seen)
            .means(match alive {
                true if closed => format!("the tunnel worked, and UDP 4500 does not get through any more, or {to} started anew and does not know these SAs"),
                false => format!("the tunnel worked, and what {from} sends is no longer answered: the far end lost the SA, or the path or the far host is gone"),
                true => format!("the tunnel worked, and what {from} sends is no longer answered: ESP is lost or dropped, or the far host is gone, or needs no answer"),
            })
            .frames([last_answer])
            .frames(way.frames())
            .weigh("dropped", 2.0)
            .weigh("mapping", if closed { 40.0 } else { 4.0 })
            .rule_out(if lost == "blocked" { &["mapping", "one-way"] } else { &["blocked", "one-way"] })
            .settle(format!(
                "the receive counter of the SA on {to}, or a capture on its outside and inside while traffic is sent"
            ));
    Some(c_two_point::tell_end(case, &way, lost, found))
}

/// It worked before, and the side that fell silent says nothing else either, or does (`alive`). What it was not asked in IKE, it has
/// no reason to answer.
fn weigh_gone(case: &Case<'_>, way: &traffic::Way<'_>, found: Match, alive: bool) -> Match {
    if alive {
        return found.rule_out(&["gone"]);
    }
    let silent_since = case.flows_from(way.to).map(|flow| flow.last).max();
    let asks = |message: &MessageRecord| {
        let speaks = message.source.ip() == way.from && !matches!(message.label, Label::Response(_));
        speaks && Some(message.last_sent()) > silent_since
    };
    let asked = case.attempts().any(|(_, view)| view.messages().any(asks));
    found.weigh("gone", if asked { 40.0 } else { 24.0 }).weigh("no-answer", 0.5)
}
