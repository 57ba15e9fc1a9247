//! What one message carried, in few words; its arrow, its repeats, its ports.

use std::net::SocketAddr;

use crate::isakmp::registry;
use crate::packet::Encapsulation;
use crate::report::model::{Attempt, AttributeValue, Carried, Message};
use crate::report::quantity::{self, count, counted};
use crate::report::{naming, proposal};
use crate::track::{Label, Side};

use super::{Palette, View, Words};

/// Vendor ids of one message that are named; the attempt lists them all.
const VENDOR_IDS: usize = 2;
/// Transforms of one SA payload that are named; the offer lists them all.
const TRANSFORMS: usize = 2;

/// `▸` from the initiator, `◂` from the responder.
pub fn arrow(palette: &Palette, message: &Message) -> Words {
    match message.from {
        Side::Initiator => Words::inked(palette.notice, "▸"),
        Side::Responder => Words::inked(palette.good, "◂"),
    }
}

/// What a message carried and how it travelled.
pub fn content(palette: &Palette, attempt: &Attempt, message: &Message) -> Words {
    let mut parts = Vec::new();
    let mut nat = Vec::new();
    let mut vendor_ids = Vec::new();
    for carried in &message.carried {
        if is_nat_detection(attempt, carried) {
            nat.push((is_of_source(carried, nat.is_empty()), hash_matches(attempt, message, carried)));
        } else if let Some(index) = carried.vendor_id {
            vendor_ids.extend(attempt.vendor_ids.of(message.from).get(usize::from(index)));
        } else if carried.proposals.is_some() {
            parts.push(Words::of(security_association(attempt, message, carried)));
        } else if carried.error == Some(true) {
            parts.push(
                Words::whole(palette.error, &carried.text).and(", ").join(Words::whole(palette.faint, "in clear")),
            );
        } else if let (4, 1, Some(length)) = (carried.payload_type, attempt.version, carried.length) {
            parts.push(key_exchange(attempt, carried, length));
        } else if !(message.encrypted && is_encrypted_body(carried)) {
            parts.push(short(&carried.text));
        }
    }
    if !nat.is_empty() {
        parts.push(nat_detection(palette, &nat));
    }
    if !vendor_ids.is_empty() {
        let mut names: Vec<String> = vendor_ids.iter().take(VENDOR_IDS).map(|id| naming::vendor_id_text(id)).collect();
        if vendor_ids.len() > VENDOR_IDS {
            names.push(format!("{} more", vendor_ids.len() - VENDOR_IDS));
        }
        parts.push(Words::of(format!("VID {}", quantity::listed(&names))));
    }
    if message.encrypted {
        let first = message.carried.iter().find_map(|carried| carried.first_payload);
        parts.push(Words::inked(palette.faint, first.map_or_else(|| "encrypted".into(), encrypted)));
    }
    parts.extend(transport(palette, message));
    if let Some(fault) = message.fault {
        // what the capture cut off is no fault of the sender
        let what = if fault.is_cut() { "cut short" } else { "malformed" };
        parts.push(Words::inked(palette.error, format!("{what}: {fault}")));
    }
    if parts.is_empty() {
        parts.push(Words::inked(palette.faint, "nothing"));
    }
    Words::joined(parts, ", ")
}

/// Words that stay together as long as there are few of them, and are cut where they are very many.
fn short(text: &str) -> Words {
    const FEW: usize = 24;
    const MANY: usize = 120;
    if text.chars().count() <= FEW { Words::whole(Default::default(), text) } else { Words::of(text).cut(MANY) }
}

/// NAT-D payloads of IKEv1, and the NAT_DETECTION notifies of IKEv2.
fn is_nat_detection(attempt: &Attempt, carried: &Carried) -> bool {
    const NAT_D: [u8; 2] = [20, 130];
    const NAT_DETECTION_IP: [u16; 2] = [16388, 16389];
    let notify = carried.notify_message_type.is_some_and(|kind| NAT_DETECTION_IP.contains(&kind));
    carried.matches.is_some() || NAT_D.contains(&carried.payload_type) || (attempt.version == 2 && notify)
}

/// Whether the address in a hash is the one that was seen. Notifies of IKEv2 may list several source addresses of which
/// only one has to match, so the result is that of the side.
fn hash_matches(attempt: &Attempt, message: &Message, carried: &Carried) -> Option<bool> {
    const SOURCE_IP: u16 = 16388;
    match carried.notify_message_type {
        _ if carried.matches.is_some() => carried.matches,
        Some(SOURCE_IP) => *attempt.nat.own_matches.of(message.from),
        Some(_) => *attempt.nat.peer_matches.of(message.from.other()),
        None => None,
    }
}

/// Whether a hash is of the address that the message came from: IKEv2 says so, and in IKEv1 the first one is of where it goes.
fn is_of_source(carried: &Carried, is_first: bool) -> bool {
    const SOURCE_IP: u16 = 16388;
    carried.notify_message_type.map_or(!is_first, |kind| kind == SOURCE_IP)
}

/// Whether the address that the message came from and the one that it went to are those in its hashes; nothing of either where no
/// hash could be checked. Of several hashes one has to match.
fn nat_detection(palette: &Palette, hashes: &[(bool, Option<bool>)]) -> Words {
    if hashes.iter().all(|(_, matches)| matches.is_none()) {
        return Words::of("NAT-D");
    }
    let mut words = Words::of("NAT-D");
    for (source, name) in [(true, "source"), (false, "destination")] {
        let mut of_it =
            hashes.iter().filter(|(of_source, _)| *of_source == source).map(|(_, matches)| *matches).peekable();
        if of_it.peek().is_none() {
            continue;
        }
        let best = of_it.max_by_key(|matches| (*matches == Some(true), matches.is_none())).flatten();
        let mark = match best {
            Some(true) => Words::inked(palette.good, "✓"),
            Some(false) => Words::inked(palette.warning, "✗"),
            None => Words::of("?"),
        };
        words = words.join(Words::whole(Default::default(), &format!(" {name} "))).join(mark);
    }
    words
}

/// KE, with the group that the SA of this attempt is about where the payload does not name it (IKEv1).
fn key_exchange(attempt: &Attempt, carried: &Carried, length: u16) -> Words {
    const GROUP: u16 = 4;
    let transforms = attempt.chosen.iter().chain(&attempt.offered).flat_map(|proposal| &proposal.transforms);
    let mut groups = transforms.flat_map(|transform| &transform.attributes).filter_map(|attribute| {
        match (attribute.attribute_type, &attribute.value) {
            (GROUP, AttributeValue::Number(group)) => u16::try_from(*group).ok(),
            _ => None,
        }
    });
    match groups.find(|&group| registry::group_public_len(group) == Some(length)) {
        Some(group) => short(&format!("KE {}", proposal::group(group.into()))),
        None => short(&carried.text),
    }
}

/// What is encrypted, whose first payload is of this type (IKEv2).
fn encrypted(first: u8) -> String {
    match (first, registry::payload_notation(2, first)) {
        (0, _) => "encrypted: nothing".into(),
        (_, Some(notation)) => format!("encrypted: {notation} …"),
        (_, None) => format!("encrypted: payload {first} …"),
    }
}

/// SK and SKF: that the message is encrypted is said anyway.
const fn is_encrypted_body(carried: &Carried) -> bool {
    matches!(carried.payload_type, 46 | 53) && carried.fragment.is_none()
}

/// The offer or the choice where this message carries it, counts otherwise.
fn security_association(attempt: &Attempt, message: &Message, carried: &Carried) -> String {
    let first = matches!(message.label, Label::Mm(1) | Label::Am(1) | Label::SA_INIT_REQ | Label::SESSION_RESUME_REQ);
    let answer = matches!(message.label, Label::Mm(2) | Label::Am(2) | Label::SA_INIT_RSP | Label::SESSION_RESUME_RSP);
    let texts: Vec<String> = if first {
        attempt.offered.iter().flat_map(super::proposal::lines).map(|line| line.text).collect()
    } else if answer {
        attempt.chosen.iter().map(|chosen| chosen.text.clone()).collect()
    } else {
        Vec::new()
    };
    match texts.as_slice() {
        [] => carried.text.clone(),
        [only] => format!("SA {only}"),
        many => {
            let shown: Vec<String> =
                many.iter().take(TRANSFORMS).zip(1..).map(|(text, number)| format!("{number} {text}")).collect();
            let more = many.len().saturating_sub(TRANSFORMS);
            let more = if more > 0 { format!(" · {more} more") } else { String::new() };
            format!("SA {}{more}", shown.join(" · "))
        }
    }
}

fn transport(palette: &Palette, message: &Message) -> Vec<Words> {
    let mut parts = Vec::new();
    if message.ip_fragments > 1 {
        parts.push(Words::whole(palette.notice, &format!("{} IP fragments", message.ip_fragments)));
    }
    if message.ike_fragments > 0 {
        let fragments = counted(message.ike_fragments.into(), "IKE fragment", "IKE fragments");
        parts.push(Words::whole(palette.notice, &fragments));
    }
    if let Some(missing) = message.ike_fragments_missing {
        let of = missing.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let text = format!("IKE fragment {}{of} never came", missing.first_missing);
        parts.push(Words::inked(palette.error, text));
    }
    if message.encapsulation == Encapsulation::Tcp {
        parts.push(Words::inked(palette.notice, "over TCP"));
    }
    if message.recorded_again > 0 {
        let sent = u64::from(message.retransmission_count) + 1;
        let times = count(sent + u64::from(message.recorded_again));
        // of a message that was sent again, nobody can see which copy was recorded how often
        let words = if sent == 1 { format!("recorded ×{times}") } else { format!("recorded ×{times} in all") };
        parts.push(Words::inked(palette.faint, words));
    }
    parts
}

/// `×4 until 10:42:07, after 4.0, 7.2 and 13.0 s (frames 15, 16 and 17)`: copies in all, and the waits between them.
pub fn repeats_text(view: &View<'_>, message: &Message) -> String {
    const SHOWN: usize = 8;
    let copies = count(u64::from(message.retransmission_count) + 1);
    if message.retransmissions.is_empty() {
        return format!("×{copies}");
    }
    let mut waits = Vec::new();
    let mut before = message.at;
    for repeat in message.retransmissions.iter().take(SHOWN) {
        waits.push(quantity::seconds(repeat.at.since(before)));
        before = repeat.at;
    }
    if message.retransmissions.len() > SHOWN {
        waits.push("…".into());
    }
    let remembered = message.retransmissions.len() as u64 == u64::from(message.retransmission_count);
    let until = if remembered { "until" } else { "at least until" };
    let frames: Vec<_> =
        message.retransmissions.iter().map(|repeat| crate::base::FrameRef::new(repeat.capture, repeat.frame)).collect();
    let changed = message.retransmissions.iter().any(|repeat| repeat.changed);
    format!(
        "×{copies} {until} {}, after {} s ({}){}",
        view.clock.second(message.last_at()),
        waits.join(", "),
        quantity::frames(&frames, view.many_captures),
        if changed { ", not always the same octets" } else { "" },
    )
}

/// Where both sides are now, if that is not where they were before.
pub fn between(now: (SocketAddr, SocketAddr), before: (SocketAddr, SocketAddr)) -> String {
    let same_hosts = now.0.ip() == before.0.ip() && now.1.ip() == before.1.ip();
    match (same_hosts, now.0.port() == now.1.port()) {
        (true, true) => format!("now on port {}", now.0.port()),
        (true, false) => format!("now between ports {} and {}", now.0.port(), now.1.port()),
        (false, _) => format!("now between {} and {}", now.0, now.1),
    }
}
