//! V2-NO-REPLY: the first IKEv2 request gets no answer.

use crate::diagnose::Severity;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::packet::Encapsulation;
use crate::track::{Attempt, ExchangeKind, IkeVersion, Label};

use super::ikev2::Standing;
use super::phase1::Habits;
use super::{ikev2, p1_version, silence};

/// IP protocol of the pieces that may be IKE.
const UDP: u8 = 17;

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SA_INIT request, responder SPI zero, sent again and again with the same initiator SPI, or an IKE_SESSION_RESUME
    /// request (RFC 5723) in its place. No response, no notify, no ICMP error. Or the first request was answered with COOKIE or INVALID_KE_PAYLOAD, and the one that follows
    /// is not answered.
    ///
    /// ## What it means
    ///
    /// The initiator tries; either its packets do not arrive, or the responder is silent on purpose, or the answers get
    /// lost. The wire alone does not tell which. Anything else from the same address proves that the host lives.
    ///
    /// ## Look-alikes
    ///
    /// - `C-ONE-DIR`: answers exist and the capture does not hold them.
    /// - `F-IKE-FRAG-LOST`: the request itself is IP-fragmented (large key exchange methods) and does not arrive whole.
    /// - `N-ICMP-PORT`, `N-ICMP-PROHIB`, `N-ICMP-HOST`: an ICMP error came back; it says more than silence.
    V2_NO_REPLY = "V2-NO-REPLY", IkeV2, Error;
    title: "the first IKEv2 request gets no answer";
    causes: [
        "path" 0.44 "the request or its answer is lost: peer down, wrong peer address, a filter for UDP 500, no route back",
            raised by "nothing of any kind from the peer; ICMP unreachable; several silent peers behind one router",
            lowered by "the peer answers ping or TCP, or sends ESP or other IKE";
        "no-profile" 0.20 "the responder has no configuration for this source address and stays silent",
            raised by "the peer is alive; NAT in front of the initiator", lowered by "the peer answered this address before";
        "off" 0.15 "IKEv2 is not enabled on the responder's interface",
            raised by "the peer is alive, and speaks IKEv1", lowered by "the peer answered IKEv2 before";
        "refused" 0.10 "the responder refuses the proposal in silence",
            raised by "the peer starts with another proposal itself", lowered by "the peer is known to send notifies";
        "fragments" 0.03 "IP fragments of the request are dropped on the way",
            raised by "the request goes out in IP fragments (a large or second key exchange, long lists)", lowered by "a request in one packet";
        "source-port" 0.01 "a filter lets nothing through that comes from another port than 500, as it does behind a NAT",
            raised by "what comes from port 500 is answered, and this comes from another", lowered by "it comes from port 500; another port is answered";
        "gone" 0.02 "the peer, its IKE daemon or the path to it went away since it was last heard",
            raised by "the peer was heard until then, and nothing comes from it since", lowered by "it is heard meanwhile, or never was";
        "service" 0.01 "what listens on that TCP port is no IKE service, or does not do IKE in TCP for this peer",
            raised by "the request goes in TCP", lowered by "the request goes in UDP";
        "resume" 0.02 "the responder does not know session resumption and passes the request over",
            raised by "IKE_SESSION_RESUME", lowered by "IKE_SA_INIT";
        "load" 0.02 "the responder is overloaded or at its limit of negotiations",
            raised by "other initiators are answered now and then", lowered by "a single small site";
    ];
    checks: [
        Path: "let UDP 500 and 4500 through whatever port it comes from" about "source-port";
        Path: "ping the responder; check routes both ways and every filter between the two for UDP 500 and 4500" about "path" "gone";
        Initiator: "try an offer without the large key exchange: a request in one packet tells whether fragments are the reason" about "fragments";
        Path: "let IP fragments through between the two" about "fragments";
        Responder: "check what listens on that TCP port, and that IKE in TCP is enabled there" about "service";
        Initiator: "let it begin with IKE_SA_INIT: without its ticket, or with session resumption off" about "resume";
        Initiator: "check the peer address in its configuration" about "path";
        Responder: "look for the request in its log or capture on its outside: if it arrives, check that IKEv2 is enabled there and that a connection exists for the initiator's address";
    ];
    logs: [
        "libreswan": "No response (or no acceptable response) to our first IKEv2 message" ("libreswan source");
        "strongSwan": "giving up after … retransmits / peer not responding, trying again / establishing IKE_SA failed, peer not responding" ("strongSwan source");
        "strongSwan": "retransmit … of request with message ID …" ("strongSwan log");
        "Azure": "PeerReachability: The peer gateway isn't reachable" ("Azure network-watcher-troubleshoot-overview");
        "GCP": "NO_INCOMING_PACKETS" ("Google Cloud VpnTunnel.Status reference");
    ];
    sources: ["S2S-05", "S2S-08", "S2S-14", "RFC 7296 §2.1", "RFC 7296 §2.4"];
    misses: SetUp;
    lost: "path" "fragments", or its answer: "path";
    when: V2 UNHEARD, V2_UNPROVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let is_first = |label| matches!(label, Label::SA_INIT_REQ | Label::SESSION_RESUME_REQ);
    let mut found = silence::unanswered_first_message(case, IkeVersion::V2, is_first);
    let habits = Habits::of(case);
    found.retain(|one| {
        let view = one.attempt.and_then(|index| case.view(index));
        view.is_some_and(|view| !goes_on_in_pieces(case, view.attempt) && !p1_version::explains(&habits, &view))
    });
    let standing = Standing::of(case);
    for one in &mut found {
        let Some(view) = one.attempt.and_then(|index| case.view(index)) else { continue };
        let resumes = view.message(Label::SA_INIT_REQ).is_none();
        let in_tcp = view.messages().next().is_some_and(|first| first.encapsulation == Encapsulation::Tcp);
        one.weights.push(("service", if in_tcp { 60.0 } else { 0.0 }));
        if in_tcp {
            one.weights.extend([("path", 0.0), ("fragments", 0.0)]);
            one.means =
                "there is a TCP connection, so the way is open: what holds that port does not answer as IKE does"
                    .into();
        }
        one.weights.push(("resume", if resumes { 12.0 } else { 0.0 }));
        if resumes {
            // it offers nothing
            one.weights.push(("refused", 0.0));
        }
        let request = view.messages().find(|message| is_first(message.label) && message.ip_fragments > 1);
        if let Some(request) = request {
            one.seen
                .push_str(&format!("; its {} octets travel in {} IP fragments", request.length, request.ip_fragments));
        }
        one.weights.push(("fragments", if request.is_some() { 30.0 } else { 0.0 }));
        if standing.authenticated_after(view.attempt) {
            one.severity = Some(Severity::Notice);
        }
        if let Some(accepted) = habits.at(view.attempt.responder.ip()).accepts_v2 {
            one.seen.push_str("; it answered this address at another time");
            let same = accepted.offered == view.attempt.offered;
            one.weights.extend([("no-profile", 0.2), ("off", 0.2), ("refused", if same { 0.3 } else { 1.0 })]);
        }
    }
    if !ikev2::refused_by_icmp(case) {
        found.extend(ikev2::never_authenticated(case).filter_map(|(index, view)| unanswered_again(index, &view)));
    }
    ikev2::tempered(case, found)
}

/// Pieces of a later datagram from the initiator show that it had an answer, even if the capture does not hold it.
fn goes_on_in_pieces(case: &Case<'_>, attempt: &Attempt) -> bool {
    case.pair
        .incomplete
        .iter()
        .any(|piece| piece.protocol == UDP && piece.source == attempt.initiator.ip() && piece.at > attempt.first)
}

/// The responder asked for the request once more, with a cookie or another group, and does not answer that.
fn unanswered_again(index: usize, view: &View<'_>) -> Option<Match> {
    let mut exchanges = view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::IkeSaInit).rev();
    let (last, before) = (exchanges.next()?, exchanges.next()?);
    let answer = ikev2::request_and_response(before).1?;
    let unanswered = ikev2::unanswered(view, last)?;
    let request = unanswered.request;
    let what = match ikev2::notified(answer, ikev2::notify::COOKIE) {
        Some(_) => "a COOKIE",
        None => "a wish for another group",
    };
    let found = Match::on(index, unanswered.confidence)
        .seen(format!(
            "the first request was answered with {what}; the next one, of {} octets, {}",
            request.length,
            unanswered.in_vain()
        ))
        .means("the responder is reachable and does not answer the second request, or that one is lost")
        .weigh("no-profile", 0.5)
        .weigh("off", 0.1)
        .weigh("load", 6.0)
        .rule_out(&["gone", "resume", "service", "source-port"])
        .frames([answer.frame])
        .frames(view.frames(request));
    Some(if request.ip_fragments > 1 { found.weigh("fragments", 30.0) } else { found.rule_out(&["fragments"]) })
}
