//! Single messages in every view, from octets laid out as the RFCs draw them.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::Path;

use ikescope::base::{FrameRef, Timestamp};
use ikescope::capture::Captures;
use ikescope::messages::{Row, Writer};
use ikescope::packet::{Body, Datagram, Encapsulation, IsakmpDatagram};
use ikescope::pipeline::{self, Extent, Options, Watch};
use ikescope::track::{Label, Observed, Side};
use serde_json::{Value, json};

const SPI_I: [u8; 8] = [0x11; 8];
const SPI_R: [u8; 8] = [0x22; 8];

/// A message: fixed header and payloads, each given as its type and its octets behind the generic header.
fn message(version: u8, exchange_type: u8, flags: u8, payloads: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (index, (_, octets)) in payloads.iter().enumerate() {
        let next = payloads.get(index + 1).map_or(0, |(next, _)| *next);
        body.extend([next, 0]);
        body.extend(u16::try_from(octets.len() + 4).unwrap().to_be_bytes());
        body.extend(octets);
    }
    let mut out = [SPI_I, SPI_R].concat();
    out.extend([payloads.first().map_or(0, |(first, _)| *first), version << 4, exchange_type, flags]);
    // phase 1 and IKE_SA_INIT have none (RFC 2408 §3.1, RFC 7296 §2.2)
    out.extend([0, 0, 0, if matches!((version, exchange_type), (1, 2 | 4) | (2, 34)) { 0 } else { 7 }]);
    out.extend(u32::try_from(28 + body.len()).unwrap().to_be_bytes());
    out.extend(body);
    out
}

fn datagram(octets: &[u8]) -> Datagram<'_> {
    Datagram {
        frame: FrameRef::new(0, 12),
        first_frame: FrameRef::new(0, 12),
        at: Timestamp::from_parts(1_795_233_945, 1_000),
        interface: 0,
        source: IpAddr::from([192, 0, 2, 1]),
        destination: IpAddr::from([198, 51, 100, 2]),
        ip_id: None,
        ttl: 64,
        fragments: 1,
        ambiguous_overlap: false,
        missing: 0,
        body: Body::Isakmp(IsakmpDatagram {
            source_port: 500,
            destination_port: 4500,
            encapsulation: Encapsulation::Udp,
            non_esp_marker: true,
            octets,
        }),
    }
}

fn observed() -> Observed {
    Observed {
        pair: 0,
        attempt: 0,
        label: Label::Mm(1),
        from: Side::Initiator,
        retransmission_of: None,
        recorded_before: None,
        reassembled: None,
        shape: None,
    }
}

/// The row as JSON, as a line and as a tree.
fn views_of(octets: &[u8], observed: Option<&Observed>) -> (Value, String, String) {
    let datagram = datagram(octets);
    let row = Row::new(&datagram, observed).unwrap();
    let (mut json, mut line, mut tree) = (Vec::new(), String::new(), String::new());
    row.write_ndjson(&mut json);
    row.write_line(&mut line, false);
    row.write_tree(&mut tree, false);
    assert_eq!(json.iter().filter(|&&octet| octet == b'\n').count(), 1);
    assert_eq!(line.matches('\n').count(), 1);
    (serde_json::from_slice(&json).unwrap(), plain(&line), plain(&tree))
}

fn views(octets: &[u8]) -> (Value, String, String) {
    views_of(octets, None)
}

/// Without colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// RFC 2408 §3.4-3.6, RFC 2409 appendix A: one proposal, one transform of AES-CBC-256, SHA2-256, PSK, group 14, 28800 s.
fn v1_sa() -> Vec<u8> {
    let attributes = [
        0x80, 1, 0, 7, 0x80, 14, 1, 0, 0x80, 2, 0, 4, 0x80, 3, 0, 1, 0x80, 4, 0, 14, 0x80, 11, 0, 1, 0, 12, 0, 4, 0, 0,
        0x70, 0x80,
    ];
    let mut transform = vec![0, 0, 0, 8 + attributes.len() as u8, 1, 1, 0, 0];
    transform.extend(attributes);
    let mut sa = vec![0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 8 + transform.len() as u8, 1, 1, 0, 1];
    sa.extend(transform);
    sa
}

/// RFC 7296 §3.3: one IKE proposal of AES-CBC-128, HMAC-SHA2-256 twice over, group 19.
fn v2_sa() -> Vec<u8> {
    let transforms = [
        3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 0, 128, 3, 0, 0, 8, 2, 0, 0, 5, 3, 0, 0, 8, 3, 0, 0, 12, 0, 0, 0, 8, 4, 0,
        0, 19,
    ];
    let mut sa = vec![0, 0, 0, 8 + transforms.len() as u8, 1, 1, 0, 4];
    sa.extend(transforms);
    sa
}

const DPD: [u8; 16] = [0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00];

#[test]
fn every_key_of_the_contract_is_there() {
    let (json, ..) = views_of(&message(1, 2, 0, &[(1, v1_sa()), (13, DPD.to_vec())]), Some(&observed()));
    let expected = json!({
        "capture": 0, "frame": 12, "time": "2026-11-21T04:05:45.000001000Z",
        "source": "192.0.2.1:500", "destination": "198.51.100.2:4500",
        "version": "1.0", "initiator_spi": "1111111111111111", "responder_spi": "2222222222222222",
        "exchange_type": 2, "exchange": "Identity Protection", "flags": 0, "message_id": "00000000",
        "next_payload": 1, "encrypted": false, "non_esp_marker": true, "fault": null, "retransmission_of": null,
        "label": "MM1", "length": 28 + 4 + v1_sa().len() + 4 + 16,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&json[key], value, "{key}");
    }
    let sa = &json["payloads"][0];
    assert_eq!((&sa["type"], &sa["name"]), (&json!(1), &json!("Security Association")));
    assert_eq!((&sa["doi"], &sa["situation"]), (&json!(1), &json!(1)));
    let proposal = &sa["proposals"][0];
    assert_eq!((&proposal["number"], &proposal["protocol_id"], &proposal["spi"]), (&json!(1), &json!(1), &json!("")));
    let transform = &proposal["transforms"][0];
    assert_eq!((&transform["number"], &transform["transform_id"]), (&json!(1), &json!(1)));
    let attributes: Vec<(u64, u64)> = transform["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attribute| (attribute["type"].as_u64().unwrap(), attribute["value"].as_u64().unwrap()))
        .collect();
    assert_eq!(attributes, [(1, 7), (14, 256), (2, 4), (3, 1), (4, 14), (11, 1), (12, 28_800)]);
    let vendor = &json["payloads"][1];
    assert_eq!((&vendor["type"], &vendor["data"]), (&json!(13), &json!("afcad71368a1f1c96b8696fc77570100")));
    assert!(vendor["name"].as_str().unwrap().contains("Dead Peer Detection"), "{vendor}");
}

#[test]
fn a_v1_offer_reads_on_one_line_and_in_a_tree() {
    let (_, line, tree) = views_of(&message(1, 2, 0, &[(1, v1_sa()), (13, DPD.to_vec())]), Some(&observed()));
    assert!(line.starts_with("   12 2026-11-21T04:05:45.000001Z 192.0.2.1:500 > 198.51.100.2:4500 IKEv1 "), "{line}");
    for needed in ["MM1", "AES-CBC-256", "MODP-2048", "Dead Peer Detection"] {
        assert!(line.contains(needed), "{needed} in {line}");
    }
    for needed in
        ["Frame 12", "at octet 28", "Encryption Algorithm (1)", "Key Length (14): 256", "28800", "non-ESP marker"]
    {
        assert!(tree.contains(needed), "{needed} in {tree}");
    }
}

#[test]
fn a_v2_offer_has_transforms_by_type_and_id() {
    let ke = [&[0, 19, 0, 0][..], &[0xab; 64]].concat();
    let nat = [&[0, 0, 0x40, 0x04][..], &[7; 20]].concat();
    let (json, line, tree) = views(&message(2, 34, 0x08, &[(33, v2_sa()), (34, ke), (40, vec![9; 32]), (41, nat)]));
    assert_eq!(
        (&json["version"], &json["exchange"], &json["flags"]),
        (&json!("2.0"), &json!("IKE_SA_INIT"), &json!(8))
    );
    let transforms = json["payloads"][0]["proposals"][0]["transforms"].as_array().unwrap();
    let ids: Vec<(u64, u64)> =
        transforms.iter().map(|part| (part["type"].as_u64().unwrap(), part["id"].as_u64().unwrap())).collect();
    assert_eq!(ids, [(1, 12), (2, 5), (3, 12), (4, 19)]);
    assert_eq!(transforms[0]["name"], "ENCR_AES_CBC");
    assert_eq!(transforms[0]["attributes"][0]["value"], 128);
    let ke = &json["payloads"][1];
    assert_eq!((&ke["dh_group"], &ke["data_length"]), (&json!(19), &json!(64)));
    let notify = &json["payloads"][3];
    assert_eq!(notify["notify_message_type"], 16388);
    assert_eq!(notify["notify_name"], "NAT_DETECTION_SOURCE_IP");
    assert_eq!((&notify["protocol_id"], &notify["spi"]), (&json!(0), &json!("")));
    assert_eq!(notify["data"], "07".repeat(20));
    assert!(line.contains("[I]") && line.contains("NAT_DETECTION_SOURCE_IP") && line.contains("ECP-256"), "{line}");
    assert!(tree.contains("ENCR_AES_CBC (12)") && tree.contains("group ECP-256 (19)"), "{tree}");
}

#[test]
fn notifications_and_deletes_keep_their_spis() {
    let notify = [&[0, 0, 0, 1, 1, 16, 0, 24][..], &SPI_I, &SPI_R].concat();
    let delete = vec![0, 0, 0, 1, 3, 4, 0, 2, 0xaa, 0xbb, 0xcc, 0xdd, 1, 2, 3, 4];
    let (json, line, tree) = views(&message(1, 5, 0, &[(11, notify), (12, delete)]));
    let notify = &json["payloads"][0];
    assert_eq!(notify["notify_message_type"], 24);
    assert_eq!(notify["spi"], "11111111111111112222222222222222");
    assert_eq!(json["payloads"][1]["protocol_id"], 3);
    assert_eq!(json["payloads"][1]["spis"], json!(["aabbccdd", "01020304"]));
    assert!(line.contains("AUTHENTICATION-FAILED") && line.contains("aabbccdd"), "{line}");
    assert!(line.contains("id 00000007") && json["message_id"] == "00000007", "{line}");
    assert!(tree.contains("SPI aabbccdd"), "{tree}");
}

#[test]
fn identities_are_words_and_cannot_steer_the_terminal() {
    let id = [&[2, 17, 1, 244][..], b"gw\x1b[2J\r\nexample"].concat();
    let (json, line, tree) = views(&message(1, 4, 0, &[(5, id)]));
    let id = &json["payloads"][0];
    assert_eq!((&id["id_type"], &id["protocol_id"], &id["port"]), (&json!(2), &json!(17), &json!(500)));
    assert_eq!(id["data"], hex::encode(b"gw\x1b[2J\r\nexample"));
    assert_eq!(id["text"], "gw\\x1b[2J\\x0d\\x0aexample");
    for view in [line, tree] {
        assert!(view.contains("gw\\x1b[2J\\x0d\\x0aexample"), "{view}");
        assert!(!view.contains(['\x1b', '\r']), "{view}");
    }
}

#[test]
fn nothing_of_an_encrypted_v1_message_is_guessed() {
    let mut octets = message(1, 2, 1, &[]);
    octets[16] = 5;
    octets[27] = 28 + 32;
    octets.extend([0x5a; 32]);
    let (json, line, tree) = views(&octets);
    assert_eq!((&json["encrypted"], &json["payloads"], &json["next_payload"]), (&json!(true), &json!([]), &json!(5)));
    assert_eq!(json["fault"], Value::Null);
    assert!(line.contains("[E]") && line.contains("encrypted"), "{line}");
    assert!(tree.contains("Encrypted, at octet 28, 32 octets"), "{tree}");
}

#[test]
fn the_fragments_of_both_versions_say_which_they_are() {
    let (json, line, _) = views(&message(1, 2, 0, &[(132, vec![0, 1, 2, 1, 9, 9, 9])]));
    let fragment = &json["payloads"][0];
    assert_eq!(
        (&fragment["type"], &fragment["fragment_number"], &fragment["last"]),
        (&json!(132), &json!(2), &json!(true))
    );
    assert!(line.contains("(2, last)"), "{line}");

    let (json, line, _) = views(&message(2, 35, 0x08, &[(53, vec![0, 2, 0, 5, 1, 2, 3, 4])]));
    let fragment = &json["payloads"][0];
    assert_eq!((&fragment["fragment_number"], &fragment["total_fragments"]), (&json!(2), &json!(5)));
    assert_eq!(json["encrypted"], true);
    assert!(line.contains("2/5"), "{line}");
}

#[test]
fn a_whole_message_stands_beside_its_last_fragment() {
    let whole = message(1, 4, 0, &[(1, v1_sa()), (10, vec![3; 20])]);
    let observed = Observed { reassembled: Some(whole), ..observed() };
    let (json, line, tree) = views_of(&message(1, 4, 0, &[(132, vec![0, 1, 2, 1, 9])]), Some(&observed));
    assert_eq!(json["payloads"].as_array().unwrap().len(), 1);
    let inner: Vec<u64> =
        json["reassembled"]["payloads"].as_array().unwrap().iter().map(|part| part["type"].as_u64().unwrap()).collect();
    assert_eq!(inner, [1, 10]);
    assert!(line.contains("whole message") && line.contains("AES-CBC-256"), "{line}");
    assert!(tree.contains("put together from its fragments"), "{tree}");
}

#[test]
fn repeats_name_the_frame_they_repeat() {
    let octets = message(1, 2, 0, &[(1, v1_sa())]);
    let again = Observed { retransmission_of: Some(FrameRef::new(0, 3)), ..observed() };
    let (json, line, tree) = views_of(&octets, Some(&again));
    assert_eq!(json["retransmission_of"], 3);
    assert!(line.contains("[retransmission of frame 3]") && tree.contains("retransmission of frame 3"));

    let twice = Observed { recorded_before: Some(FrameRef::new(1, 11)), ..observed() };
    let (json, line, tree) = views_of(&octets, Some(&twice));
    assert_eq!(
        (&json["retransmission_of"], &json["recorded_before"]),
        (&Value::Null, &json!({"capture": 1, "frame": 11}))
    );
    assert!(line.contains("[recorded twice: frame 11]") && tree.contains("recorded as frame 11"));
}

#[test]
fn what_stood_before_a_lie_is_shown_with_the_lie() {
    let whole = message(1, 2, 0, &[(1, v1_sa()), (13, DPD.to_vec())]);
    for cut in 0..whole.len() {
        let (json, line, tree) = views(&whole[..cut]);
        assert!(json["fault"].is_object(), "cut at {cut}: {json}");
        assert!(json["payloads"].is_array() && json["capture"] == 0, "cut at {cut}");
        assert!(line.contains("[fault: ") && tree.contains("fault: "), "cut at {cut}");
    }
    let (json, ..) = views(&whole[..whole.len() - 1]);
    assert_eq!(json["payloads"][0]["proposals"][0]["transforms"][0]["transform_id"], 1);
    let (json, ..) = views(&whole[..20]);
    assert_eq!((&json["exchange_type"], &json["payloads"]), (&Value::Null, &json!([])));
}

#[test]
fn other_datagrams_have_no_row() {
    let mut other = datagram(&[]);
    other.body = Body::Keepalive { source_port: 4500, destination_port: 4500 };
    assert!(Row::new(&other, None).is_none());
}

/// One writer for all rows, beside rows that are written alone: the octets are the same.
struct Law {
    writer: Writer,
    colorless: Writer,
    rows: u64,
    shaped: u64,
}

impl Law {
    fn holds(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) {
        let row = Row::new(datagram, observed).unwrap();
        let (mut line, mut json) = (String::new(), Vec::new());
        row.write_line(&mut line, true);
        row.write_ndjson(&mut json);
        let bare = plain(&line);
        // what is written anew is remembered, what was remembered is written again
        for time in ["first", "second"] {
            let mut out = Vec::new();
            self.writer.line(&row, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), line, "{time} time");
            out.clear();
            self.colorless.line(&row, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), bare, "{time} time");
            out.clear();
            self.writer.ndjson(&row, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&json), "{time} time");
        }
        self.rows += 1;
    }
}

impl Watch for Law {
    fn message(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        let Body::Isakmp(isakmp) = datagram.body else { return ControlFlow::Continue(()) };
        self.holds(datagram, observed);
        self.holds(datagram, None);
        self.shaped += u64::from(observed.is_some_and(|observed| observed.shape.is_some()));
        // the shape is one of these octets
        let observed = observed.map(|observed| Observed { shape: None, ..observed.clone() });
        let observed = observed.as_ref();
        let mut with = |octets: &[u8], missing| {
            let body = Body::Isakmp(IsakmpDatagram { octets, ..isakmp });
            self.holds(&Datagram { body, missing, ..*datagram }, observed);
        };
        // next payload, version, exchange type, flags, the first payload's header, then anywhere
        let length = isakmp.octets.len();
        let places = [16, 17, 18, 19, 28, 29, 30, 31, 32, 35, 40, length / 3, length / 2, length.saturating_sub(2)];
        for (nth, place) in places.into_iter().enumerate() {
            let mut octets = isakmp.octets.to_vec();
            let Some(octet) = octets.get_mut(place) else { continue };
            *octet ^= 1 << ((length + nth) % 8);
            with(&octets, datagram.missing);
        }
        for end in [length / 2, length.saturating_sub(1)] {
            with(&isakmp.octets[..end], datagram.missing);
            with(&isakmp.octets[..end], u32::try_from(length - end).unwrap());
        }
        with(&[isakmp.octets, &[0; 5]].concat(), datagram.missing);
        ControlFlow::Continue(())
    }
}

#[test]
fn what_a_writer_remembers_makes_no_difference() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let writer = || Writer::default().many_captures(true);
    let (mut rows, mut shaped) = (0, 0);
    for folder in ["lab", "malformed"] {
        let mut law = Law { writer: writer(), colorless: writer().in_color(false), rows: 0, shaped: 0 };
        let mut captures = Captures::open(&[captures.join(folder)]);
        pipeline::follow(&mut captures, &Options::default(), &mut law);
        rows += law.rows;
        shaped += law.shaped;
    }
    assert!(rows > 10_000 && shaped > 100, "{rows} rows, {shaped} of a shape");
}

/// What a tracker called the messages that passed.
#[derive(Default)]
struct Names(Vec<Option<Observed>>);

impl Watch for Names {
    fn message(&mut self, _: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        // which pair it is, is for who has the facts; which shape it has, changes no name
        self.0.push(observed.map(|observed| Observed { pair: 0, shape: None, ..observed.clone() }));
        ControlFlow::Continue(())
    }
}

#[test]
fn who_only_names_messages_names_them_alike() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    for folder in ["lab", "malformed"] {
        let [all, naming] = [Extent::Followed, Extent::Named].map(|extent| {
            let mut names = Names::default();
            let mut captures = Captures::open(&[captures.join(folder)]);
            pipeline::follow(&mut captures, &Options { extent, ..Options::default() }, &mut names);
            names.0
        });
        assert!(all.len() > 100, "{folder}: {} messages", all.len());
        assert_eq!(all, naming, "{folder}");
    }
}

proptest::proptest! {
    /// Whatever the octets say, every view is made, and none lets a control character through.
    #[test]
    fn no_octets_break_a_view(
        version in 0u8..=0x2f,
        first in proptest::sample::select(vec![1u8, 5, 6, 11, 12, 13, 14, 20, 21, 33, 35, 37, 41, 43, 44, 47, 48, 53, 130, 132]),
        exchange_type in 0u8..50,
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
    ) {
        let mut octets = message(0, exchange_type, 0, &[]);
        octets[16] = first;
        octets[17] = version;
        octets[27] = u8::try_from(28 + body.len()).unwrap();
        octets.extend([0, 0, 0, u8::try_from(body.len() + 4).unwrap()]);
        octets.extend(&body);
        let (_, line, tree) = views(&octets);
        let text = line + &tree;
        proptest::prop_assert!(!text.chars().any(|character| character.is_control() && character != '\n'));
    }
}
