//! S-AGGR-ID: identities in clear.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::isakmp::registry;
use crate::track::{Label, Mode, PayloadDetail};

/// Identities named in one finding.
const MOST: usize = 8;

pattern! {
    /// ## What is seen
    ///
    /// An Identification payload that can be read, in message 1 or 2 of Aggressive Mode.
    ///
    /// ## What it means
    ///
    /// Names of users, groups or gateways are visible to everybody on the path. Aggressive Mode works that way.
    ///
    /// ## Look-alikes
    ///
    /// - Main Mode and IKEv2 encrypt identities.
    S_AGGR_ID = "S-AGGR-ID", Security, Advisory;
    title: "Aggressive Mode shows identities in clear";
    causes: [
        "mode" 1.0 "Aggressive Mode sends identities before there are keys", raised by "", lowered by "";
    ];
    checks: [
        Either: "change to IKEv2 or Main Mode if the identities should not be seen";
        Either: "when identities are the trouble: compare type and text shown here with what the peer is configured to expect";
    ];
    logs: [
        "SMG": "ID: IPv4 address" ("SMG-13");
    ];
    sources: ["SMG-13", "PIX-52", "RFC 2409 §5.4"];
    when: AGGRESSIVE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut told: Vec<String> = Vec::new();
    let mut frames = Vec::new();
    let shown = case.attempts().filter(|(_, view)| view.attempt.mode == Mode::Aggressive).flat_map(|(_, view)| {
        view.messages().filter(|message| matches!(message.label, Label::Am(1 | 2)) && !message.encrypted)
    });
    for message in shown {
        for payload in message.carried.iter() {
            let PayloadDetail::Identification { id_type, data } = &payload.detail else { continue };
            let line = format!("{}: {}", message.source.ip(), words(*id_type, data));
            if told.len() < MOST && !told.contains(&line) {
                told.push(line);
                frames.push(message.frame);
            }
        }
    }
    if told.is_empty() {
        return Vec::new();
    }
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(told.join("; "))
            .means("everybody on the path can read who connects")
            .frames(frames),
    ]
}

/// Type and value: a text if it is one, an address, or its length.
fn words(id_type: u8, data: &[u8]) -> String {
    let name = registry::id_type_name(1, id_type).unwrap_or("unknown type");
    let text = std::str::from_utf8(data)
        .ok()
        .filter(|text| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' '));
    if let Ok(octets) = <[u8; 4]>::try_from(data)
        && id_type == 1
    {
        return format!("{name} {}", std::net::Ipv4Addr::from(octets));
    }
    match text {
        Some(text) if matches!(id_type, 2 | 3 | 11) => format!("{name} {}", text.chars().take(64).collect::<String>()),
        _ => format!("{name} of {} octets", data.len()),
    }
}
