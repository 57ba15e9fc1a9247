//! Code points: number, name and reference of everything the registries name.
//!
//! Lookups answer `None` for a number without a name: the number itself is what is printed then. IKEv1 names
//! keep RFC 2407/2408/2409's spelling (`NO-PROPOSAL-CHOSEN`), IKEv2 names RFC 7296's (`NO_PROPOSAL_CHOSEN`).

/// Name of an exchange type: `"Identity Protection"` (v1 2), `"IKE_SA_INIT"` (v2 34).
pub fn exchange_name(major: u8, exchange_type: u8) -> Option<&'static str> {
    let _ = (major, exchange_type);
    todo!()
}

/// Name of a payload type, in full: `"Security Association"`, `"Encrypted and Authenticated Fragment"`.
pub fn payload_name(major: u8, payload_type: u8) -> Option<&'static str> {
    let _ = (major, payload_type);
    todo!()
}

/// Short notation of a payload type as the RFCs write it in diagrams: `"SA"`, `"KE"`, `"NAT-D"`, `"SKF"`.
pub fn payload_notation(major: u8, payload_type: u8) -> Option<&'static str> {
    let _ = (major, payload_type);
    todo!()
}

/// Name of a notify message type.
pub fn notify_name(major: u8, notify_message_type: u16) -> Option<&'static str> {
    let _ = (major, notify_message_type);
    todo!()
}

/// Whether a notify message type stands for an error rather than a status.
pub fn notify_is_error(major: u8, notify_message_type: u16) -> bool {
    let _ = (major, notify_message_type);
    todo!()
}

/// Name of a protocol id: `"ISAKMP"`/`"IKE"`, `"AH"`, `"ESP"`, `"IPCOMP"`.
pub fn protocol_name(major: u8, protocol_id: u8) -> Option<&'static str> {
    let _ = (major, protocol_id);
    todo!()
}

/// Name of an identification type: `"ID_IPV4_ADDR"`.
pub fn id_type_name(major: u8, id_type: u8) -> Option<&'static str> {
    let _ = (major, id_type);
    todo!()
}

/// Name of a certificate encoding.
pub fn cert_encoding_name(major: u8, encoding: u8) -> Option<&'static str> {
    let _ = (major, encoding);
    todo!()
}

/// Name of a v2 transform type, short: `"ENCR"`, `"PRF"`, `"INTEG"`, `"KE"`, `"SN"`, `"ADDKE1"`.
pub fn transform_type_name(transform_type: u8) -> Option<&'static str> {
    let _ = transform_type;
    todo!()
}

/// Name of a v2 transform id within its type: `(1, 12)` is `"ENCR_AES_CBC"`.
pub fn transform_id_name(transform_type: u8, transform_id: u16) -> Option<&'static str> {
    let _ = (transform_type, transform_id);
    todo!()
}

/// Name of a v1 transform id within its protocol: `(3, 12)` is `"ESP_AES-CBC"`.
pub fn v1_transform_id_name(protocol_id: u8, transform_id: u16) -> Option<&'static str> {
    let _ = (protocol_id, transform_id);
    todo!()
}

/// Name of a v1 attribute type; `protocol_id` 1 means phase 1 attributes, any other the IPsec DOI's.
pub fn v1_attribute_name(protocol_id: u8, attribute_type: u16) -> Option<&'static str> {
    let _ = (protocol_id, attribute_type);
    todo!()
}

/// Name of a v1 attribute's value: `(1, 1, 7)` is `"AES-CBC"`.
pub fn v1_attribute_value_name(protocol_id: u8, attribute_type: u16, value: u64) -> Option<&'static str> {
    let _ = (protocol_id, attribute_type, value);
    todo!()
}

/// Name of a v2 transform attribute type: 14 is `"Key Length"`.
pub fn v2_attribute_name(attribute_type: u16) -> Option<&'static str> {
    let _ = attribute_type;
    todo!()
}

/// Name of a v2 authentication method.
pub fn auth_method_name(method: u8) -> Option<&'static str> {
    let _ = method;
    todo!()
}

/// Name of a configuration attribute (v1 Mode Config and XAUTH, v2 CP).
pub fn config_attribute_name(major: u8, attribute_type: u16) -> Option<&'static str> {
    let _ = (major, attribute_type);
    todo!()
}

/// Name of a configuration type: v1 `"ISAKMP_CFG_REQUEST"`, v2 `"CFG_REQUEST"`.
pub fn cfg_type_name(major: u8, cfg_type: u8) -> Option<&'static str> {
    let _ = (major, cfg_type);
    todo!()
}

/// Short, common name of a Diffie-Hellman group or key exchange method, the same for both versions:
/// 14 is `"MODP-2048"`, 19 is `"ECP-256"`, 31 is `"Curve25519"`.
pub fn group_name(group: u16) -> Option<&'static str> {
    let _ = group;
    todo!()
}

/// Octets of the public value of a group (KE data), where the group fixes it.
pub fn group_public_len(group: u16) -> Option<u16> {
    let _ = group;
    todo!()
}

/// What a vendor id payload tells, from the table of known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorId {
    /// Who or what, for people: `"Dead Peer Detection v1.0"`, `"strongSwan"`.
    pub name: &'static str,
    /// Family, for rules: `"cisco"`, `"nat-t"`, `"dpd"`, `"fragmentation"`, …
    pub family: &'static str,
}

/// Looks a vendor id up: the longest known pattern that fits `data`, or `None`.
pub fn vendor_id(data: &[u8]) -> Option<VendorId> {
    let _ = data;
    todo!()
}

/// The version that a vendor id carries behind its fixed part, in words, if it is one of those that do.
pub fn vendor_id_version(data: &[u8]) -> Option<String> {
    let _ = data;
    todo!()
}
