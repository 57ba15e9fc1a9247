//! A message as JSON: the object of `messages --format ndjson`.
//!
//! Keys are those of the contract, the RFC's words in snake case; names stand beside their numbers, never instead.

use std::borrow::Cow;

use crate::base::Fault;
use crate::isakmp::payload::{
    Attribute, AttributeValue, Body, Certificate, Configuration, Delete, Identification, Notification, Proposal,
    SecurityAssociation, TrafficSelector, Transform,
};
use crate::isakmp::{Header, Message, Payload, Violation, registry};
use crate::report::escape::escape;
use crate::report::pen;

use super::alike::Kept;
use super::emit::{Emit, key};
use super::stencil::View;
use super::writer::{Standing, Writer};
use super::{Row, words};

pub(super) fn write(row: &Row<'_>, writer: &mut Writer, out: &mut Vec<u8>) {
    Emit::document(out, |emit| {
        let datagram = row.datagram;
        emit.number(key!("capture"), datagram.frame.capture);
        emit.number(key!("frame"), datagram.frame.frame);
        emit.plain(key!("time"), |out| writer.calendar.plain(out, datagram.at));
        emit.plain(key!("source"), |out| writer.endpoint(out, datagram.source, row.isakmp.source_port));
        emit.plain(key!("destination"), |out| writer.endpoint(out, datagram.destination, row.isakmp.destination_port));
        emit.appended(|out| {
            writer.shaped(View::Json, row, out, |writer, out| behind_addresses(&mut Emit::to(out), writer, row));
        });
    });
}

fn behind_addresses(emit: &mut Emit<'_>, writer: &mut Writer, row: &Row<'_>) -> Standing {
    emit.truth(key!("non_esp_marker"), row.isakmp.non_esp_marker);
    let standing = match &row.message() {
        Ok(message) => self::message(emit, writer, message),
        Err(fault) => no_message(emit, *fault),
    };
    fault(emit, standing.fault);
    if standing.violates {
        violations(emit, row);
    }
    carriage(emit, row);
    observed(emit, writer, row);
    standing
}

/// What the message lacks or has too often, where there is such a thing.
fn violations(emit: &mut Emit<'_>, row: &Row<'_>) {
    let Ok(message) = &row.message() else { return };
    let mut violations = row.violations().peekable();
    if violations.peek().is_none() {
        return;
    }
    let major = message.header.version.major;
    emit.list(key!("violations"), |list| {
        for violation in violations {
            let (kind, payload_type) = match violation {
                Violation::Missing { payload_type } => ("missing", payload_type),
                Violation::Duplicate { payload_type } => ("duplicate", payload_type),
            };
            list.item(|emit| {
                emit.name(key!("kind"), Some(kind));
                emit.number(key!("payload_type"), payload_type);
                emit.name(key!("name"), registry::payload_name(major, payload_type));
            });
        }
    });
}

/// How it came, where that is worth a word.
fn carriage(emit: &mut Emit<'_>, row: &Row<'_>) {
    if row.datagram.fragments > 1 {
        emit.number(key!("ip_fragments"), row.datagram.fragments);
    }
    if row.datagram.ambiguous_overlap {
        emit.truth(key!("ambiguous_overlap"), true);
    }
}

/// What the tracker made of it.
fn observed(emit: &mut Emit<'_>, writer: &mut Writer, row: &Row<'_>) {
    let Some(observed) = row.observed else { return emit.null(key!("retransmission_of")) };
    emit.plain(key!("label"), |out| writer.label(out, observed.label));
    match observed.retransmission_of {
        None => emit.null(key!("retransmission_of")),
        Some(first) => {
            emit.number(key!("retransmission_of"), first.frame);
            if first.capture != row.datagram.frame.capture {
                emit.number(key!("retransmission_of_capture"), first.capture);
            }
        }
    }
    if let Some(before) = observed.recorded_before {
        emit.other(key!("recorded_before"), &before);
    }
    if let Some(message) = row.reassembled() {
        emit.object(key!("reassembled"), |emit| {
            let standing = self::message(emit, writer, &message);
            fault(emit, standing.fault);
        });
    }
}

fn message(emit: &mut Emit<'_>, writer: &mut Writer, message: &Message<'_>) -> Standing {
    let header = &message.header;
    let major = header.version.major;
    emit.number(key!("length"), header.length);
    match (major, header.version.minor) {
        (1, 0) => emit.name(key!("version"), Some("1.0")),
        (2, 0) => emit.name(key!("version"), Some("2.0")),
        (major, minor) => emit.shown(key!("version"), format_args!("{major}.{minor}")),
    }
    own(emit, writer, key!("initiator_spi"), 0, header.initiator_spi.octets());
    own(emit, writer, key!("responder_spi"), Header::RESPONDER_SPI_AT, header.responder_spi.octets());
    emit.number(key!("exchange_type"), header.exchange_type);
    emit.name(key!("exchange"), registry::exchange_name(major, header.exchange_type));
    emit.number(key!("flags"), header.flags);
    own(emit, writer, key!("message_id"), Header::MESSAGE_ID_AT, header.message_id.0.to_be_bytes());
    emit.number(key!("next_payload"), header.next_payload);
    emit.truth(key!("encrypted"), message.is_encrypted());
    emit.list_of(key!("payloads"), |out| {
        writer.payloads(Kept::AsJson, message, out, |payload, out| {
            Emit::to(out).item(|emit| self::payload(emit, major, payload));
        })
    })
}

/// A field of the header that is a message's own and stands at octet `at`.
fn own<const N: usize>(emit: &mut Emit<'_>, writer: &mut Writer, key: &'static str, at: u32, octets: [u8; N]) {
    emit.plain(key, |out| {
        writer.stencils.hole(out, at as usize, N);
        pen::hex_few(out, octets);
    });
}

/// The keys of a message of which not even the header is there.
fn no_message(emit: &mut Emit<'_>, fault: Fault) -> Standing {
    for key in [
        key!("length"),
        key!("version"),
        key!("initiator_spi"),
        key!("responder_spi"),
        key!("exchange_type"),
        key!("exchange"),
        key!("flags"),
        key!("message_id"),
        key!("next_payload"),
    ] {
        emit.null(key);
    }
    emit.truth(key!("encrypted"), false);
    emit.list(key!("payloads"), |_| {});
    Standing { fault: Some(fault), violates: false }
}

fn fault(emit: &mut Emit<'_>, fault: Option<Fault>) {
    match fault {
        Some(fault) => emit.other(key!("fault"), &fault),
        None => emit.null(key!("fault")),
    }
}

fn payload(emit: &mut Emit<'_>, major: u8, payload: &Payload<'_>) {
    emit.number(key!("type"), payload.payload_type);
    // a vendor id goes by the name of what it announces
    let vendor = match payload.body {
        Body::VendorId(data) => registry::vendor_id_label(data),
        _ => None,
    };
    match vendor {
        Some(Cow::Borrowed(name)) => emit.text(key!("name"), name),
        Some(Cow::Owned(name)) => emit.text(key!("name"), &escape(&name)),
        None => emit.name(key!("name"), registry::payload_name(major, payload.payload_type)),
    }
    emit.number(key!("length"), payload.length);
    if payload.critical {
        emit.truth(key!("critical"), true);
    }
    if payload.reserved != 0 {
        emit.number(key!("reserved"), payload.reserved);
    }
    body(emit, major, payload);
}

/// The first payload inside of what is encrypted (IKEv2).
fn first_payload(emit: &mut Emit<'_>, payload: &Payload<'_>) {
    if let Some(first) = payload.first_inside() {
        emit.number(key!("first_payload"), first);
        emit.name(key!("first_payload_name"), registry::payload_name(2, first));
    }
}

fn body(emit: &mut Emit<'_>, major: u8, payload: &Payload<'_>) {
    match &payload.body {
        Body::SecurityAssociation(sa) => security_association(emit, major, sa),
        Body::KeyExchange(key_exchange) => {
            if let Some(group) = key_exchange.group {
                emit.number(key!("dh_group"), group);
                emit.name(key!("dh_group_name"), registry::group_name(group));
            }
            emit.count(key!("data_length"), key_exchange.data.len());
        }
        Body::Identification(id) | Body::NatOriginalAddress(id) => identification(emit, major, id),
        Body::Certificate(certificate) | Body::CertificateRequest(certificate) => {
            self::certificate(emit, major, certificate);
        }
        Body::Hash(data)
        | Body::Signature(data)
        | Body::Nonce(data)
        | Body::VendorId(data)
        | Body::NatDetection(data)
        | Body::Opaque(data) => emit.hex(key!("data"), data),
        Body::Notification(notification) => self::notification(emit, major, notification),
        Body::Delete(delete) => self::delete(emit, major, delete),
        Body::Configuration(configuration) => self::configuration(emit, major, configuration),
        Body::Fragment(fragment) => {
            emit.number(key!("fragment_id"), fragment.fragment_id);
            emit.number(key!("fragment_number"), fragment.number);
            emit.truth(key!("last"), fragment.flags & 1 == 1);
            emit.count(key!("data_length"), fragment.data.len());
        }
        Body::Authentication(authentication) => {
            emit.number(key!("auth_method"), authentication.method);
            emit.name(key!("auth_method_name"), registry::auth_method_name(authentication.method));
            emit.hex(key!("data"), authentication.data);
        }
        Body::TrafficSelectors(selectors) => {
            emit.number(key!("count"), selectors.count);
            emit.list(key!("selectors"), |list| {
                for selector in selectors.selectors() {
                    list.item(|emit| self::selector(emit, &selector));
                }
            });
        }
        Body::Encrypted(data) => {
            first_payload(emit, payload);
            emit.count(key!("data_length"), data.len());
        }
        Body::EncryptedFragment(fragment) => {
            first_payload(emit, payload);
            emit.number(key!("fragment_number"), fragment.number);
            emit.number(key!("total_fragments"), fragment.total);
            emit.count(key!("data_length"), fragment.data.len());
        }
        Body::Eap(eap) => {
            emit.number(key!("code"), eap.code);
            emit.number(key!("identifier"), eap.identifier);
            match eap.method {
                Some(method) => emit.number(key!("eap_type"), method),
                None => emit.null(key!("eap_type")),
            }
            emit.hex(key!("data"), eap.data);
        }
        Body::Malformed(fault) => {
            emit.other(key!("fault"), fault);
            emit.hex(key!("data"), payload.octets);
        }
    }
}

fn security_association(emit: &mut Emit<'_>, major: u8, sa: &SecurityAssociation<'_>) {
    if let Some(doi) = sa.doi {
        emit.number(key!("doi"), doi);
    }
    if let Some(situation) = sa.situation {
        emit.number(key!("situation"), situation);
    }
    emit.list(key!("proposals"), |list| {
        for proposal in sa.proposals() {
            list.item(|emit| self::proposal(emit, major, &proposal));
        }
    });
}

fn proposal(emit: &mut Emit<'_>, major: u8, proposal: &Proposal<'_>) {
    let protocol_id = proposal.protocol_id;
    emit.number(key!("number"), proposal.number);
    emit.number(key!("protocol_id"), protocol_id);
    emit.name(key!("protocol"), registry::protocol_name(major, protocol_id));
    emit.hex(key!("spi"), proposal.spi);
    emit.list(key!("transforms"), |list| {
        for transform in proposal.transforms() {
            list.item(|emit| match major {
                2 => v2_transform(emit, &transform),
                _ => v1_transform(emit, protocol_id, &transform),
            });
        }
    });
}

fn v1_transform(emit: &mut Emit<'_>, protocol_id: u8, transform: &Transform<'_>) {
    emit.number(key!("number"), transform.number);
    emit.number(key!("transform_id"), transform.transform_id);
    emit.name(key!("name"), registry::v1_transform_id_name(protocol_id, transform.transform_id));
    emit.list(key!("attributes"), |list| {
        for attribute in transform.attributes() {
            let attribute_type = attribute.attribute_type;
            list.item(|emit| {
                self::attribute(emit, registry::v1_attribute_name(protocol_id, attribute_type), &attribute);
                let value = attribute.value.number();
                let name =
                    value.and_then(|value| registry::v1_attribute_value_name(protocol_id, attribute_type, value));
                if name.is_some() {
                    emit.name(key!("value_name"), name);
                }
            });
        }
    });
}

fn v2_transform(emit: &mut Emit<'_>, transform: &Transform<'_>) {
    let (transform_type, id) = (transform.transform_type, transform.transform_id);
    emit.number(key!("type"), transform_type);
    emit.name(key!("type_name"), registry::transform_type_name(transform_type));
    emit.number(key!("id"), id);
    emit.name(key!("name"), registry::transform_id_name(transform_type, id));
    emit.list(key!("attributes"), |list| {
        for attribute in transform.attributes() {
            let name = registry::v2_attribute_name(attribute.attribute_type);
            list.item(|emit| self::attribute(emit, name, &attribute));
        }
    });
}

fn attribute(emit: &mut Emit<'_>, name: Option<&'static str>, attribute: &Attribute<'_>) {
    emit.number(key!("type"), attribute.attribute_type);
    emit.name(key!("name"), name);
    match (attribute.value.number(), attribute.value) {
        (None, AttributeValue::Long(octets)) => emit.hex(key!("value"), octets),
        (number, _) => emit.number(key!("value"), number.unwrap_or_default()),
    }
}

fn identification(emit: &mut Emit<'_>, major: u8, id: &Identification<'_>) {
    emit.number(key!("id_type"), id.id_type);
    emit.name(key!("id_type_name"), registry::id_type_name(major, id.id_type));
    if major == 1 {
        emit.number(key!("protocol_id"), id.protocol_id);
        emit.number(key!("port"), id.port);
    }
    emit.hex(key!("data"), id.data);
    emit.text_or_null(key!("text"), words::identity(major, id.id_type, id.data).as_deref());
}

fn certificate(emit: &mut Emit<'_>, major: u8, certificate: &Certificate<'_>) {
    emit.number(key!("cert_encoding"), certificate.encoding);
    emit.name(key!("cert_encoding_name"), registry::cert_encoding_name(major, certificate.encoding));
    emit.hex(key!("data"), certificate.data);
}

fn notification(emit: &mut Emit<'_>, major: u8, notification: &Notification<'_>) {
    let notify_message_type = notification.notify_message_type;
    if let Some(doi) = notification.doi {
        emit.number(key!("doi"), doi);
    }
    emit.number(key!("protocol_id"), notification.protocol_id);
    emit.hex(key!("spi"), notification.spi);
    emit.number(key!("notify_message_type"), notify_message_type);
    emit.name(key!("notify_name"), registry::notify_name(major, notify_message_type));
    emit.hex(key!("data"), notification.data);
    if let Some(text) = words::notification(major, notify_message_type, notification.data) {
        emit.text(key!("text"), &text);
    }
}

fn delete(emit: &mut Emit<'_>, major: u8, delete: &Delete<'_>) {
    if let Some(doi) = delete.doi {
        emit.number(key!("doi"), doi);
    }
    emit.number(key!("protocol_id"), delete.protocol_id);
    emit.name(key!("protocol"), registry::protocol_name(major, delete.protocol_id));
    emit.number(key!("spi_size"), delete.spi_size);
    emit.list(key!("spis"), |list| delete.each_spi().for_each(|spi| list.hex_item(spi)));
}

fn configuration(emit: &mut Emit<'_>, major: u8, configuration: &Configuration<'_>) {
    emit.number(key!("cfg_type"), configuration.cfg_type);
    emit.name(key!("cfg_type_name"), registry::cfg_type_name(major, configuration.cfg_type));
    if let Some(identifier) = configuration.identifier {
        emit.number(key!("identifier"), identifier);
    }
    emit.list(key!("attributes"), |list| {
        for attribute in configuration.attributes() {
            let attribute_type = attribute.attribute_type;
            list.item(|emit| {
                emit.number(key!("type"), attribute_type);
                emit.name(key!("name"), registry::config_attribute_name(major, attribute_type));
                match attribute.value {
                    AttributeValue::Short(number) => emit.number(key!("value"), number),
                    AttributeValue::Long(octets) => emit.hex(key!("value"), octets),
                }
                emit.text(key!("text"), &words::configuration_value(&attribute));
            });
        }
    });
}

fn selector(emit: &mut Emit<'_>, selector: &TrafficSelector<'_>) {
    emit.number(key!("ts_type"), selector.ts_type);
    emit.number(key!("protocol_id"), selector.protocol_id);
    emit.number(key!("start_port"), selector.start_port);
    emit.number(key!("end_port"), selector.end_port);
    for (key, octets) in [(key!("start_address"), selector.start), (key!("end_address"), selector.end)] {
        match words::address(octets) {
            Some(address) => emit.shown(key, address),
            None => emit.null(key),
        }
    }
    emit.text_or_null(key!("text"), words::selector(selector).as_deref());
}
