//! The words that the report uses for what the layers below keep as enums: one row a word, the same in JSON and schema.

use std::borrow::Cow;

use crate::diagnose::{Confidence, Outcome, PairStatus, Severity, Where};
use crate::packet::{Encapsulation, GaveUp};
use crate::track::{ExchangeKind, FlowProtocol, IkeVersion, Label, Mode, Side};

/// Has one fixed word in the report.
pub trait Word: Copy {
    /// The word, as it stands in the JSON.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($type:ident { $($variant:ident => $word:literal,)+ })+) => { $(
        impl Word for $type {
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    )+ };
}

words! {
    Severity {
        Info => "info",
        Advisory => "advisory",
        Notice => "notice",
        Warning => "warning",
        Error => "error",
    }
    Confidence {
        Suspected => "suspected",
        Inferred => "inferred",
        Stated => "stated",
    }
    Where {
        Initiator => "initiator",
        Responder => "responder",
        Path => "path",
        Capture => "capture",
        Either => "either",
    }
    PairStatus {
        UpActive => "up-active",
        UpIdle => "up-idle",
        UpNoIke => "up-no-ike",
        DownNegotiating => "down-negotiating",
        Down => "down",
        Unknown => "unknown",
    }
    Mode {
        Main => "main",
        Aggressive => "aggressive",
        IkeV2 => "ikev2",
        Unknown => "unknown",
    }
    Side {
        Initiator => "initiator",
        Responder => "responder",
    }
    Outcome {
        Established => "established",
        Failed => "failed",
        Unfinished => "unfinished",
        Unknown => "unknown",
    }
    FlowProtocol {
        Esp => "esp",
        Ah => "ah",
    }
    Encapsulation {
        None => "none",
        Udp => "udp",
        Tcp => "tcp",
    }
    GaveUp {
        TimedOut => "timed-out",
        CaptureEnded => "capture-ended",
        Evicted => "evicted",
    }
}

impl serde::Serialize for Label {
    /// As it is printed: `MM1`, `AUTH-RSP`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The number of a version, as the report writes it: 1 or 2.
pub fn major(version: IkeVersion) -> u8 {
    match version {
        IkeVersion::V1 => 1,
        IkeVersion::V2 => 2,
    }
}

/// Name of a kind of exchange as the report writes it: `main`, `quick`, `ike-auth`, `exchange-99`.
pub fn exchange_kind(kind: ExchangeKind) -> Cow<'static, str> {
    match kind {
        ExchangeKind::MainMode => "main".into(),
        ExchangeKind::AggressiveMode => "aggressive".into(),
        ExchangeKind::QuickMode => "quick".into(),
        ExchangeKind::NewGroupMode => "new-group".into(),
        ExchangeKind::Transaction => "transaction".into(),
        ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2 => "informational".into(),
        ExchangeKind::IkeSaInit => "ike-sa-init".into(),
        ExchangeKind::IkeIntermediate => "ike-intermediate".into(),
        ExchangeKind::IkeAuth => "ike-auth".into(),
        ExchangeKind::CreateChildSa => "create-child-sa".into(),
        ExchangeKind::IkeFollowupKe => "ike-followup-ke".into(),
        ExchangeKind::IkeSessionResume => "ike-session-resume".into(),
        ExchangeKind::Other(number) => format!("exchange-{number}").into(),
    }
}

/// Status of a pair in Cisco's own spelling, for people.
pub fn cisco_status(status: PairStatus) -> &'static str {
    match status {
        PairStatus::UpActive => "Up-Active",
        PairStatus::UpIdle => "Up-IDLE",
        PairStatus::UpNoIke => "Up-No-IKE",
        PairStatus::DownNegotiating => "Down-Negotiating",
        PairStatus::Down => "Down",
        PairStatus::Unknown => "Unknown",
    }
}

/// Mode of an attempt, for people.
pub fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Main => "Main Mode",
        Mode::Aggressive => "Aggressive Mode",
        Mode::IkeV2 => "IKEv2",
        Mode::Unknown => "IKEv1, phase 1 not seen",
    }
}

/// A vendor or product as people know it.
pub(crate) fn vendor(name: &str) -> &str {
    if name == "SMG" { "Service Managed Gateway" } else { name }
}
