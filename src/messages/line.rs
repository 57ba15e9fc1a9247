//! A message on one line: when, from where to where, which message it is, and its payloads in short words.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anstyle::{AnsiColor, Style};

use crate::base::{FrameRef, IkeSpi};
use crate::isakmp::payload::Body;
use crate::isakmp::{Header, Message, Payload, registry};
use crate::report::escape::escape;

use super::{Row, words};
use crate::report::moment::Moment;

const LABEL: Style = AnsiColor::Cyan.on_default().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();
const REPEAT: Style = AnsiColor::Yellow.on_default();

/// Characters of an identity, a name or a notification's text that a line shows.
const SHOWN: usize = 48;

/// Transforms of a proposal that a line shows.
const TRANSFORMS: usize = 8;

pub(super) fn write(row: &Row<'_>, out: &mut String, many_captures: bool) {
    // writing to a String cannot fail
    let _ = line(row, out, many_captures);
}

fn line(row: &Row<'_>, out: &mut String, many_captures: bool) -> std::fmt::Result {
    let datagram = row.datagram;
    let source = SocketAddr::new(datagram.source, row.isakmp.source_port);
    let destination = SocketAddr::new(datagram.destination, row.isakmp.destination_port);
    let time = Moment(datagram.at).octets();
    let microseconds = std::str::from_utf8(time.get(..26).unwrap_or_default()).unwrap_or_default();
    let frame = frame(datagram.frame, many_captures);
    write!(out, "{frame:>5} {microseconds}Z {source} > {destination} ")?;
    match &row.message {
        Ok(message) => {
            header(row, message, out)?;
            payloads(message, out)?;
        }
        Err(_) => write!(out, "{} octets on an IKE port", row.isakmp.octets.len())?,
    }
    if let Some(message) = row.reassembled() {
        write!(out, " [whole message of {} octets:", message.header.length)?;
        payloads(&message, out)?;
        out.push(']');
    }
    if let Some(fault) = row.fault {
        write!(out, " {WRONG}[fault: {fault}]{WRONG:#}")?;
    }
    for violation in row.violations() {
        let major = row.message.as_ref().map_or(0, |message| message.header.version.major);
        write!(out, " {WRONG}[{}]{WRONG:#}", words::violation(major, violation))?;
    }
    if datagram.ambiguous_overlap {
        write!(out, " {WRONG}[fragments overlap with different octets]{WRONG:#}")?;
    }
    if let Some(observed) = row.observed {
        if let Some(first) = observed.retransmission_of {
            write!(out, " {REPEAT}[retransmission of frame {}]{REPEAT:#}", self::frame(first, many_captures))?;
        }
        if let Some(before) = observed.recorded_before {
            write!(out, " {REPEAT}[recorded twice: frame {}]{REPEAT:#}", self::frame(before, many_captures))?;
        }
    }
    out.push('\n');
    Ok(())
}

fn header(row: &Row<'_>, message: &Message<'_>, out: &mut String) -> std::fmt::Result {
    let header = &message.header;
    let major = header.version.major;
    write!(out, "IKEv{major}")?;
    if header.version.minor != 0 {
        write!(out, ".{}", header.version.minor)?;
    }
    match registry::exchange_name(major, header.exchange_type) {
        Some(name) => write!(out, " {name}")?,
        None => write!(out, " exchange {}", header.exchange_type)?,
    }
    if let Some(observed) = row.observed {
        write!(out, " {LABEL}{}{LABEL:#}", observed.label)?;
    }
    write!(out, " {}/{}", short(header.initiator_spi), short(header.responder_spi))?;
    if header.message_id.0 != 0 {
        write!(out, " id {}", header.message_id)?;
    }
    let flags = flags(header);
    if !flags.is_empty() {
        write!(out, " [{flags}]")?;
    }
    write!(out, " len {}:", header.length)
}

fn payloads(message: &Message<'_>, out: &mut String) -> std::fmt::Result {
    let major = message.header.version.major;
    let mut any = false;
    for payload in message.payloads() {
        out.push(' ');
        self::payload(major, &payload, out)?;
        any = true;
    }
    match (any, message.is_encrypted()) {
        (false, true) => out.push_str(" encrypted"),
        (false, false) => out.push_str(" no payloads"),
        (true, _) => {}
    }
    Ok(())
}

fn payload(major: u8, payload: &Payload<'_>, out: &mut String) -> std::fmt::Result {
    match registry::payload_notation(major, payload.payload_type) {
        Some(notation) => out.push_str(notation),
        None => write!(out, "payload-{}", payload.payload_type)?,
    }
    let before = out.len();
    out.push('(');
    body(major, &payload.body, out)?;
    if out.len() == before.saturating_add(1) {
        out.truncate(before);
    } else {
        out.push(')');
    }
    Ok(())
}

fn body(major: u8, body: &Body<'_>, out: &mut String) -> std::fmt::Result {
    match body {
        Body::SecurityAssociation(sa) => {
            out.push_str(&words::proposals(major, sa, TRANSFORMS));
            Ok(())
        }
        Body::KeyExchange(key_exchange) => match key_exchange.group {
            Some(group) => named(out, registry::group_name(group), group),
            None => write!(out, "{} octets", key_exchange.data.len()),
        },
        Body::Identification(id) | Body::NatOriginalAddress(id) => {
            match words::identity(major, id.id_type, id.data) {
                Some(text) => out.push_str(&words::shortened(&text, SHOWN)),
                None => named(out, registry::id_type_name(major, id.id_type), id.id_type)?,
            }
            Ok(())
        }
        Body::Certificate(certificate) | Body::CertificateRequest(certificate) => {
            named(out, registry::cert_encoding_name(major, certificate.encoding), certificate.encoding)
        }
        Body::Nonce(data) => write!(out, "{}", data.len()),
        Body::Notification(notification) => {
            let number = notification.notify_message_type;
            let style = if registry::notify_is_error(major, number) { WRONG } else { Style::new() };
            write!(out, "{style}")?;
            named(out, registry::notify_name(major, number), number)?;
            write!(out, "{style:#}")?;
            match words::notification(major, number, notification.data) {
                Some(text) => write!(out, ": {}", words::shortened(&text, SHOWN)),
                None => Ok(()),
            }
        }
        Body::Delete(delete) => {
            named(out, registry::protocol_name(major, delete.protocol_id), delete.protocol_id)?;
            for spi in delete.each_spi().take(4) {
                write!(out, " {}", hex::encode(spi))?;
            }
            match usize::from(delete.spi_count).saturating_sub(4) {
                0 => Ok(()),
                more => write!(out, " +{more}"),
            }
        }
        Body::VendorId(data) => match registry::vendor_id_label(data) {
            Some(label) => {
                out.push_str(&words::shortened(&escape(&label), SHOWN));
                Ok(())
            }
            None => {
                let (shown, hidden) = data.split_at(data.len().min(4));
                write!(out, "{}{}", hex::encode(shown), if hidden.is_empty() { "" } else { "…" })
            }
        },
        Body::Configuration(configuration) => {
            named(out, registry::cfg_type_name(major, configuration.cfg_type), configuration.cfg_type)
        }
        Body::Fragment(fragment) => {
            write!(out, "{}{}", fragment.number, if fragment.flags & 1 == 1 { ", last" } else { "" })
        }
        Body::Authentication(authentication) => {
            named(out, registry::auth_method_name(authentication.method), authentication.method)
        }
        Body::TrafficSelectors(selectors) => {
            for (index, selector) in selectors.selectors().take(4).enumerate() {
                let separator = if index > 0 { ", " } else { "" };
                write!(out, "{separator}{}", words::selector(&selector).as_deref().unwrap_or("?"))?;
            }
            match selectors.count.saturating_sub(4) {
                0 => Ok(()),
                more => write!(out, " +{more}"),
            }
        }
        Body::Encrypted(data) => write!(out, "{} octets", data.len()),
        Body::EncryptedFragment(fragment) => write!(out, "{}/{}", fragment.number, fragment.total),
        Body::Eap(eap) => {
            out.push_str(super::tree::eap_code(eap.code));
            Ok(())
        }
        Body::Hash(_) | Body::Signature(_) | Body::NatDetection(_) => Ok(()),
        Body::Opaque(data) => write!(out, "{} octets", data.len()),
        Body::Malformed(_) => {
            out.push_str("malformed");
            Ok(())
        }
    }
}

/// A name, or the number where there is none.
pub(super) fn named(out: &mut String, name: Option<&str>, number: impl std::fmt::Display) -> std::fmt::Result {
    match name {
        Some(name) => out.push_str(name),
        None => write!(out, "{number}")?,
    }
    Ok(())
}

/// `12`, or `0:12` where there is more than one capture.
pub(super) fn frame(reference: FrameRef, many_captures: bool) -> String {
    if many_captures { format!("{}:{}", reference.capture, reference.frame) } else { reference.frame.to_string() }
}

/// The first half of an SPI, `-` for one not chosen yet.
fn short(spi: IkeSpi) -> String {
    if spi.is_zero() { "-".to_owned() } else { format!("{:08x}…", spi.0 >> 32) }
}

/// The letters of the flags that are set, unknown bits as a number.
pub(super) fn flags(header: &Header) -> String {
    let known: &[(u8, &str)] = if header.version.major == 2 {
        &[(Header::INITIATOR, "I"), (Header::HIGHER_VERSION, "V"), (Header::RESPONSE, "R")]
    } else {
        &[(Header::ENCRYPTION, "E"), (Header::COMMIT, "C"), (Header::AUTHENTICATION_ONLY, "A")]
    };
    let mut letters = String::new();
    let mut rest = header.flags;
    for &(flag, letter) in known {
        if header.has(flag) {
            letters.push_str(letter);
            rest &= !flag;
        }
    }
    if rest != 0 {
        let _ = write!(letters, "+{rest:#04x}");
    }
    letters
}
