//! The JSON Schema of the report: made from the model, so that neither can change without the other.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

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

/// What of `value` the schema does not allow. Knows the keywords that the generated schema uses.
fn complaints(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} leads nowhere"));
        return complaints(root, target, value, path, found);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice| {
            let mut wrong = Vec::new();
            complaints(root, choice, value, path, &mut wrong);
            wrong.is_empty()
        };
        if !choices.iter().any(fits) {
            found.push(format!("{path} fits no choice: {value}"));
        }
        return;
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let is = |kind: &&str| match *kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is not a type that this test knows"),
    };
    if !kinds.is_empty() && !kinds.iter().any(is) {
        found.push(format!("{path} is no {kinds:?}: {value}"));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        found.push(format!("{path} is none of {words:?}: {value}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        complaints(root, &schema["items"], item, &format!("{path}[{index}]"), found);
    }
    let Some(object) = value.as_object() else { return };
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(key) {
            found.push(format!("{path} lacks {key}"));
        }
    }
    for (key, value) in object {
        match schema["properties"].get(key) {
            Some(schema) => complaints(root, schema, value, &format!("{path}.{key}"), found),
            // A fault carries the numbers of its kind.
            None if path.ends_with(".fault") => {}
            None => found.push(format!("{path} has {key}, which the schema does not know")),
        }
    }
}

#[test]
fn a_report_of_everything_follows_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let report = serde_json::to_value(super::sample::mixed().report()).unwrap();
    for table in ["captures", "pairs", "attempts", "exchanges", "esp_flows", "icmp_errors", "incomplete", "malformed"] {
        assert_ne!(report[table].as_array().map(Vec::len), Some(0), "the sample has no {table}");
    }
    let mut found = Vec::new();
    complaints(&schema, &schema, &report, "report", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(report["malformed"][0]["fault"]["claims"], 400);
}
