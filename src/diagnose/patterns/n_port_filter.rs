//! N-PORT-FILTER: UDP 500 is filtered, and UDP 4500 passes.

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::Side;

use super::nat;

pattern! {
    /// ## What is seen
    ///
    /// First messages on UDP 500 are never answered, while the same two hosts talk IKE on UDP 4500, from the first message on or
    /// on an SA that was up before.
    ///
    /// ## What it means
    ///
    /// Somebody on the way filters UDP 500 and lets 4500 through. Clients that start on 4500 work, the others do not.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-NO-REPLY`, `V2-NO-REPLY`: nothing from the peer on any port.
    /// - `P1-VERSION`: the version that is tried on 500 is not enabled, and the other one is.
    N_PORT_FILTER = "N-PORT-FILTER", Path, Warning;
    title: "UDP 500 seems to be filtered while UDP 4500 passes";
    causes: [
        "filter" 0.80 "a provider or firewall filters UDP 500", raised by "the same offer is answered on 4500", lowered by "another version or mode is tried on 500";
        "listen" 0.20 "the responder does not listen on UDP 500, or not for what is tried there", raised by "another version or mode is tried on 500", lowered by "the same offer is answered on 4500";
    ];
    checks: [
        Path: "permit UDP 500 both ways";
        Initiator: "start on UDP 4500 (IKEv2 allows it), or use TCP encapsulation";
    ];
    logs: [
        "Netopia": "ISP is not doing any UDP port 500 filtering" ("NIR-35");
    ];
    sources: ["NIR-35", "RFC 7296 §2.23"];
    lost: "filter";
    when: SEVERAL UNHEARD;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let on_4500 =
        |(_, view): &(usize, View<'_>)| view.attempt.responder.port() == nat::NAT_T && view.heard(Side::Responder);
    // On an SA from before: what each end says last there.
    let mut last_said: [Option<(Timestamp, View<'_>)>; 2] = [None; 2];
    for (_, view) in case.attempts().filter(on_4500).filter(|(_, view)| view.attempt.midstream) {
        for message in view.messages().filter(|message| nat::on_4500(message)) {
            let said = &mut last_said[usize::from(message.source.ip() != case.pair.a)];
            if said.is_none_or(|(at, _)| at < message.at) {
                *said = Some((message.at, view));
            }
        }
    }
    let from_the_first = case.attempts().filter(on_4500).find(|(_, view)| !view.attempt.midstream);
    case.attempts()
        .filter(|(_, view)| {
            view.attempt.responder.port() == 500
                && !view.attempt.midstream
                && !view.heard(Side::Responder)
                && !view.one_sided()
        })
        .filter_map(|(index, view)| {
            let first = view.messages().next()?;
            let waited = view.waited(first);
            if !waited.is_silence() || !case.pair.icmp_errors.is_empty() {
                return None;
            }
            let meanwhile = last_said[usize::from(view.attempt.responder.ip() != case.pair.a)];
            let works = from_the_first
                .map(|(_, works)| works)
                .or_else(|| meanwhile.filter(|(at, _)| *at > first.at).map(|(_, works)| works))?;
            let same = view.attempt.version == works.attempt.version && view.attempt.mode == works.attempt.mode;
            Some(
                Match::on(index, Confidence::Suspected)
                    .seen(format!(
                        "{} on UDP 500 was sent {} in {} without an answer; on UDP 4500 the same host answers",
                        first.label,
                        times(waited.copies),
                        span(waited.over),
                    ))
                    .means("UDP 500 is filtered on the way, or the responder does not serve it")
                    .frames(view.frames(first))
                    .frames([works.attempt.first_frame])
                    .weigh(if same { "filter" } else { "listen" }, 3.0)
                    .settle("a capture on the responder's outside: does the message on UDP 500 arrive?"),
            )
        })
        .collect()
}
