//! A message on one line: when, from where to where, which message it is, and its payloads in short words.

use std::io::{Result, Write as _};

use anstyle::{AnsiColor, Style};

use crate::base::{FrameRef, IkeSpi};
use crate::isakmp::payload::Body;
use crate::isakmp::{Header, Message, Payload, registry};
use crate::report::escape::escape;
use crate::report::pen::{self, raw};

use super::alike::Kept;
use super::memory::Key;
use super::stencil::View;
use super::writer::{Standing, Writer, code};
use super::{Row, front, words};

const LABEL: Style = AnsiColor::Cyan.on_default().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();
const REPEAT: Style = AnsiColor::Yellow.on_default();

/// Characters of an identity, a name or a notification's text that a line shows.
const SHOWN: usize = 48;

/// Transforms of a proposal that a line shows.
const TRANSFORMS: usize = 8;

pub(super) fn write(row: &Row<'_>, writer: &mut Writer, out: &mut Vec<u8>) {
    front::write(row, writer, out);
    writer.shaped(View::Line, row, out, |writer, out| {
        let mut standing = Standing { fault: None, violates: false };
        // writing to a vector cannot fail
        let _ = behind_addresses(row, writer, out, &mut standing);
        standing
    });
}

fn behind_addresses(row: &Row<'_>, writer: &mut Writer, out: &mut Vec<u8>, standing: &mut Standing) -> Result<()> {
    let many_captures = writer.many_captures;
    *standing = match &row.message() {
        Ok(message) => {
            header(row, message, writer, out);
            payloads(message, writer, out)
        }
        Err(fault) => {
            write!(out, "{} octets on an IKE port", row.isakmp.octets.len())?;
            Standing { fault: Some(*fault), violates: false }
        }
    };
    if let Some(message) = row.reassembled() {
        write!(out, " [whole message of {} octets:", message.header.length)?;
        payloads(&message, writer, out);
        out.push(b']');
    }
    let (wrong, repeat) = (writer.style(WRONG), writer.style(REPEAT));
    if let Some(fault) = standing.fault {
        write!(out, " {wrong}[fault: {fault}]{wrong:#}")?;
    }
    if standing.violates {
        let major = row.message().map_or(0, |message| message.header.version.major);
        for violation in row.violations() {
            write!(out, " {wrong}[{}]{wrong:#}", words::violation(major, violation))?;
        }
    }
    if row.datagram.ambiguous_overlap {
        write!(out, " {wrong}[fragments overlap with different octets]{wrong:#}")?;
    }
    if let Some(observed) = row.observed {
        for (first, what) in
            [(observed.retransmission_of, "retransmission of"), (observed.recorded_before, "recorded twice:")]
        {
            if let Some(first) = first {
                write!(out, " {repeat}[{what} frame ")?;
                frame(out, first, many_captures);
                write!(out, "]{repeat:#}")?;
            }
        }
    }
    out.push(b'\n');
    Ok(())
}

fn header(row: &Row<'_>, message: &Message<'_>, writer: &mut Writer, out: &mut Vec<u8>) {
    let header = &message.header;
    let label = row.observed.map(|observed| observed.label);
    let (kind, number) = label.map_or((0, 0), code);
    let fields = [header.version.major, header.version.minor, header.exchange_type, kind, number, 0, 0];
    let label_style = writer.style(LABEL);
    writer.remembered(&Key { fields: Kept::Exchange.fields(fields), octets: &[] }, out, |out| {
        let _ = exchange(header, out);
        if let Some(label) = label {
            let _ = write!(out, " {label_style}{label}{label_style:#}");
        }
        out.push(b' ');
    });
    short(header.initiator_spi, 0, writer, out);
    out.push(b'/');
    short(header.responder_spi, Header::RESPONDER_SPI_AT, writer, out);
    if header.message_id.0 != 0 {
        raw(out, " id ");
        writer.stencils.hole(out, Header::MESSAGE_ID_AT as usize, 4);
        pen::hex_few(out, header.message_id.0.to_be_bytes());
    }
    if header.flags != 0 {
        raw(out, " [");
        flags(header, out);
        out.push(b']');
    }
    raw(out, " len ");
    pen::digits(out, header.length.into());
    out.push(b':');
}

fn exchange(header: &Header, out: &mut Vec<u8>) -> Result<()> {
    let major = header.version.major;
    write!(out, "IKEv{major}")?;
    if header.version.minor != 0 {
        write!(out, ".{}", header.version.minor)?;
    }
    match registry::exchange_name(major, header.exchange_type) {
        Some(name) => write!(out, " {name}"),
        None => write!(out, " exchange {}", header.exchange_type),
    }
}

fn payloads(message: &Message<'_>, writer: &mut Writer, out: &mut Vec<u8>) -> Standing {
    let major = message.header.version.major;
    let error = writer.style(WRONG);
    let before = out.len();
    let standing = writer.payloads(Kept::OnLine, message, out, |payload, out| {
        // writing to a vector cannot fail
        let _ = self::payload(major, payload, error, out);
    });
    if out.len() == before {
        raw(out, if message.is_encrypted() { " encrypted" } else { " no payloads" });
    }
    standing
}

fn payload(major: u8, payload: &Payload<'_>, error: Style, out: &mut Vec<u8>) -> Result<()> {
    match registry::payload_notation(major, payload.payload_type) {
        Some(notation) => write!(out, " {notation}")?,
        None => write!(out, " payload-{}", payload.payload_type)?,
    }
    let before = out.len();
    out.push(b'(');
    body(major, payload, error, out)?;
    if out.len() == before.saturating_add(1) {
        out.truncate(before);
    } else {
        out.push(b')');
    }
    Ok(())
}

/// The first payload inside of what is encrypted (IKEv2).
fn first(payload: &Payload<'_>, out: &mut Vec<u8>) -> Result<()> {
    let Some(first) = payload.first_inside() else { return Ok(()) };
    match (first, registry::payload_notation(2, first)) {
        (0, _) => write!(out, "nothing, "),
        (_, Some(notation)) => write!(out, "{notation} …, "),
        (_, None) => write!(out, "payload-{first} …, "),
    }
}

/// What a line says of a body. Errors that it tells of stand in the style `error`.
fn body(major: u8, payload: &Payload<'_>, error: Style, out: &mut Vec<u8>) -> Result<()> {
    match &payload.body {
        Body::SecurityAssociation(sa) => {
            raw(out, &words::proposals(major, sa, TRANSFORMS));
            Ok(())
        }
        Body::KeyExchange(key_exchange) => match key_exchange.group {
            Some(group) => named(out, registry::group_name(group), group),
            None => write!(out, "{} octets", key_exchange.data.len()),
        },
        Body::Identification(id) | Body::NatOriginalAddress(id) => {
            match words::identity(major, id.id_type, id.data) {
                Some(text) => raw(out, &words::shortened(&text, SHOWN)),
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
            let style = if registry::notify_is_error(major, number) { error } else { Style::new() };
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
                raw(out, &words::shortened(&escape(&label), SHOWN));
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
        Body::Encrypted(data) => {
            first(payload, out)?;
            write!(out, "{} octets", data.len())
        }
        Body::EncryptedFragment(fragment) => {
            first(payload, out)?;
            write!(out, "{}/{}", fragment.number, fragment.total)
        }
        Body::Eap(eap) => {
            raw(out, super::tree::eap_code(eap.code));
            Ok(())
        }
        Body::Hash(_) | Body::Signature(_) | Body::NatDetection(_) => Ok(()),
        Body::Opaque(data) => write!(out, "{} octets", data.len()),
        Body::Malformed(_) => {
            raw(out, "malformed");
            Ok(())
        }
    }
}

/// A name, or the number where there is none.
fn named(out: &mut Vec<u8>, name: Option<&str>, number: impl std::fmt::Display) -> Result<()> {
    match name {
        Some(name) => raw(out, name),
        None => write!(out, "{number}")?,
    }
    Ok(())
}

/// `12`, or `0:12` where there is more than one capture.
#[inline]
pub(super) fn frame(out: &mut Vec<u8>, reference: FrameRef, many_captures: bool) {
    if many_captures {
        pen::digits(out, reference.capture.into());
        out.push(b':');
    }
    pen::digits(out, reference.frame);
}

/// The first half of an SPI, which stands at octet `at` of the message; `-` for one not chosen yet.
#[inline]
fn short(spi: IkeSpi, at: u32, writer: &mut Writer, out: &mut Vec<u8>) {
    if spi.is_zero() {
        out.push(b'-');
    } else {
        writer.stencils.hole(out, at as usize, 4);
        pen::hex_few(out, ((spi.0 >> 32) as u32).to_be_bytes());
        raw(out, "…");
    }
}

/// The letters of the flags that are set, unknown bits as a number.
#[inline]
pub(super) fn flags(header: &Header, out: &mut Vec<u8>) {
    let known: &[(u8, u8)] = if header.version.major == 2 {
        &[(Header::INITIATOR, b'I'), (Header::HIGHER_VERSION, b'V'), (Header::RESPONSE, b'R')]
    } else {
        &[(Header::ENCRYPTION, b'E'), (Header::COMMIT, b'C'), (Header::AUTHENTICATION_ONLY, b'A')]
    };
    let mut rest = header.flags;
    for &(flag, letter) in known {
        if header.has(flag) {
            out.push(letter);
            rest &= !flag;
        }
    }
    if rest != 0 {
        raw(out, "+0x");
        pen::hex_few(out, [rest]);
    }
}
