//! A message as a tree: every payload with its place and length, and everything it says.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anstyle::{AnsiColor, Style};

use crate::base::FrameRef;
use crate::isakmp::payload::{Body, Notification, Proposal, SecurityAssociation, Transform};
use crate::isakmp::{HEADER_LEN, Message, Payload, registry};
use crate::packet::Encapsulation;
use crate::report::escape::escape;

use super::line;
use super::{Row, words};
use crate::report::moment::Calendar;

const TITLE: Style = Style::new().bold();
const NAME: Style = AnsiColor::Cyan.on_default();
const WRONG: Style = AnsiColor::Red.on_default().bold();
const REPEAT: Style = AnsiColor::Yellow.on_default();

/// Octets on one line of a dump.
const A_LINE: usize = 32;

pub(super) fn write(row: &Row<'_>, out: &mut String, many_captures: bool) {
    // writing to a String cannot fail
    let _ = tree(row, out, many_captures);
}

fn tree(row: &Row<'_>, out: &mut String, many_captures: bool) -> std::fmt::Result {
    let datagram = row.datagram;
    let mut time = Vec::new();
    Calendar::default().plain(&mut time, datagram.at);
    let time = std::str::from_utf8(&time).unwrap_or_default();
    let source = SocketAddr::new(datagram.source, row.isakmp.source_port);
    let destination = SocketAddr::new(datagram.destination, row.isakmp.destination_port);
    let carrier = match row.isakmp.encapsulation {
        Encapsulation::Tcp => "TCP",
        Encapsulation::Udp | Encapsulation::None => "UDP",
    };
    let frame_text = frame(datagram.frame, many_captures);
    write!(out, "{TITLE}Frame {frame_text}, {time}, {source} > {destination}{TITLE:#}, {carrier}")?;
    write!(out, ", {} octets", row.isakmp.octets.len())?;
    if row.isakmp.non_esp_marker {
        out.push_str(", non-ESP marker");
    }
    if datagram.fragments > 1 {
        let first = frame(datagram.first_frame, many_captures);
        write!(out, ", in {} IP fragments from frame {first} on", datagram.fragments)?;
    }
    out.push('\n');
    if datagram.ambiguous_overlap {
        writeln!(out, "  {WRONG}fragments overlap with different octets{WRONG:#}")?;
    }
    if let Some(observed) = row.observed {
        if let Some(first) = observed.retransmission_of {
            writeln!(out, "  {REPEAT}retransmission of frame {}{REPEAT:#}", frame(first, many_captures))?;
        }
        if let Some(before) = observed.recorded_before {
            writeln!(
                out,
                "  {REPEAT}the same packet was recorded as frame {}{REPEAT:#}",
                frame(before, many_captures)
            )?;
        }
        writeln!(out, "  Message {}", observed.label)?;
    }
    match &row.message() {
        Ok(message) => self::message(message, out, 1)?,
        Err(_) => dump(out, 1, "octets", row.isakmp.octets)?,
    }
    if let Some(fault) = row.fault() {
        writeln!(out, "  {WRONG}fault: {fault}{WRONG:#}")?;
    }
    for violation in row.violations() {
        let major = row.message().map_or(0, |message| message.header.version.major);
        writeln!(out, "  {WRONG}{}{WRONG:#}", words::violation(major, violation))?;
    }
    if let Some(message) = row.reassembled() {
        writeln!(out, "  {TITLE}Whole message, put together from its fragments{TITLE:#}")?;
        self::message(&message, out, 2)?;
        if let Some(fault) = message.fault() {
            writeln!(out, "    {WRONG}fault: {fault}{WRONG:#}")?;
        }
    }
    out.push('\n');
    Ok(())
}

fn message(message: &Message<'_>, out: &mut String, depth: usize) -> std::fmt::Result {
    let header = &message.header;
    let major = header.version.major;
    let indent = Indent(depth);
    writeln!(out, "{indent}{NAME}Header{NAME:#}, at octet 0, {HEADER_LEN} octets")?;
    writeln!(out, "{indent}  initiator SPI {}, responder SPI {}", header.initiator_spi, header.responder_spi)?;
    let payload_name = |number| registry::payload_name(major, number);
    write!(out, "{indent}  version {major}.{}, exchange type ", header.version.minor)?;
    numbered(out, registry::exchange_name(major, header.exchange_type), header.exchange_type)?;
    write!(out, ", next payload ")?;
    numbered(out, payload_name(header.next_payload), header.next_payload)?;
    write!(out, "\n{indent}  flags {:#04x}", header.flags)?;
    let flags = text(|out| line::flags(header, out));
    if !flags.is_empty() {
        write!(out, " ({flags})")?;
    }
    writeln!(out, ", message id {}, length {}", header.message_id, header.length)?;
    let mut any = false;
    for payload in message.payloads() {
        self::payload(major, &payload, out, depth)?;
        any = true;
    }
    if !any && message.is_encrypted() {
        let octets = message.octets().len().saturating_sub(HEADER_LEN);
        writeln!(out, "{indent}{NAME}Encrypted{NAME:#}, at octet {HEADER_LEN}, {octets} octets")?;
    }
    Ok(())
}

/// The first payload inside of what is encrypted (IKEv2).
fn first_inside(payload: &Payload<'_>, inner: Indent, out: &mut String) -> std::fmt::Result {
    let Some(first) = payload.first_inside() else { return Ok(()) };
    write!(out, "{inner}first payload inside: ")?;
    match first {
        0 => out.push_str("none (0)"),
        _ => numbered(out, registry::payload_name(2, first), first)?,
    }
    out.push('\n');
    Ok(())
}

fn payload(major: u8, payload: &Payload<'_>, out: &mut String, depth: usize) -> std::fmt::Result {
    let indent = Indent(depth);
    write!(out, "{indent}{NAME}")?;
    numbered(out, registry::payload_name(major, payload.payload_type), payload.payload_type)?;
    write!(out, "{NAME:#}, at octet {}, {} octets", payload.at, payload.length)?;
    if payload.critical {
        out.push_str(", critical");
    }
    if payload.reserved != 0 {
        write!(out, ", reserved bits {:#04x}", payload.reserved)?;
    }
    out.push('\n');
    let inner = Indent(depth.saturating_add(1));
    let deeper = depth.saturating_add(1);
    match &payload.body {
        Body::SecurityAssociation(sa) => security_association(major, sa, out, deeper),
        Body::KeyExchange(key_exchange) => {
            if let Some(group) = key_exchange.group {
                write!(out, "{inner}group ")?;
                numbered(out, registry::group_name(group), group)?;
                out.push('\n');
            }
            dump(out, deeper, "public value", key_exchange.data)
        }
        Body::Identification(id) | Body::NatOriginalAddress(id) => {
            write!(out, "{inner}ID type ")?;
            numbered(out, registry::id_type_name(major, id.id_type), id.id_type)?;
            if id.protocol_id != 0 || id.port != 0 {
                write!(out, ", protocol {}, port {}", id.protocol_id, id.port)?;
            }
            out.push('\n');
            match words::identity(major, id.id_type, id.data) {
                Some(text) => writeln!(out, "{inner}{text}"),
                None => dump(out, deeper, "data", id.data),
            }
        }
        Body::Certificate(certificate) | Body::CertificateRequest(certificate) => {
            write!(out, "{inner}encoding ")?;
            numbered(out, registry::cert_encoding_name(major, certificate.encoding), certificate.encoding)?;
            out.push('\n');
            dump(out, deeper, "data", certificate.data)
        }
        Body::Notification(notification) => self::notification(major, notification, out, deeper),
        Body::Delete(delete) => {
            write!(out, "{inner}protocol ")?;
            numbered(out, registry::protocol_name(major, delete.protocol_id), delete.protocol_id)?;
            writeln!(out, ", {} SPIs of {} octets", delete.spi_count, delete.spi_size)?;
            for spi in delete.each_spi() {
                writeln!(out, "{inner}  SPI {}", hex::encode(spi))?;
            }
            Ok(())
        }
        Body::VendorId(data) => {
            if let Some(label) = registry::vendor_id_label(data) {
                writeln!(out, "{inner}{}", escape(&label))?;
            }
            dump(out, deeper, "data", data)
        }
        Body::Configuration(configuration) => {
            write!(out, "{inner}type ")?;
            numbered(out, registry::cfg_type_name(major, configuration.cfg_type), configuration.cfg_type)?;
            if let Some(identifier) = configuration.identifier {
                write!(out, ", identifier {identifier}")?;
            }
            out.push('\n');
            for attribute in configuration.attributes() {
                write!(out, "{inner}  ")?;
                let number = attribute.attribute_type;
                numbered(out, registry::config_attribute_name(major, number), number)?;
                writeln!(out, ": {}", words::configuration_value(&attribute))?;
            }
            Ok(())
        }
        Body::Fragment(fragment) => {
            let last = if fragment.flags & 1 == 1 { ", the last one" } else { "" };
            let (id, number, octets) = (fragment.fragment_id, fragment.number, fragment.data.len());
            writeln!(out, "{inner}fragment {number} of message {id}{last}, {octets} octets")
        }
        Body::Authentication(authentication) => {
            write!(out, "{inner}method ")?;
            numbered(out, registry::auth_method_name(authentication.method), authentication.method)?;
            out.push('\n');
            dump(out, deeper, "data", authentication.data)
        }
        Body::TrafficSelectors(selectors) => {
            writeln!(out, "{inner}{} selectors", selectors.count)?;
            for selector in selectors.selectors() {
                let text = words::selector(&selector);
                writeln!(out, "{inner}  type {}: {}", selector.ts_type, text.as_deref().unwrap_or("?"))?;
            }
            Ok(())
        }
        Body::EncryptedFragment(fragment) => {
            let (number, total, octets) = (fragment.number, fragment.total, fragment.data.len());
            first_inside(payload, inner, out)?;
            writeln!(out, "{inner}fragment {number} of {total}, {octets} octets encrypted")
        }
        Body::Encrypted(data) => {
            first_inside(payload, inner, out)?;
            writeln!(out, "{inner}{} octets: IV, ciphertext, ICV", data.len())
        }
        Body::Eap(eap) => {
            write!(out, "{inner}{}, identifier {}", eap_code(eap.code), eap.identifier)?;
            if let Some(method) = eap.method {
                write!(out, ", type {method}")?;
            }
            out.push('\n');
            dump(out, deeper, "data", eap.data)
        }
        Body::Nonce(data) => dump(out, deeper, "nonce", data),
        Body::Hash(data) | Body::NatDetection(data) => dump(out, deeper, "hash", data),
        Body::Signature(data) => dump(out, deeper, "signature", data),
        Body::Opaque(data) => dump(out, deeper, "data", data),
        Body::Malformed(fault) => {
            writeln!(out, "{inner}{WRONG}{fault}{WRONG:#}")?;
            dump(out, deeper, "data", payload.octets)
        }
    }
}

fn security_association(major: u8, sa: &SecurityAssociation<'_>, out: &mut String, depth: usize) -> std::fmt::Result {
    let indent = Indent(depth);
    if let Some(doi) = sa.doi {
        write!(out, "{indent}DOI {doi}")?;
        if doi == 1 {
            out.push_str(" (IPsec)");
        }
        if let Some(situation) = sa.situation {
            write!(out, ", situation {situation:#x}")?;
        }
        out.push('\n');
    }
    let mut proposals = sa.proposals();
    for proposal in proposals.by_ref() {
        self::proposal(major, &proposal, out, depth)?;
    }
    broken(out, indent, proposals.fault())
}

fn proposal(major: u8, proposal: &Proposal<'_>, out: &mut String, depth: usize) -> std::fmt::Result {
    let (indent, inner) = (Indent(depth), Indent(depth.saturating_add(1)));
    write!(out, "{indent}proposal {}: ", proposal.number)?;
    numbered(out, registry::protocol_name(major, proposal.protocol_id), proposal.protocol_id)?;
    if !proposal.spi.is_empty() {
        write!(out, ", SPI {}", hex::encode(proposal.spi))?;
    }
    writeln!(out, ", {} transforms", proposal.transform_count)?;
    let mut transforms = proposal.transforms();
    for transform in transforms.by_ref() {
        if major == 2 {
            v2_transform(&transform, out, inner)?;
        } else {
            v1_transform(proposal.protocol_id, &transform, out, inner)?;
        }
    }
    broken(out, inner, transforms.fault())
}

fn v2_transform(transform: &Transform<'_>, out: &mut String, indent: Indent) -> std::fmt::Result {
    let (transform_type, id) = (transform.transform_type, transform.transform_id);
    write!(out, "{indent}")?;
    numbered(out, registry::transform_type_name(transform_type), transform_type)?;
    out.push_str(": ");
    numbered(out, registry::transform_id_name(transform_type, id), id)?;
    let mut attributes = transform.attributes();
    for attribute in attributes.by_ref() {
        out.push_str(", ");
        numbered(out, registry::v2_attribute_name(attribute.attribute_type), attribute.attribute_type)?;
        match attribute.value.number() {
            Some(number) => write!(out, " {number}")?,
            None => write!(out, " {:?}", attribute.value)?,
        }
    }
    out.push('\n');
    broken(out, indent, attributes.fault())
}

fn v1_transform(protocol_id: u8, transform: &Transform<'_>, out: &mut String, indent: Indent) -> std::fmt::Result {
    write!(out, "{indent}transform {}: ", transform.number)?;
    numbered(out, registry::v1_transform_id_name(protocol_id, transform.transform_id), transform.transform_id)?;
    out.push('\n');
    let mut attributes = transform.attributes();
    for attribute in attributes.by_ref() {
        write!(out, "{indent}  ")?;
        numbered(out, registry::v1_attribute_name(protocol_id, attribute.attribute_type), attribute.attribute_type)?;
        writeln!(out, ": {}", words::attribute_value(protocol_id, &attribute))?;
    }
    broken(out, indent, attributes.fault())
}

fn notification(major: u8, notification: &Notification<'_>, out: &mut String, depth: usize) -> std::fmt::Result {
    let indent = Indent(depth);
    let number = notification.notify_message_type;
    write!(out, "{indent}")?;
    numbered(out, registry::notify_name(major, number), number)?;
    if notification.protocol_id != 0 {
        out.push_str(", protocol ");
        numbered(out, registry::protocol_name(major, notification.protocol_id), notification.protocol_id)?;
    }
    if !notification.spi.is_empty() {
        write!(out, ", SPI {}", hex::encode(notification.spi))?;
    }
    out.push('\n');
    if let Some(text) = words::notification(major, number, notification.data) {
        writeln!(out, "{indent}{text}")?;
    }
    if notification.data.is_empty() { Ok(()) } else { dump(out, depth, "data", notification.data) }
}

fn broken(out: &mut String, indent: Indent, fault: Option<crate::base::Fault>) -> std::fmt::Result {
    match fault {
        Some(fault) => writeln!(out, "{indent}{WRONG}{fault}{WRONG:#}"),
        None => Ok(()),
    }
}

/// `name (number)`, or the number alone.
fn numbered(out: &mut String, name: Option<&str>, number: impl std::fmt::Display) -> std::fmt::Result {
    match name {
        Some(name) => write!(out, "{name} ({number})"),
        None => write!(out, "{number}"),
    }
}

/// The frame's name, as on a line.
fn frame(reference: FrameRef, many_captures: bool) -> String {
    text(|out| line::frame(out, reference, many_captures))
}

/// What `write` appends.
fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// All octets in hexadecimal digits, with how many there are.
fn dump(out: &mut String, depth: usize, name: &str, octets: &[u8]) -> std::fmt::Result {
    let indent = Indent(depth);
    if octets.len() <= A_LINE {
        let separator = if octets.is_empty() { "" } else { ": " };
        return writeln!(out, "{indent}{name}, {} octets{separator}{}", octets.len(), hex::encode(octets));
    }
    writeln!(out, "{indent}{name}, {} octets:", octets.len())?;
    for line in octets.chunks(A_LINE) {
        writeln!(out, "{indent}  {}", hex::encode(line))?;
    }
    Ok(())
}

/// Name of an EAP code (RFC 3748 §4).
pub(super) fn eap_code(code: u8) -> &'static str {
    match code {
        1 => "request",
        2 => "response",
        3 => "success",
        4 => "failure",
        _ => "unknown code",
    }
}

/// Two blanks a level.
#[derive(Clone, Copy)]
struct Indent(usize);

impl std::fmt::Display for Indent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:width$}", "", width = self.0.saturating_mul(2))
    }
}
