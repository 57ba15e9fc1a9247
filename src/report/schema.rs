//! The JSON Schema of the report: made from the model, so that neither can change without the other.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::base::{EspSpi, Fault, FrameRef, IkeSpi, MessageId, Timestamp};
use crate::track::Label;

use super::{Report, SCHEMA};

macro_rules! schemas {
    ($($type:ident => $schema:tt)+) => { $(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+ };
}

schemas! {
    Timestamp => {
        "type": "string",
        "format": "date-time",
        "description": "RFC 3339 in UTC with nanoseconds."
    }
    IkeSpi => { "type": "string", "pattern": "^[0-9a-f]{16}$", "description": "IKE SPI, 16 hex digits." }
    EspSpi => { "type": "string", "pattern": "^[0-9a-f]{8}$", "description": "ESP or AH SPI, 8 hex digits." }
    MessageId => { "type": "string", "pattern": "^[0-9a-f]{8}$", "description": "Message id, 8 hex digits." }
    Label => {
        "type": "string",
        "description": "Place of a message in its exchange: MM1 to MM6, AM1 to AM3, QM1 to QM3, TRn, NGMn, INF, STRAY, \
                        SA_INIT-REQ, SA_INIT-RSP, AUTH-REQ, AUTH-RSP, …"
    }
    FrameRef => {
        "type": "object",
        "description": "A frame: id of its capture, and its number there, from 1.",
        "properties": {
            "capture": { "type": "integer", "minimum": 0 },
            "frame": { "type": "integer", "minimum": 1 }
        },
        "required": ["capture", "frame"]
    }
    Fault => {
        "type": "object",
        "description": "The first lie in a message: which field, at which octet of it, and what was wrong.",
        "properties": {
            "field": { "type": "string" },
            "at": { "type": "integer", "minimum": 0 },
            "kind": {
                "type": "string",
                "enum": ["truncated", "overrun", "too_short", "unexpected", "too_many", "trailing", "not_captured"]
            },
            "text": { "type": "string" }
        },
        "required": ["field", "at", "kind", "text"]
    }
}

fn generated() -> String {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>();
    schema.insert("title".into(), super::SCHEMA_NAME.into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap();
    text.push('\n');
    text
}

#[test]
fn the_published_schema_is_that_of_the_model() {
    if std::env::var_os("IKESCOPE_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json"), generated()).unwrap();
        return;
    }
    assert!(SCHEMA == generated(), "docs/report.schema.json is out of date: run the tests once with IKESCOPE_BLESS=1");
}
