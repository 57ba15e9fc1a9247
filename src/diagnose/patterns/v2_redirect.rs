//! V2-REDIRECT: the gateway sends the initiator to another one.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::diagnose::{Confidence, Severity};
use crate::track::Side;

use super::ikev2::{self, notify};

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SA_INIT response in clear with REDIRECT (16407), which names another gateway by address or by name.
    ///
    /// ## What it means
    ///
    /// The gateway shares its load, or is being taken out of service; the initiator starts again with the gateway named.
    /// Nothing is wrong, as long as that gateway answers.
    ///
    /// ## Look-alikes
    ///
    /// - A redirection in IKE_AUTH or later is encrypted; from outside the SA just ends and the initiator turns elsewhere.
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
    when: V2 REDIRECT;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let redirect = view
                .clear_notifies(Side::Responder)
                .find(|notify| notify.notify_message_type == notify::REDIRECT && !notify.message.encrypted)?;
            let to = gateway(redirect.data).unwrap_or_else(|| "another gateway".to_owned());
            let spoken_to = view.attempt.responder.ip();
            let answers = u64::from(redirect.message.repeat_count) + 1;
            let found = Match::on(index, Confidence::Stated)
                .seen(format!("{spoken_to} answered IKE_SA_INIT with REDIRECT (16407) to {to}, {}", times(answers)))
                .frames([redirect.message.frame]);
            // Whoever does not say so may not be redirected (RFC 5685 §3).
            let follows = [notify::REDIRECT_SUPPORTED, notify::REDIRECTED_FROM];
            let announced = || {
                let mut said = view.clear_notifies(Side::Initiator);
                said.any(|notify| follows.contains(&notify.notify_message_type))
            };
            Some(if to == spoken_to.to_string() {
                found.means("the gateway sends the initiator to where it is already").severity(Severity::Warning)
            } else if answers > 1 && !announced() {
                found
                    .means("the initiator did not say that it follows redirections, and asks the same gateway on")
                    .severity(Severity::Warning)
            } else {
                found.means(format!("the initiator goes on with {to}; look there for the rest"))
            })
        })
        .collect()
}

/// The gateway that sent the initiator here, as it says itself (RFC 5685 §3), in words.
pub(super) fn sent_here(view: &View<'_>) -> Option<String> {
    let mut said = view.clear_notifies(Side::Initiator);
    let from = said.find(|notify| notify.notify_message_type == notify::REDIRECTED_FROM)?;
    Some(format!("; the gateway {} sent the initiator here (REDIRECTED_FROM)", gateway(from.data)?))
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
