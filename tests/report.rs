//! What users' scripts rely on: the names in the report, checked against the schema that is published with it.

use ikescope::report::{Report, SCHEMA, SCHEMA_NAME, json, text};
use serde_json::Value;

/// Tables and keys that never go away; the schema may have more.
const PROMISED: [(&str, &str); 9] = [
    ("Report", "schema tool_version captures pairs attempts exchanges esp_flows findings"),
    ("Capture", "id path format link_types frames octets first last cut_short counts notes"),
    ("Counts", "ike esp esp_udp ah keepalive icmp_error ip_fragment malformed other"),
    ("Pair", "id a b status verdict attempts"),
    (
        "Attempt",
        "id pair version mode initiator responder initiator_spi responder_spi first_frame last_frame first last stage \
         waiting_for outcome verdict states offered chosen",
    ),
    ("Exchange", "id attempt kind message_id messages"),
    ("Message", "capture frame label from length encrypted retransmissions"),
    (
        "EspFlow",
        "pair source destination spi protocol encapsulation packets octets first_sequence last_sequence lost reordered \
         duplicates first last",
    ),
    ("Finding", "id severity confidence pair attempt frames count title seen means causes checks logs sources"),
];

/// Words that never go away.
const WORDS: [(&str, &str); 6] = [
    ("PairStatus", "up-active up-idle up-no-ike down-negotiating down unknown"),
    ("Outcome", "established failed unfinished unknown"),
    ("Severity", "error warning notice advisory info"),
    ("Confidence", "stated inferred suspected"),
    ("Where", "initiator responder path capture either"),
    ("Encapsulation", "none udp tcp"),
];

#[test]
fn promised_names_are_in_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let listed = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().filter_map(Value::as_str).map(String::from).collect()
    };
    for (name, keys) in PROMISED {
        let definition = if name == "Report" { &schema } else { &schema["$defs"][name] };
        let required = listed(&definition["required"]);
        for key in keys.split_whitespace() {
            assert!(required.iter().any(|known| known == key), "{name} has no {key}");
        }
    }
    for (name, words) in WORDS {
        let known = listed(&schema["$defs"][name]["enum"]);
        for word in words.split_whitespace() {
            assert!(known.iter().any(|known| known == word), "{name} has no {word}");
        }
    }
}

#[test]
fn a_report_of_nothing_is_a_report() {
    let report = Report::new(Vec::new(), &Default::default(), &Default::default());
    let mut out = Vec::new();
    json::write_json(&report, &mut out).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["schema"], SCHEMA_NAME);
    assert_eq!(value["window"], Value::Null);
    assert_eq!(value["pairs"], Value::Array(Vec::new()));

    let mut out = Vec::new();
    text::render(&report, &mut out, &text::Style::default()).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("no IKE, ESP or AH was seen"));
}
