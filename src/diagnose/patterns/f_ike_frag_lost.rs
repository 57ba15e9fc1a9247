//! F-IKE-FRAG-LOST: IP fragments of a large IKE message are lost.

use std::net::IpAddr;

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::unheard::Unheard;
use crate::diagnose::waiting::Waited;
use crate::diagnose::words::{number, span, times, until};
use crate::packet::{Encapsulation, GaveUp};
use crate::track::{IcmpAbout, IcmpFact, IncompleteFact, Label, MessageRecord};

use super::fragments;

/// IP protocol.
const UDP: u8 = 17;

pattern! {
    /// ## What is seen
    ///
    /// A large IKE message (message 5 or IKE_AUTH with certificates, mostly) goes out in IP fragments, small messages before
    /// it went well, and then one of these: some fragments never come by here; all come by and the message stays
    /// unanswered, sent again at the same size, or the message that it answers is; or one end sends ICMP fragment reassembly time exceeded (type 11 code 1;
    /// ICMPv6 type 3 code 1), which is proof.
    ///
    /// ## What it means
    ///
    /// A firewall or NAT on the way drops IP fragments. The peer cannot put the message together and does not answer.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-AUTH-SILENT`, `V2-AUTH-NO-REPLY`: the message came in one piece and is not answered.
    /// - `F-SKF-INCOMPLETE`, `F-V1FRAG-INCOMPLETE`: IKE's own fragments are lost.
    F_IKE_FRAG_LOST = "F-IKE-FRAG-LOST", Fragments, Error;
    title: "IP fragments of a large IKE message are lost";
    causes: [
        "drop" 0.75 "a firewall or NAT on the way drops IP fragments", raised by "ICMP reassembly time exceeded; the later fragments never come by", lowered by "other fragmented messages are answered";
        "loss" 0.10 "packets are lost at random", raised by "a repeat gets through", lowered by "every repeat fails";
        "filter" 0.05 "the capture leaves out all fragments but the first ones, which alone have ports", raised by "a capture filter of ports; no fragment but first ones in the whole capture", lowered by "other fragments are there";
        "silent" 0.10 "the message arrives and is not answered for another reason", raised by "all fragments come by at the peer's side", lowered by "ICMP reassembly time exceeded";
    ];
    checks: [
        Either: "turn on IKE fragmentation (RFC 7383 in IKEv2, the vendor extension in IKEv1); where it is on, make its fragments smaller";
        Path: "let IP fragments through between the two, or reassemble them on the firewall";
        Either: "send fewer or smaller certificates (no chain, ECDSA), or lower the MTU";
        Capture: "let all fragments through the capture filter: or ip[6:2] & 0x1fff != 0 or ip6[6] == 44" about "filter";
    ];
    logs: [
        "Huawei": "50/51: fragment packet limit / reassemble timeout" ("Huawei ALM-303046755");
    ];
    sources: ["RFC 7383 §1", "RFC 792", "RFC 4443 §3.3"];
    misses: Fragments;
    lost: "drop" "loss";
    when: ICMP, INCOMPLETE, FRAGMENTS DOWN, FRAGMENTS REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let proven: Vec<Match> = case.pair.icmp_errors.iter().filter_map(|error| reassembly_failed(case, error)).collect();
    if !proven.is_empty() {
        return proven;
    }
    let lost: Vec<Match> = case.pair.incomplete.iter().filter_map(|incomplete| never_whole(case, incomplete)).collect();
    if !lost.is_empty() {
        return lost;
    }
    case.attempts()
        .filter_map(|(index, view)| unanswered(case, index, &view).or_else(|| unheard(case, index, &view)))
        .collect()
}

/// One end says that it waited in vain for the rest.
fn reassembly_failed(case: &Case<'_>, error: &IcmpFact) -> Option<Match> {
    let timed_out = matches!((error.version, error.icmp_type, error.code), (4, 11, 1) | (6, 3, 1));
    let about_ike = matches!(error.about, IcmpAbout::Isakmp { .. } | IcmpAbout::Fragment { protocol: UDP });
    if !timed_out || !about_ike {
        return None;
    }
    // The error comes half a minute or more after the fragments.
    let of = case
        .attempts()
        .filter(|(_, view)| {
            view.attempt.first <= error.first && view.messages().any(|message| message.ip_fragments > 1)
        })
        .last()
        .or_else(|| fragments::negotiating(case, error.first));
    let (index, view) = of?;
    let up = view.attempt.phase1_up.is_some() && view.set_up_unheard().is_none();
    let over = up || case.overcome(index);
    let found = Match::on(index, Confidence::Stated)
        .seen(format!(
            "{} says {} that fragments from {} did not all arrive in time (ICMP type {} code {})",
            error.from,
            times(error.count),
            error.quoted_source,
            error.icmp_type,
            error.code,
        ))
        .means("fragments of a large IKE message get lost on the way")
        .frames(error.frames.iter().copied())
        .frames(
            view.messages().find(|message| in_pieces_from(message, error.quoted_source)).map(|message| message.frame),
        )
        .rule_out(&["silent", "filter"]);
    Some(fragments::unless_over(found, over))
}

/// Fragments of a datagram passed here, and never all of them.
fn never_whole(case: &Case<'_>, incomplete: &IncompleteFact) -> Option<Match> {
    let by_port = incomplete.ports.is_none_or(|(source, destination)| {
        [source, destination].iter().any(|port| [500, super::nat::NAT_T].contains(port))
    });
    let watched = case.end().since(incomplete.at);
    let waited = incomplete.reason != GaveUp::Evicted && fragments::were_awaited(case, incomplete);
    if incomplete.protocol != UDP || !by_port || !waited {
        return None;
    }
    // ESP in UDP is fragmented too: only while something is being negotiated is it IKE.
    let (index, view) = fragments::negotiating(case, incomplete.at)?;
    if !view.shows_set_up() || view.one_sided() {
        return None;
    }
    let over = view.attempt.phase1_up.is_some() || case.overcome(index);
    // Where others come through, the capture may have missed a fragment.
    let others_came =
        view.messages().any(|message| message.ip_fragments > 1 && message.source.ip() == incomplete.source);
    let only_firsts = only_first_ones(case);
    let confidence = if others_came || only_firsts { Confidence::Suspected } else { Confidence::Inferred };
    let total = incomplete.total.map_or(String::new(), |total| format!(" of {total}"));
    let found = Match::on(index, confidence)
        .seen(format!(
            "{} from {}, {} octets{total}, the rest from octet {} on never came in the {} watched since",
            number(incomplete.fragments.into(), "fragment"),
            incomplete.source,
            incomplete.have,
            incomplete.missing_from,
            span(watched),
        ))
        .means(if only_firsts {
            "the message cannot be put together: fragments get lost before this point, or the capture leaves them out"
        } else {
            "the message cannot be put together: fragments get lost before this point"
        })
        .frames([incomplete.frame])
        .weigh("silent", 0.1)
        .settle("a capture next to the sender: if all fragments leave, the path loses them");
    let found = if only_firsts {
        found
            .weigh("filter", 6.0)
            .settle("a capture next to the sender whose filter lets all fragments through: do they leave?")
    } else {
        found.rule_out(&["filter"])
    };
    Some(fragments::unless_over(found, over))
}

/// Whether of all that was sent between the two in fragments the capture holds the first fragments only: one that goes by ports
/// holds no others, nor anything without ports.
fn only_first_ones(case: &Case<'_>) -> bool {
    let pair = case.pair;
    let whole = |message: &MessageRecord| message.ip_fragments > 1;
    let of_first = |incomplete: &IncompleteFact| incomplete.fragments == 1 && incomplete.ports.is_some();
    pair.incomplete.iter().all(of_first)
        && pair.flows.iter().all(|flow| flow.fragmented == 0 && flow.encapsulation == Encapsulation::Udp)
        && pair.icmp_errors.is_empty()
        && !case.attempts().any(|(_, view)| view.messages().any(whole))
}

/// All fragments of the last answer of the set-up came by, and the initiator goes on with what it answers.
fn unheard(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let Unheard { request, answer, copies, .. } =
        view.set_up_unheard().filter(|found| found.answer.ip_fragments > 1)?;
    if case.came_up_after(view.attempt) {
        return None;
    }
    Some(
        Match::on(index, Confidence::Suspected)
            .seen(format!(
                "{}, {} octets in {}, was sent {}; the initiator got smaller messages, and goes on with {}, {} more in the {} \
                 after it",
                answer.label,
                answer.length,
                number(answer.ip_fragments.into(), "IP fragment"),
                times(u64::from(answer.repeat_count) + 1),
                request.label,
                times(copies as u64),
                span(request.last_sent().since(answer.at)),
            ))
            .means("most likely the fragments of the answer do not get through to the initiator")
            .frames(view.frames(answer))
            .frames([request.frame])
            .rule_out(&["filter"])
            .settle("a capture on the initiator's outside: do the later fragments arrive?"),
    )
}

/// All fragments came by, and no answer.
fn unanswered(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    if view.one_sided() || case.overcome(index) || view.attempt.phase1_up.is_some() || !case.pair.icmp_errors.is_empty()
    {
        return None;
    }
    let exchange = view.exchanges().last()?;
    let message = exchange.messages.iter().find(|message| message.ip_fragments > 1)?;
    let waited = view.waited(message);
    let peer_speaks = view.heard(message.from.other());
    let refused = view.messages().any(|other| other.from != message.from && other.encrypted && other.at >= message.at);
    if !peer_speaks || refused || fragments::went_on(view, exchange, message) || !waited.is_silence() {
        return None;
    }
    Some(
        Match::on(index, Confidence::Suspected)
            .seen(format!(
                "{}, {} octets in {}, was sent {}; smaller messages were answered, this one was not {}",
                message.label,
                message.length,
                number(message.ip_fragments.into(), "IP fragment"),
                sent(waited),
                until(waited.after, if waited.copies < 2 { "it" } else { "the last copy" }),
            ))
            .means(match message.label {
                // What proves who answers has its certificates, too.
                Label::Mm(5) | Label::AUTH_REQ => {
                    "most likely the fragments do not get through to the peer, or those of its answer do not get back"
                }
                _ => "most likely the fragments do not get through to the peer",
            })
            .frames(view.frames(message))
            .rule_out(&["filter"])
            .settle("a capture on the receiver's outside: do the later fragments arrive?"),
    )
}

/// `once`, or `6 times in 1 min 30 s`.
fn sent(waited: Waited) -> String {
    let how_often = times(waited.copies);
    if waited.copies < 2 { how_often } else { format!("{how_often} in {}", span(waited.over)) }
}

fn in_pieces_from(message: &MessageRecord, source: IpAddr) -> bool {
    message.ip_fragments > 1 && message.source.ip() == source
}
