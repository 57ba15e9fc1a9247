//! A message as JSON: the object of `messages --format ndjson`, serialised straight from the octets.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::base::Fault;
use crate::isakmp::payload::{
    Attribute, AttributeValue, Body, Certificate, Configuration, Delete, Identification, Notification, Proposal,
    SecurityAssociation, TrafficSelector, Transform,
};
use crate::isakmp::{Message, Payload, registry};
use crate::report::escape::escape;

use super::stamp::{Endpoint, Hex, Moment};
use super::{Row, words};

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let datagram = self.datagram;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("capture", &datagram.frame.capture)?;
        map.serialize_entry("frame", &datagram.frame.frame)?;
        map.serialize_entry("time", &Moment(datagram.at))?;
        map.serialize_entry("source", &Endpoint(datagram.source, self.isakmp.source_port))?;
        map.serialize_entry("destination", &Endpoint(datagram.destination, self.isakmp.destination_port))?;
        map.serialize_entry("non_esp_marker", &self.isakmp.non_esp_marker)?;
        match &self.message {
            Ok(message) => message_fields(&mut map, message)?,
            Err(_) => no_message_fields(&mut map)?,
        }
        map.serialize_entry("fault", &self.fault)?;
        if datagram.ambiguous_overlap {
            map.serialize_entry("ambiguous_overlap", &true)?;
        }
        if datagram.fragments > 1 {
            map.serialize_entry("ip_fragments", &datagram.fragments)?;
        }
        let observed = self.observed;
        if let Some(observed) = observed {
            map.serialize_entry("label", &Shown(observed.label))?;
        }
        let repeats = observed.and_then(|observed| observed.retransmission_of);
        map.serialize_entry("retransmission_of", &repeats.map(|frame| frame.frame))?;
        if let Some(first) = repeats.filter(|first| first.capture != datagram.frame.capture) {
            map.serialize_entry("retransmission_of_capture", &first.capture)?;
        }
        if let Some(before) = observed.and_then(|observed| observed.recorded_before) {
            map.serialize_entry("recorded_before", &before)?;
        }
        if let Some(message) = self.reassembled() {
            map.serialize_entry("reassembled", &Whole(message))?;
        }
        map.end()
    }
}

/// A message put together from IKE fragments.
struct Whole<'a>(Message<'a>);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        message_fields(&mut map, &self.0)?;
        map.serialize_entry("fault", &self.0.fault())?;
        map.end()
    }
}

fn message_fields<M: SerializeMap>(map: &mut M, message: &Message<'_>) -> Result<(), M::Error> {
    let header = &message.header;
    let major = header.version.major;
    map.serialize_entry("length", &header.length)?;
    match (major, header.version.minor) {
        (1, 0) => map.serialize_entry("version", "1.0")?,
        (2, 0) => map.serialize_entry("version", "2.0")?,
        (major, minor) => map.serialize_entry("version", &format_args!("{major}.{minor}"))?,
    }
    map.serialize_entry("initiator_spi", &Hex(&header.initiator_spi.octets()))?;
    map.serialize_entry("responder_spi", &Hex(&header.responder_spi.octets()))?;
    map.serialize_entry("exchange_type", &header.exchange_type)?;
    map.serialize_entry("exchange", &registry::exchange_name(major, header.exchange_type))?;
    map.serialize_entry("flags", &header.flags)?;
    map.serialize_entry("message_id", &Hex(&header.message_id.0.to_be_bytes()))?;
    map.serialize_entry("next_payload", &header.next_payload)?;
    map.serialize_entry("encrypted", &message.is_encrypted())?;
    map.serialize_entry("payloads", &List(|| message.payloads().map(|payload| InMessage { major, payload })))
}

/// The keys of a message of which not even the header is there.
fn no_message_fields<M: SerializeMap>(map: &mut M) -> Result<(), M::Error> {
    for key in [
        "length",
        "version",
        "initiator_spi",
        "responder_spi",
        "exchange_type",
        "exchange",
        "flags",
        "message_id",
        "next_payload",
    ] {
        map.serialize_entry(key, &())?;
    }
    map.serialize_entry("encrypted", &false)?;
    map.serialize_entry("payloads", &[(); 0])
}

/// What an iterator yields, as a list; asked for anew each time it is written.
struct List<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in (self.0)() {
            list.serialize_element(&item)?;
        }
        list.end()
    }
}

/// What prints itself, as a string.
struct Shown<T>(T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A part of a message of this version.
struct InMessage<P> {
    major: u8,
    payload: P,
}

impl Serialize for InMessage<Payload<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { major, payload } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &payload.payload_type)?;
        let vendor = match payload.body {
            Body::VendorId(data) => registry::vendor_id(data),
            _ => None,
        };
        // a vendor id goes by the name of what it announces
        let name = vendor.map(|vendor| vendor.name).or_else(|| registry::payload_name(*major, payload.payload_type));
        map.serialize_entry("name", &name)?;
        map.serialize_entry("length", &payload.length)?;
        if payload.critical {
            map.serialize_entry("critical", &true)?;
        }
        if payload.reserved != 0 {
            map.serialize_entry("reserved", &payload.reserved)?;
        }
        if let (Body::VendorId(data), Some(vendor)) = (payload.body, vendor) {
            map.serialize_entry("family", vendor.family)?;
            if let Some(version) = registry::vendor_id_version(data) {
                map.serialize_entry("vendor_version", &escape(&version))?;
            }
        }
        body_fields(&mut map, *major, payload)?;
        map.end()
    }
}

fn body_fields<M: SerializeMap>(map: &mut M, major: u8, payload: &Payload<'_>) -> Result<(), M::Error> {
    match &payload.body {
        Body::SecurityAssociation(sa) => security_association(map, major, sa),
        Body::KeyExchange(key_exchange) => {
            if let Some(group) = key_exchange.group {
                map.serialize_entry("dh_group", &group)?;
                map.serialize_entry("dh_group_name", &registry::group_name(group))?;
            }
            map.serialize_entry("data_length", &key_exchange.data.len())
        }
        Body::Identification(id) | Body::NatOriginalAddress(id) => identification(map, major, id),
        Body::Certificate(certificate) | Body::CertificateRequest(certificate) => {
            self::certificate(map, major, certificate)
        }
        Body::Hash(data)
        | Body::Signature(data)
        | Body::Nonce(data)
        | Body::VendorId(data)
        | Body::NatDetection(data)
        | Body::Opaque(data) => map.serialize_entry("data", &Hex(data)),
        Body::Notification(notification) => self::notification(map, major, notification),
        Body::Delete(delete) => self::delete(map, major, delete),
        Body::Configuration(configuration) => self::configuration(map, major, configuration),
        Body::Fragment(fragment) => {
            map.serialize_entry("fragment_id", &fragment.fragment_id)?;
            map.serialize_entry("fragment_number", &fragment.number)?;
            map.serialize_entry("last", &(fragment.flags & 1 == 1))?;
            map.serialize_entry("data_length", &fragment.data.len())
        }
        Body::Authentication(authentication) => {
            map.serialize_entry("auth_method", &authentication.method)?;
            map.serialize_entry("auth_method_name", &registry::auth_method_name(authentication.method))?;
            map.serialize_entry("data", &Hex(authentication.data))
        }
        Body::TrafficSelectors(selectors) => {
            map.serialize_entry("count", &selectors.count)?;
            map.serialize_entry("selectors", &List(|| selectors.selectors().map(Selector)))
        }
        Body::Encrypted(data) => map.serialize_entry("data_length", &data.len()),
        Body::EncryptedFragment(fragment) => {
            map.serialize_entry("fragment_number", &fragment.number)?;
            map.serialize_entry("total_fragments", &fragment.total)?;
            map.serialize_entry("data_length", &fragment.data.len())
        }
        Body::Eap(eap) => {
            map.serialize_entry("code", &eap.code)?;
            map.serialize_entry("identifier", &eap.identifier)?;
            map.serialize_entry("eap_type", &eap.method)?;
            map.serialize_entry("data", &Hex(eap.data))
        }
        Body::Malformed(fault) => malformed(map, fault, payload.octets),
    }
}

fn malformed<M: SerializeMap>(map: &mut M, fault: &Fault, octets: &[u8]) -> Result<(), M::Error> {
    map.serialize_entry("fault", fault)?;
    map.serialize_entry("data", &Hex(octets))
}

fn security_association<M: SerializeMap>(map: &mut M, major: u8, sa: &SecurityAssociation<'_>) -> Result<(), M::Error> {
    if let Some(doi) = sa.doi {
        map.serialize_entry("doi", &doi)?;
    }
    if let Some(situation) = sa.situation {
        map.serialize_entry("situation", &situation)?;
    }
    map.serialize_entry("proposals", &List(|| sa.proposals().map(|payload| InMessage { major, payload })))
}

impl Serialize for InMessage<Proposal<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { major, payload: proposal } = self;
        let (major, protocol_id) = (*major, proposal.protocol_id);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("number", &proposal.number)?;
        map.serialize_entry("protocol_id", &protocol_id)?;
        map.serialize_entry("protocol", &registry::protocol_name(major, protocol_id))?;
        map.serialize_entry("spi", &Hex(proposal.spi))?;
        let transforms = || proposal.transforms().map(|transform| InProposal { major, protocol_id, transform });
        map.serialize_entry("transforms", &List(transforms))?;
        map.end()
    }
}

/// A transform with what gives its numbers their meaning.
struct InProposal<'a> {
    major: u8,
    protocol_id: u8,
    transform: Transform<'a>,
}

impl Serialize for InProposal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { major, protocol_id, transform } = self;
        let mut map = serializer.serialize_map(None)?;
        if *major == 2 {
            let (transform_type, id) = (transform.transform_type, transform.transform_id);
            map.serialize_entry("type", &transform_type)?;
            map.serialize_entry("type_name", &registry::transform_type_name(transform_type))?;
            map.serialize_entry("id", &id)?;
            map.serialize_entry("name", &registry::transform_id_name(transform_type, id))?;
            let attributes = || {
                transform.attributes().map(|attribute| NamedAttribute {
                    name: registry::v2_attribute_name(attribute.attribute_type),
                    value_name: None,
                    attribute,
                })
            };
            map.serialize_entry("attributes", &List(attributes))?;
        } else {
            map.serialize_entry("number", &transform.number)?;
            map.serialize_entry("transform_id", &transform.transform_id)?;
            map.serialize_entry("name", &registry::v1_transform_id_name(*protocol_id, transform.transform_id))?;
            let attributes = || {
                transform.attributes().map(|attribute| NamedAttribute {
                    name: registry::v1_attribute_name(*protocol_id, attribute.attribute_type),
                    value_name: attribute.value.number().and_then(|number| {
                        registry::v1_attribute_value_name(*protocol_id, attribute.attribute_type, number)
                    }),
                    attribute,
                })
            };
            map.serialize_entry("attributes", &List(attributes))?;
        }
        map.end()
    }
}

/// An attribute with the words that its registry has for it.
struct NamedAttribute<'a> {
    name: Option<&'static str>,
    value_name: Option<&'static str>,
    attribute: Attribute<'a>,
}

impl Serialize for NamedAttribute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.attribute.attribute_type)?;
        map.serialize_entry("name", &self.name)?;
        match (self.attribute.value.number(), self.attribute.value) {
            (Some(number), _) => map.serialize_entry("value", &number)?,
            (None, AttributeValue::Short(number)) => map.serialize_entry("value", &number)?,
            (None, AttributeValue::Long(octets)) => map.serialize_entry("value", &Hex(octets))?,
        }
        if let Some(name) = self.value_name {
            map.serialize_entry("value_name", name)?;
        }
        map.end()
    }
}

fn identification<M: SerializeMap>(map: &mut M, major: u8, id: &Identification<'_>) -> Result<(), M::Error> {
    map.serialize_entry("id_type", &id.id_type)?;
    map.serialize_entry("id_type_name", &registry::id_type_name(major, id.id_type))?;
    if major == 1 {
        map.serialize_entry("protocol_id", &id.protocol_id)?;
        map.serialize_entry("port", &id.port)?;
    }
    map.serialize_entry("data", &Hex(id.data))?;
    map.serialize_entry("text", &words::identity(major, id.id_type, id.data))
}

fn certificate<M: SerializeMap>(map: &mut M, major: u8, certificate: &Certificate<'_>) -> Result<(), M::Error> {
    map.serialize_entry("cert_encoding", &certificate.encoding)?;
    map.serialize_entry("cert_encoding_name", &registry::cert_encoding_name(major, certificate.encoding))?;
    map.serialize_entry("data", &Hex(certificate.data))
}

fn notification<M: SerializeMap>(map: &mut M, major: u8, notification: &Notification<'_>) -> Result<(), M::Error> {
    let notify_message_type = notification.notify_message_type;
    if let Some(doi) = notification.doi {
        map.serialize_entry("doi", &doi)?;
    }
    map.serialize_entry("protocol_id", &notification.protocol_id)?;
    map.serialize_entry("spi", &Hex(notification.spi))?;
    map.serialize_entry("notify_message_type", &notify_message_type)?;
    map.serialize_entry("notify_name", &registry::notify_name(major, notify_message_type))?;
    map.serialize_entry("data", &Hex(notification.data))?;
    match words::notification(major, notify_message_type, notification.data) {
        Some(text) => map.serialize_entry("text", &text),
        None => Ok(()),
    }
}

fn delete<M: SerializeMap>(map: &mut M, major: u8, delete: &Delete<'_>) -> Result<(), M::Error> {
    if let Some(doi) = delete.doi {
        map.serialize_entry("doi", &doi)?;
    }
    map.serialize_entry("protocol_id", &delete.protocol_id)?;
    map.serialize_entry("protocol", &registry::protocol_name(major, delete.protocol_id))?;
    map.serialize_entry("spi_size", &delete.spi_size)?;
    map.serialize_entry("spis", &List(|| delete.each_spi().map(Hex)))
}

fn configuration<M: SerializeMap>(map: &mut M, major: u8, configuration: &Configuration<'_>) -> Result<(), M::Error> {
    map.serialize_entry("cfg_type", &configuration.cfg_type)?;
    map.serialize_entry("cfg_type_name", &registry::cfg_type_name(major, configuration.cfg_type))?;
    if let Some(identifier) = configuration.identifier {
        map.serialize_entry("identifier", &identifier)?;
    }
    let attributes = || configuration.attributes().map(|attribute| ConfigurationAttribute { major, attribute });
    map.serialize_entry("attributes", &List(attributes))
}

/// An attribute of a configuration payload.
struct ConfigurationAttribute<'a> {
    major: u8,
    attribute: Attribute<'a>,
}

impl Serialize for ConfigurationAttribute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attribute_type = self.attribute.attribute_type;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &attribute_type)?;
        map.serialize_entry("name", &registry::config_attribute_name(self.major, attribute_type))?;
        match self.attribute.value {
            AttributeValue::Short(number) => map.serialize_entry("value", &number)?,
            AttributeValue::Long(octets) => map.serialize_entry("value", &Hex(octets))?,
        }
        map.serialize_entry("text", &words::configuration_value(&self.attribute))?;
        map.end()
    }
}

/// A traffic selector.
struct Selector<'a>(TrafficSelector<'a>);

impl Serialize for Selector<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let selector = &self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ts_type", &selector.ts_type)?;
        map.serialize_entry("protocol_id", &selector.protocol_id)?;
        map.serialize_entry("start_port", &selector.start_port)?;
        map.serialize_entry("end_port", &selector.end_port)?;
        map.serialize_entry("start_address", &words::address(selector.start))?;
        map.serialize_entry("end_address", &words::address(selector.end))?;
        map.serialize_entry("text", &words::selector(selector))?;
        map.end()
    }
}
