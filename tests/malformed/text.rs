//! R8, R9, R30: text of others, and what it may do to the screen, the file or the program that reads it. Which is nothing.
//!
//! Every place in a packet that can hold text is filled with every kind of text that is meant to do harm, and every form of
//! every answer is looked at. The rule for octets that are no text is the one that `base::escape` states; here it is
//! turned back, and what comes out has to be what went in.

use serde_json::Value;

use crate::files::{Folder, ikescope};
use crate::made::Made;
use crate::shown::*;
use crate::support::packet;
use crate::support::{Header, Payload, v1, v2};
use crate::tape::*;

pub const MADE: &[Made] = &[
    Made {
        name: "r08-identities.pcap",
        shows: "identities too short for their type, with NUL, with escapes, and long ones",
        make: identities,
    },
    Made {
        name: "r09-vendor-ids.pcap",
        shows: "vendor ids of every length below a known one, behind it, and of controls",
        make: vendor_ids,
    },
    Made {
        name: "r30-injection.pcap",
        shows: "terminal sequences, bidirectional controls, markup and formulas wherever text can stand",
        make: injection,
    },
];

/// Aggressive Mode message 1 of case `n` with this ID payload.
fn aggressive(n: u8, identity: Payload) -> Vec<u8> {
    Header { exchange_type: v1::exchange::AGGRESSIVE, ..v1_header(n) }.message(&[
        v1_sa(),
        v1::key_exchange(14, 1),
        v1::nonce(32, 2),
        identity,
    ])
}

fn identities() -> Vec<u8> {
    let mut tape = Tape::new();
    // ID payloads of four to seven octets: type, protocol and port are not all there.
    for octets in 0..=3 {
        tape = tape.says(1 + octets, &aggressive(1 + octets, Payload::new(5, vec![1; usize::from(octets)])));
    }
    // Addresses, subnets and ranges of another length than their type has.
    let sizes: [(u8, usize); 12] =
        [(1, 3), (1, 5), (4, 7), (4, 9), (5, 15), (5, 17), (6, 20), (6, 31), (7, 4), (8, 33), (1, 4), (6, 32)];
    for (n, (id_type, length)) in (10..).zip(sizes) {
        tape = tape.says(n, &aggressive(n, v1::identification(id_type, &vec![0xff; length])));
    }
    // Names: none, NUL within, escapes, octets that are not UTF-8, 4,000 of them.
    for (n, data) in (40..).zip([&b""[..], b"gw\0.example", b"\x1b]0;gw\x07\x9b2J", b"\xff\xfe\xc3(", &[b'a'; 4000]]) {
        tape = tape.says(n, &aggressive(n, v1::identification(2, data)));
    }
    tape.pcap()
}

#[test]
fn r08_identities_are_words_where_they_can_be_and_octets_always() {
    let rows = messages("r08-identities.pcap");
    let texts: Vec<Option<&str>> = rows.iter().map(|row| row["payloads"][3]["text"].as_str()).collect();
    let long = "a".repeat(4000);
    let mut expected: Vec<Option<&str>> = vec![None; 14];
    expected.extend([Some("255.255.255.255"), Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")]);
    expected.extend([
        Some(""),
        Some("gw\\x00.example"),
        Some("\\x1b]0;gw\\x07\\x9b2J"),
        Some("\\xff\\xfe\\xc3("),
        Some(long.as_str()),
    ]);
    assert_eq!(texts, expected);
    let short = faults(&rows)[..4].to_vec();
    let expected = [
        "1: ID type at 384: truncated need 1 have 0",
        "2: protocol ID at 385: truncated need 1 have 0",
        "3: port at 386: truncated need 2 have 0",
        "4: port at 386: truncated need 2 have 1",
    ];
    assert_eq!(short, expected);
    assert!(rows[4..].iter().all(|row| row["fault"].is_null() && row["payloads"][3]["data"].is_string()));
    assert_eq!(counts(&report("r08-identities.pcap")), "ike 21");
}

/// 64,000 octets of name: shown in full where octets are asked for, in short where words are.
#[test]
fn r08_the_longest_name_fills_no_screen() {
    let capture = Tape::new().says(1, &aggressive(1, v1::identification(2, &[0x1b; 64_000]))).pcap();
    let rows = messages_of(&capture);
    assert_eq!(rows[0]["payloads"][3]["data"].as_str().map(str::len), Some(128_000));
    assert_eq!(rows[0]["payloads"][3]["text"].as_str().map(str::len), Some(4 * 64_000));
    for arguments in [&["messages"][..], &[]] {
        let run = run(arguments, &capture);
        assert_eq!(run.status, 0);
        assert!(run.stdout.len() < 8_000, "{arguments:?}: {} octets", run.stdout.len());
    }
}

/// Dead Peer Detection, which two octets of version follow (RFC 3706 §5.1).
const DPD: [u8; 14] = [0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57];

fn vendor_ids() -> Vec<u8> {
    let mut payloads = vec![v1_sa()];
    payloads.extend((0..=DPD.len()).map(|length| v1::vendor_id(&DPD[..length])));
    payloads.push(v1::vendor_id(&[&DPD[..], &[0x1b, 0x9b]].concat()));
    payloads.push(v1::vendor_id(&[&DPD[..], &[1, 0], &[0x1b; 200]].concat()));
    payloads.push(v1::vendor_id(b"\x1b[31mstrongSwan\x07\n\0"));
    payloads.push(v1::vendor_id(&[0xff; 2000]));
    Tape::new().says(1, &v1_header(1).message(&payloads)).pcap()
}

#[test]
fn r09_a_vendor_id_is_known_by_all_of_its_octets() {
    let rows = messages("r09-vendor-ids.pcap");
    let payloads = &list(&rows[0]["payloads"])[1..];
    assert!(rows[0]["fault"].is_null());
    // Every part of it is a payload of its own and no Dead Peer Detection: without its version it is none either.
    let names: Vec<&str> = payloads.iter().filter_map(|payload| payload["name"].as_str()).collect();
    assert!(names[..=DPD.len()].iter().all(|name| *name == "Vendor ID"), "{names:?}");
    let behind = ["Dead Peer Detection 27.155", "Dead Peer Detection v1.0", "Vendor ID", "Vendor ID"];
    assert_eq!(names[DPD.len() + 1..], behind);
    assert_eq!(payloads[DPD.len() + 3]["data"], hex::encode(b"\x1b[31mstrongSwan\x07\n\0"));
    assert_eq!(payloads[DPD.len() + 4]["data"].as_str().map(str::len), Some(4000));
    let report = report("r09-vendor-ids.pcap");
    assert_eq!(counts(&report), "ike 1");
    expect_harmless("report", &serde_json::to_vec(&report).expect("JSON"));
}

/// Text that is meant to do harm, or to be mistaken for something else.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let characters = |range: std::ops::RangeInclusive<char>| range.collect::<String>().into_bytes();
    vec![
        ("controls", (0..0x20).chain([0x7f]).collect()),
        ("C1 octets", (0x80..=0x9f).collect()),
        ("C1 characters", characters('\u{80}'..='\u{9f}')),
        ("colours and title", b"\x1b[31mred\x1b[0m\x1b]0;owned\x07\x1b[2J\x1b[H".to_vec()),
        ("8-bit CSI", b"\x9b31m\x9d0;owned\x9c".to_vec()),
        ("lines", b"gw\r\nframe 99  MM6 established\x0b\x0c\xe2\x80\xa8x\xe2\x80\xa9".to_vec()),
        ("direction", characters('\u{202a}'..='\u{202e}')),
        ("isolates", characters('\u{2066}'..='\u{2069}')),
        ("zero width", "a\u{200b}\u{200d}\u{feff}\u{ad}\u{2060}b\u{61c}\u{180e}\u{3164}\u{fe0f}".into()),
        ("tags", "\u{e0041}\u{e007f}\u{e0100}".into()),
        ("NUL", b"gw\0.example.org".to_vec()),
        ("no UTF-8", b"\xff\xfe\xc3(\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80".to_vec()),
        ("markup", b"<script>alert(1)</script>&lt;\"'".to_vec()),
        ("formula", b"=cmd|' /C calc'!A0,\t+1,-1,@x".to_vec()),
        ("JSON", b"\",\"verdict\":\"OK-UP\",\"x\":\"\\u0000".to_vec()),
        ("escapes", b"\\x1b\\\\n\\u{202e}".to_vec()),
    ]
}

/// A distinguished name with this as its common name and as an organisation in UTF-16.
fn distinguished(text: &[u8]) -> Vec<u8> {
    let tlv = |tag: u8, inside: &[u8]| [&[tag, 0x82][..], &(inside.len() as u16).to_be_bytes(), inside].concat();
    let attribute = |object: u8, tag: u8, text: &[u8]| {
        tlv(0x31, &tlv(0x30, &[tlv(6, &[0x55, 4, object]), tlv(tag, text)].concat()))
    };
    let wide: Vec<u8> = String::from_utf8_lossy(text).encode_utf16().flat_map(u16::to_be_bytes).collect();
    tlv(0x30, &[attribute(3, 0x0c, text), attribute(10, 0x1e, &wide)].concat())
}

/// Every message in clear that can hold text, with `text` in all of its places.
fn everywhere(text: &[u8]) -> Vec<Vec<u8>> {
    let v1_of = |exchange_type: u8, payloads: &[Payload]| {
        Header { exchange_type, responder_spi: 0x99, message_id: 0, ..v1_header(1) }.message(payloads)
    };
    let v2_of = |exchange_type: u8, payloads: &[Payload]| {
        Header { exchange_type, responder_spi: 0x66, message_id: 1, ..v2_header(1) }.message(payloads)
    };
    let long = |kind: u16| crate::support::wire::Attribute::Tlv(kind, text.to_vec());
    let redirect = [&[3, text.len() as u8][..], text].concat();
    let mut messages: Vec<Vec<u8>> = [2, 3, 11]
        .map(|id_type| aggressive(1, v1::identification(id_type, text)))
        .into_iter()
        .chain([aggressive(1, v1::identification(9, &distinguished(text)))])
        .collect();
    messages.extend([
        v1_header(1).message(&[v1_sa(), v1::vendor_id(text), v1::vendor_id(&[&DPD[..], text].concat())]),
        // What a known vendor id has behind it may be a version in words.
        v1_header(1).message(&[v1_sa(), v1::vendor_id(&[&b"strongSwan "[..], text].concat())]),
        v1_of(5, &[v1::notify_about(1, text, v1::NO_PROPOSAL_CHOSEN, text)]),
        v1_of(5, &[v1::notify_about(1, &[], v1::PAYLOAD_MALFORMED, text)]),
        v1_of(6, &[v1::attributes(1, 1, &[long(16_521), long(16_522), long(16_523), long(7), long(1), long(28_672)])]),
        v1_of(2, &[Payload::new(6, [&[4], text].concat()), Payload::new(7, [&[4], text].concat())]),
        v1_of(
            2,
            &[Payload::new(13, text.to_vec()), Payload::new(200, text.to_vec()), Payload::new(132, text.to_vec())],
        ),
        v2_of(34, &[v2::notify(v2::REDIRECT, &redirect), v2::notify(v2::COOKIE, text), v2::vendor_id(text)]),
        v2_of(35, &[v2::id_initiator(2, text), v2::id_responder(11, text), v2::id_initiator(9, &distinguished(text))]),
        v2_of(35, &[v2::id_responder(12, text), v2::id_responder(201, text)]),
        v2_of(35, &[v2::configuration(2, &[(7, text.to_vec()), (25, text.to_vec()), (28_672, text.to_vec())])]),
        v2_of(
            35,
            &[
                Payload::new(48, [&[1, 1, 0, 5 + text.len() as u8, 1], text].concat()),
                Payload::new(37, [&[4], text].concat()),
            ],
        ),
    ]);
    messages
}

/// All of these messages, and a name that does not resolve.
fn stage(text: &[u8]) -> crate::support::Capture {
    let mut tape = Tape::new();
    for message in everywhere(text) {
        tape = tape.says(1, &message);
    }
    // A gateway that asks in vain for a name and then says nothing.
    let label: Vec<u8> = text.iter().copied().take(63).collect();
    let mut dns = vec![0, 1, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0, label.len() as u8];
    dns.extend(&label);
    dns.extend([0, 0, 1, 0, 1]);
    let resolver = "192.0.2.53:53".parse().expect("an address");
    let gateway = std::net::SocketAddr::new(peer(2), 40_000);
    for _ in 0..3 {
        tape = tape.between(resolver, gateway, &dns);
    }
    // So that the gateway is one: ESP that it sends, without IKE.
    for sequence in 1..4 {
        tape = tape.ip(peer(2), RESPONDER, packet::ESP, &packet::esp(0xc000_0002, sequence, &[0xa5; 60]));
    }
    tape.capture()
}

fn injection() -> Vec<u8> {
    let mut all = crate::support::Capture::new();
    for (at, (_, text)) in hostile().into_iter().enumerate() {
        let capture = stage(&text).shift_time(60 * at as i64);
        all = all.merge(&capture);
    }
    all.pcap()
}

/// What no answer may hold: anything that moves the cursor, changes colours, turns or hides what stands beside it.
fn harmful(text: &str) -> Option<char> {
    text.chars().find(|&character| {
        (character.is_control() && character != '\n')
            || matches!(character,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    })
}

fn expect_harmless(what: &str, octets: &[u8]) {
    let text = std::str::from_utf8(octets).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    if let Some(character) = harmful(text) {
        let line = text.lines().find(|line| harmful(line).is_some()).unwrap_or_default();
        panic!("{what}: {character:?} in {line:?}");
    }
}

/// The same answer without the program's own colours: `ESC [ digits and semicolons m`, and nothing else.
fn without_colours(octets: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&octet, behind)) = rest.split_first() {
        if let Some(sequence) = rest.strip_prefix(b"\x1b[") {
            let end = sequence.iter().position(|octet| !octet.is_ascii_digit() && *octet != b';');
            if let Some(end) = end.filter(|&end| sequence[end] == b'm') {
                rest = &sequence[end + 1..];
                continue;
            }
        }
        plain.push(octet);
        rest = behind;
    }
    plain
}

/// Every form of every answer about captures.
const FORMS: [&[&str]; 10] = [
    &["--color", "never"],
    &["--color", "always"],
    &["--format", "json"],
    &["--format", "ndjson"],
    &["messages", "--color", "never"],
    &["messages", "--color", "always"],
    &["messages", "-v", "--color", "never"],
    &["messages", "-v", "--color", "always"],
    &["messages", "--format", "json"],
    &["messages", "--format", "ndjson"],
];

fn expect_every_form_harmless(what: &str, path: &str) {
    for form in FORMS {
        let run = ikescope(&[form, &[path]].concat());
        let what = format!("{what}, {form:?}");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{what}");
        if form.contains(&"always") {
            expect_harmless(&what, &without_colours(&run.stdout));
            assert!(run.stdout.contains(&0x1b), "{what}: no colours");
        } else {
            expect_harmless(&what, &run.stdout);
        }
        if form.contains(&"json") {
            serde_json::from_slice::<Value>(&run.stdout).unwrap_or_else(|fault| panic!("{what}: {fault}"));
        }
        if form.contains(&"ndjson") {
            for line in run.stdout.split(|&octet| octet == b'\n').filter(|line| !line.is_empty()) {
                serde_json::from_slice::<Value>(line).unwrap_or_else(|fault| panic!("{what}: {fault}"));
            }
        }
    }
}

#[test]
fn r30_no_text_in_a_packet_reaches_an_answer_as_it_is() {
    let folder = Folder::new("packets");
    for (name, text) in hostile() {
        let path = folder.write("capture.pcap", &stage(&text).pcap());
        expect_every_form_harmless(name, &path);
    }
    let path = crate::shown::folder().join("r30-injection.pcap");
    expect_every_form_harmless("all at once", path.to_str().expect("a plain path"));
}

/// As many lines, rows and findings as with a harmless name of the same kind: nothing is made up by what a name says.
#[test]
fn r30_text_in_a_packet_adds_no_line_and_no_row() {
    let harmless = stage(b"gw").pcap();
    for (name, text) in hostile() {
        let capture = stage(&text).pcap();
        for form in [&["messages"][..], &["messages", "--format", "ndjson"]] {
            let lines = |capture: &[u8]| run(form, capture).stdout.iter().filter(|&&octet| octet == b'\n').count();
            assert_eq!(lines(&capture), lines(&harmless), "{name}, {form:?}");
        }
        let ids = |report: &Value| findings(report).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let found = ids(&report_of(&capture));
        assert!(found.iter().any(|id| id == "C-DNS-FAIL"), "{name}: the name that failed is shown: {found:?}");
    }
}

/// The octets that an escaped text stands for, by the rule in `docs/architecture.md`.
fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let Some(escape) = rest.strip_prefix('\\') else {
            octets.extend(first.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[first.len_utf8()..];
            continue;
        };
        rest = if let Some(behind) = escape.strip_prefix('\\') {
            octets.push(b'\\');
            behind
        } else if let Some(digits) = escape.strip_prefix('x') {
            octets.push(u8::from_str_radix(&digits[..2], 16).expect("two digits"));
            &digits[2..]
        } else {
            let (digits, behind) = escape.strip_prefix("u{").and_then(|rest| rest.split_once('}')).expect("\\u{…}");
            let character = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).expect("a character");
            octets.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            behind
        };
    }
    octets
}

#[test]
fn r30_every_octet_can_be_had_back_from_the_json() {
    for (name, text) in hostile() {
        let rows = messages_of(&stage(&text).pcap());
        // Host name and mail address: the words, and the octets beside them.
        for row in [0, 1] {
            let payload = &rows[row]["payloads"][3];
            assert_eq!(unescape(payload["text"].as_str().expect("words")), text, "{name}");
            assert_eq!(payload["data"], hex::encode(&text), "{name}");
        }
        // Key id, vendor id, notification, attribute, certificate: always the octets.
        assert_eq!(rows[2]["payloads"][3]["data"], hex::encode(&text), "{name}");
        assert_eq!(rows[4]["payloads"][1]["data"], hex::encode(&text), "{name}");
        assert_eq!(rows[6]["payloads"][0]["data"], hex::encode(&text), "{name}");
        assert_eq!(rows[8]["payloads"][0]["attributes"][0]["value"], hex::encode(&text), "{name}");
        assert_eq!(rows[9]["payloads"][0]["data"], hex::encode(&text), "{name}");
        assert_eq!(rows[11]["payloads"][1]["data"], hex::encode(&text), "{name}");
    }
}

/// Names of files and folders: any octets but a slash and NUL.
#[cfg(unix)]
mod names {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    use super::*;
    use crate::shown::Run;

    fn possible(text: &[u8]) -> Vec<u8> {
        text.iter().copied().filter(|octet| !matches!(octet, 0 | b'/')).collect()
    }

    fn run_on(arguments: &[&str], last: &OsStr) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ikescope"));
        let output = command.args(arguments).arg(last).stdin(std::process::Stdio::null()).output().expect("it runs");
        let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
        Run { status: output.status.code().expect("no signal"), stdout: output.stdout, stderr }
    }

    #[test]
    fn r30_no_file_name_reaches_an_answer_as_it_is() {
        let folder = Folder::new("names");
        for (name, text) in hostile() {
            let text = possible(&text);
            let inside = folder.0.join(OsStr::from_bytes(&[b"d-", &text[..]].concat()));
            std::fs::create_dir_all(&inside).expect("a folder");
            let path = inside.join(OsStr::from_bytes(&[&text[..], b".pcap"].concat()));
            std::fs::write(&path, Tape::new().says(1, &v2_init(1)).pcap()).expect("a file");
            for form in FORMS {
                for given in [&path, &inside] {
                    let run = run_on(form, given.as_os_str());
                    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{name}, {form:?}");
                    expect_harmless(name, &without_colours(&run.stdout));
                }
            }
            // The octets of the path can be had back.
            let report: Value =
                serde_json::from_slice(&run_on(&["--format", "json"], path.as_os_str()).stdout).expect("JSON");
            let shown = report["captures"][0]["path"].as_str().expect("a path");
            assert_eq!(unescape(shown), path.as_os_str().as_bytes(), "{name}");
        }
    }

    /// Everything that is said of a run, on standard error, is one line and says where and why.
    #[test]
    fn r30_no_file_name_and_no_argument_reaches_an_error_as_it_is() {
        let folder = Folder::new("errors");
        for (name, text) in hostile() {
            let text = possible(&text);
            let path = folder.0.join(OsStr::from_bytes(&[&text[..], b".pcap"].concat()));
            let one_line = |run: Run, what: &str| {
                assert_eq!(run.status, 2, "{name}, {what}: {}", run.stderr);
                expect_harmless(&format!("{name}, {what}"), run.stderr.as_bytes());
                assert_eq!(run.stderr.lines().count(), 1, "{name}, {what}: {}", run.stderr);
                run.stderr
            };
            let missing = one_line(run_on(&[], path.as_os_str()), "no such file");
            let shown = missing.strip_prefix("ikescope: ").and_then(|line| line.split_once(": no such file"));
            let shown = shown.expect("path and reason").0;
            assert_eq!(unescape(shown), path.as_os_str().as_bytes(), "{name}: escaped once");
            std::fs::write(&path, b"no capture").expect("a file");
            one_line(run_on(&["messages"], path.as_os_str()), "not a capture");
            let cut = crate::support::Capture::new().pcap()[..20].to_vec();
            std::fs::write(&path, cut).expect("a file");
            one_line(run_on(&[], path.as_os_str()), "cut");
            let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/lab/v1-main-psk-healthy.pcap");
            let nowhere = path.join("none");
            one_line(run_on(&[lab, "--output"], nowhere.as_os_str()), "output");
            std::fs::remove_file(&path).expect("it was there");
        }
    }

    /// What is wrong with arguments is said in several lines, none of which the argument has made.
    #[test]
    fn r30_no_argument_reaches_a_refusal_as_it_is() {
        let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/lab/v1-main-psk-healthy.pcap");
        let before: [&[&str]; 9] = [
            &["explain"],
            &["explain", "--format", "json"],
            &["explain", "--format", "markdown"],
            &[lab, "--format"],
            &[lab, "--pair"],
            &[lab, "--from"],
            &["messages", lab, "--frame"],
            &["man"],
            &["completions"],
        ];
        for (name, text) in hostile() {
            let text = possible(&text);
            for arguments in before {
                let run = run_on(arguments, OsStr::from_bytes(&text));
                let what = format!("{name}, {arguments:?}");
                assert!(matches!(run.status, 0 | 2), "{what}");
                expect_harmless(&what, &run.stdout);
                expect_harmless(&what, run.stderr.as_bytes());
            }
            let option = [b"--", &text[..]].concat();
            let run = run_on(&[lab], OsStr::from_bytes(&option));
            assert_eq!(run.status, 2, "{name}");
            expect_harmless(name, run.stderr.as_bytes());
        }
    }
}

/// pcapng files name interfaces, hardware and authors, and carry comments.
#[test]
fn r30_names_and_comments_of_a_pcapng_file_do_not_leave_it() {
    let folder = Folder::new("pcapng");
    for (name, text) in hostile() {
        let path = folder.write("capture.pcapng", &crate::captures::commented(&text));
        expect_every_form_harmless(name, &path);
    }
}
