//! M-ENC-BIT: a message in clear where encryption is required.

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::track::{Exchange, ExchangeKind, Label, MessageRecord, PayloadDetail};

use super::{ikev2, informational, phase1};

/// Notifies by which a peer without keys says that it knows nothing of the SA: they can only come in clear.
const V1_WITHOUT_KEYS: [u16; 2] = [4, 11];
const V2_WITHOUT_KEYS: [u16; 4] = [1, 4, 5, 11];

pattern! {
    /// ## What is seen
    ///
    /// IKEv1: a Quick Mode or Transaction message, a reply to message 5, or an Informational after phase 1, without the
    /// encryption bit. IKEv2: anything after IKE_SA_INIT without an encrypted payload.
    ///
    /// ## What it means
    ///
    /// The sender has no keys that fit, has a fault, or is somebody else: nothing of such a message is authenticated, and a
    /// careful peer ignores it. After message 5 it mostly is the answer of a responder whose pre-shared key differs.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-AUTH-FAIL`, `V2-CHILD-REJECT`: a refusal of IKE_AUTH in clear, as old stacks send it.
    /// - An Informational in clear during phase 1 is normal (`P1-PROPOSAL`, `P1-NOTIFY`).
    /// - INVALID-COOKIE, INVALID-SPI and their IKEv2 sisters, from a peer that lost the SA, can only come in clear.
    M_ENC_BIT = "M-ENC-BIT", Malformed, Error;
    title: "a message is in clear where encryption is required";
    causes: [
        "psk" 0.60 "the pre-shared keys differ, and the peer says so in clear", raised by "it answers message 5", lowered by "phase 1 was complete before";
        "bug" 0.25 "a fault in the sender", raised by "always the same exchange, from a peer that works otherwise", lowered by "";
        "spoof" 0.15 "somebody else sent it", raised by "another time to live than the peer's other packets", lowered by "the negotiation stops with it";
    ];
    checks: [
        Either: "if it answers the first encrypted message, enter the pre-shared key anew" about "psk";
        Either: "look up the sender's version for known faults; do not take the message at its word";
    ];
    logs: [
        "SMG": "Encryption bit not set" ("SMG-20");
        "libreswan": "packet rejected: should have been encrypted" ("libreswan source");
        "Cisco IOS": "%CRYPTO-6-IKMP_NOT_ENCRYPTED" ("Google SecOps parser reference");
        "racoon": "… message must be encrypted" ("racoon source");
    ];
    sources: ["SMG-20", "RFC 2408 §3.1", "RFC 2409 §5", "RFC 7296 §1.2", "RFC 7296 §2.21.2"];
    when: CLEAR_TOO_LATE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.attempts().filter_map(|(index, view)| found(index, &view)).collect()
}

fn found(index: usize, view: &View<'_>) -> Option<Match> {
    let keys = Keys::of(view);
    let bare: Vec<(&Exchange, &MessageRecord)> = view
        .exchanges()
        .iter()
        .flat_map(|exchange| exchange.messages.iter().map(move |message| (exchange, message)))
        .filter(|(exchange, message)| {
            !message.encrypted && message.fault.is_none() && must_be_encrypted(&keys, exchange, message)
        })
        .collect();
    let (exchange, first) = bare.first()?;
    let after_mm5 = exchange.kind == ExchangeKind::MainMode;
    let copies = bare.iter().map(|(_, message)| u64::from(message.repeat_count) + 1).sum();
    let found = Match::on(index, Confidence::Stated)
        .seen(format!("{} from {} came in clear{}, {}", first.label, first.source, said(view, first), times(copies)))
        .means(if after_mm5 {
            "the responder answers message 5 in clear: it could not decrypt it"
        } else {
            "nothing of it is authenticated: evidence of what the sender wants to say, not proof"
        })
        .frames(bare.iter().map(|(_, message)| message.frame))
        .weigh("psk", if after_mm5 { 3.0 } else { 0.3 });
    // With other keys there is no message 6, and no tunnel.
    let keys_agree = view.message(Label::Mm(6)).is_some() || (view.is_v2() && view.tunnel_up().is_some());
    let found = if keys_agree && !after_mm5 { found.rule_out(&["psk"]) } else { found };
    let refuted = view.is_v2() && bare.iter().all(|(_, message)| informational::is_refuted(view, message));
    if refuted && view.tunnel_up().is_some() {
        return Some(found.means(informational::REFUTED).weigh("spoof", 5.0).severity(Severity::Notice));
    }
    let harmless = view.tunnel_up().is_some() || after_mm5;
    // The refusal that this is part of has a finding of its own; a tunnel that is up does not care.
    Some(if harmless { found.severity(Severity::Warning) } else { found })
}

/// The first notify in a message, in words.
fn said(view: &View<'_>, message: &MessageRecord) -> String {
    message
        .carried
        .iter()
        .find_map(|payload| match &payload.detail {
            PayloadDetail::Notify { notify_message_type, .. } => Some(*notify_message_type),
            _ => None,
        })
        .map_or_else(String::new, |said| match view.is_v2() {
            true => format!(" with {}", ikev2::named(said)),
            false => format!(" with {}", phase1::notify_name(said)),
        })
}

/// From when on messages had to be encrypted (IKEv1).
struct Keys {
    /// The initiator began to.
    begun: Option<Timestamp>,
    /// Both sides have.
    agreed: Option<Timestamp>,
}

impl Keys {
    fn of(view: &View<'_>) -> Self {
        let at = |label| view.message(label).map(|message| message.at);
        // After Aggressive Mode's last message the responder may still refuse it in clear: only Quick Mode settles it.
        Self { begun: at(Label::Mm(5)), agreed: at(Label::Mm(6)).or_else(|| at(Label::Qm(1))) }
    }
}

fn must_be_encrypted(keys: &Keys, exchange: &Exchange, message: &MessageRecord) -> bool {
    let says = |types: &[u16]| {
        message.carried.iter().any(|payload| {
            matches!(&payload.detail, PayloadDetail::Notify { notify_message_type, .. } if types.contains(notify_message_type))
        })
    };
    match exchange.kind {
        ExchangeKind::QuickMode | ExchangeKind::NewGroupMode | ExchangeKind::Transaction => !says(&V1_WITHOUT_KEYS),
        ExchangeKind::MainMode => message.label == Label::Stray && keys.begun.is_some_and(|at| message.at >= at),
        ExchangeKind::InformationalV1 => keys.agreed.is_some_and(|at| message.at > at) && !says(&V1_WITHOUT_KEYS),
        ExchangeKind::IkeAuth
        | ExchangeKind::CreateChildSa
        | ExchangeKind::InformationalV2
        | ExchangeKind::IkeIntermediate
        | ExchangeKind::IkeFollowupKe => !says(&V2_WITHOUT_KEYS),
        _ => false,
    }
}
