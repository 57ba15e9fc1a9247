//! The first lie in a message: which field, at which octet, what it claimed, what room there was.

use std::fmt;

/// Why decoding of a message or packet stopped where it did. No text, no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The field that could not be believed, in the RFC's words: `"payload length"`, `"SPI size"`.
    pub field: &'static str,
    /// Octet at which that field stands, counted from the start of the message.
    pub at: u32,
    /// What was wrong with it.
    pub kind: FaultKind,
}

impl Fault {
    /// Too little of the message was captured to tell: no fault of its sender.
    pub fn is_cut(&self) -> bool {
        matches!(self.kind, FaultKind::NotCaptured { .. })
    }
}

/// The ways in which a field can be wrong. All numbers are octets unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The field needs `need` octets and only `have` are left.
    Truncated {
        /// Octets the field needs.
        need: u32,
        /// Octets that are there.
        have: u32,
    },
    /// The field claims `claims` octets where only `room` remain.
    Overrun {
        /// Octets claimed.
        claims: u32,
        /// Octets that remain.
        room: u32,
    },
    /// The field claims less than its own fixed part.
    TooShort {
        /// Octets claimed.
        claims: u32,
        /// The least that is possible.
        least: u32,
    },
    /// The field holds a value that cannot stand there.
    Unexpected {
        /// The value found.
        value: u32,
    },
    /// There are more of these than a decoder is willing to follow.
    TooMany {
        /// How many are followed.
        limit: u32,
    },
    /// Octets are left over behind the last field.
    Trailing {
        /// How many.
        octets: u32,
    },
    /// The frame was recorded short (snap length): `missing` octets were on the wire and not in the capture.
    NotCaptured {
        /// Octets missing at the end.
        missing: u32,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, at, kind } = self;
        match kind {
            FaultKind::Truncated { need, have } => {
                write!(f, "{field} at octet {at} needs {need} octets, {have} are left")
            }
            FaultKind::Overrun { claims, room } => {
                write!(f, "{field} at octet {at} claims {claims} octets, {room} are left")
            }
            FaultKind::TooShort { claims, least } => {
                write!(f, "{field} at octet {at} claims {claims} octets, at least {least} are needed")
            }
            FaultKind::Unexpected { value } => write!(f, "{field} at octet {at} has the impossible value {value}"),
            FaultKind::TooMany { limit } => write!(f, "more than {limit} of {field} by octet {at}"),
            FaultKind::Trailing { octets } => write!(f, "{octets} octets left over after {field}, from octet {at}"),
            FaultKind::NotCaptured { missing } => {
                write!(f, "{field} at octet {at} was not captured: the last {missing} octets of the frame are missing")
            }
        }
    }
}

impl serde::Serialize for Fault {
    /// `{field, at, kind, …numbers, text}`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", self.field)?;
        map.serialize_entry("at", &self.at)?;
        match self.kind {
            FaultKind::Truncated { need, have } => {
                map.serialize_entry("kind", "truncated")?;
                map.serialize_entry("need", &need)?;
                map.serialize_entry("have", &have)?;
            }
            FaultKind::Overrun { claims, room } => {
                map.serialize_entry("kind", "overrun")?;
                map.serialize_entry("claims", &claims)?;
                map.serialize_entry("room", &room)?;
            }
            FaultKind::TooShort { claims, least } => {
                map.serialize_entry("kind", "too_short")?;
                map.serialize_entry("claims", &claims)?;
                map.serialize_entry("least", &least)?;
            }
            FaultKind::Unexpected { value } => {
                map.serialize_entry("kind", "unexpected")?;
                map.serialize_entry("value", &value)?;
            }
            FaultKind::TooMany { limit } => {
                map.serialize_entry("kind", "too_many")?;
                map.serialize_entry("limit", &limit)?;
            }
            FaultKind::Trailing { octets } => {
                map.serialize_entry("kind", "trailing")?;
                map.serialize_entry("octets", &octets)?;
            }
            FaultKind::NotCaptured { missing } => {
                map.serialize_entry("kind", "not_captured")?;
                map.serialize_entry("missing", &missing)?;
            }
        }
        map.serialize_entry("text", &self.to_string())?;
        map.end()
    }
}
