//! V2-REDIRECT: the gateway sends the initiator to another one.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::diagnose::case::{Case, ClearNotify, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::survey::Redirected;
use crate::diagnose::words::times;
use crate::diagnose::{Confidence, Severity};
use crate::track::{Attempt, Side};

use super::ikev2::{self, notify};

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SA_INIT response in clear with REDIRECT (16407), which names another gateway by address or by name. Or no tunnel
    /// after IKE_AUTH, and soon the initiator begins with another gateway and says there that this one sent it
    /// (REDIRECTED_FROM, 16408).
    ///
    /// ## What it means
    ///
    /// The gateway shares its load, or is being taken out of service; the initiator starts again with the gateway named.
    /// Nothing is wrong, as long as that gateway answers.
    ///
    /// ## Look-alikes
    ///
    /// - A redirection in IKE_AUTH or later is encrypted; where the capture does not hold what follows, the SA just ends.
    V2_REDIRECT = "V2-REDIRECT", IkeV2, Info;
    title: "the gateway sends the initiator to another one";
    causes: [
        "load" 1.00 "load sharing, or maintenance of this gateway", raised by "", lowered by "";
    ];
    checks: [
        Responder: "look where its redirection or load balancing points, and at whom";
        Initiator: "if the tunnel does not come up, make sure that it can reach the gateway named and trusts its identity";
    ];
    logs: [
        "strongSwan": "redirecting peer to …" ("strongSwan source");
    ];
    sources: ["RFC 5685 §3", "RFC 5685 §8"];
    when: V2 REDIRECT, V2 NO_TUNNEL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let redirect = view
                .clear_notifies(Side::Responder)
                .find(|notify| notify.notify_message_type == notify::REDIRECT && !notify.message.encrypted);
            let Some(redirect) = redirect else { return followed(index, &view) };
            let to = gateway(redirect.data).unwrap_or_else(|| "another gateway".to_owned());
            let spoken_to = view.attempt.responder.ip();
            let answers = u64::from(redirect.message.repeat_count) + 1;
            let found = Match::on(index, Confidence::Stated)
                .seen(format!("{spoken_to} answered IKE_SA_INIT with REDIRECT (16407) to {to}, {}", times(answers)))
                .frames([redirect.message.frame]);
            Some(if to == spoken_to.to_string() {
                found.means("the gateway sends the initiator to where it is already").severity(Severity::Warning)
            } else if came_from(&view).as_deref() == Some(to.as_str()) {
                found
                    .means(format!("{to} had sent the initiator here: the two gateways send it to each other"))
                    .severity(Severity::Warning)
            } else if answers > 1 && !announces(&view) {
                found
                    .means("the initiator did not say that it follows redirections, and asks the same gateway on")
                    .severity(Severity::Warning)
            } else {
                found.means(format!("the initiator goes on with {to}; look there for the rest"))
            })
        })
        .collect()
}

/// The initiator of an attempt says there which gateway sent it.
fn redirected(attempt: &Attempt) -> Option<Redirected> {
    let first = attempt.exchanges.first()?.messages.first()?;
    let from = ClearNotify::of(first).find(|said| said.notify_message_type == notify::REDIRECTED_FROM)?;
    let [client, to] = [attempt.initiator.ip(), attempt.responder.ip()];
    Some((client, attempt.first, gateway(from.data)?, to, first.frame))
}

/// The initiator went to another gateway after IKE_AUTH, and says there who sent it.
fn followed(index: usize, view: &View<'_>) -> Option<Match> {
    let response = view.last_auth_response().filter(|_| view.tunnel_up().is_none() && announces(view))?;
    let Case { facts, survey, .. } = view.case;
    let [client, sender] = [view.attempt.initiator.ip(), view.attempt.responder.ip()];
    let (_, at, from, to, frame) = survey.redirected_since(facts, (client, response.at), redirected)?;
    (at.since(response.at) <= PATIENCE && *from == sender.to_string()).then(|| {
        Match::on(index, Confidence::Stated)
            .seen(format!(
                "after IKE_AUTH {client} turns to {to}, and says there that {sender} sent it (REDIRECTED_FROM, 16408)"
            ))
            .means(format!("{sender} redirected the initiator in IKE_AUTH; look at {to} for the rest"))
            .frames([response.frame, *frame])
    })
}

/// Whether the initiator says that it follows redirections: who does not may not be redirected (RFC 5685 §3).
fn announces(view: &View<'_>) -> bool {
    let follows = [notify::REDIRECT_SUPPORTED, notify::REDIRECTED_FROM];
    view.clear_notifies(Side::Initiator).any(|notify| follows.contains(&notify.notify_message_type))
}

/// The gateway that sent the initiator here, as it says itself (RFC 5685 §3), in words.
pub(super) fn sent_here(view: &View<'_>) -> Option<String> {
    Some(format!("; the gateway {} sent the initiator here (REDIRECTED_FROM)", came_from(view)?))
}

/// The gateway that REDIRECTED_FROM names.
fn came_from(view: &View<'_>) -> Option<String> {
    let mut said = view.clear_notifies(Side::Initiator);
    gateway(said.find(|notify| notify.notify_message_type == notify::REDIRECTED_FROM)?.data)
}

/// The gateway that a REDIRECT names: its kind, its length, then address or name (RFC 5685 §8).
fn gateway(data: &[u8]) -> Option<String> {
    let (&kind, rest) = data.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let identity = rest.get(..usize::from(length)).unwrap_or(rest);
    match kind {
        1 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(identity).ok()?).to_string()),
        2 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(identity).ok()?).to_string()),
        3 => {
            let printable = identity.iter().all(u8::is_ascii_graphic) && !identity.is_empty();
            printable.then(|| String::from_utf8_lossy(identity).into_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5685 §8: GW Ident Type, GW Identity Len, New Responder GW Identity, then the nonce.
    #[test]
    fn names_the_gateway_by_address_and_by_name() {
        assert_eq!(gateway(&[1, 4, 192, 0, 2, 9, 0xaa, 0xbb]).as_deref(), Some("192.0.2.9"));
        assert_eq!(gateway(b"\x03\x0evpn2.example.c nonce").as_deref(), Some("vpn2.example.c"));
        assert_eq!(gateway(&[2, 16, 0x20]), None);
        assert_eq!(gateway(&[3, 5, b'a', 0x1b, b'[', b'2', b'J']), None);
        assert_eq!(gateway(&[]), None);
    }
}
