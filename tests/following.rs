//! Following exchanges on real captures: every message of the laboratory's runs is where its truth says it is.
//!
//! The truth is the column `signature` of `captures/lab/expectations.tsv`, written from the daemons' own packets and logs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ikescope::capture::Captures;
use ikescope::pipeline::{self, Options};
use ikescope::track::{Attempt, EspFlow, IkeVersion, Label, MessageRecord, Mode, Pair, Side};

fn lab(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab").join(name)
}

/// The facts of a lab capture, with all pairs brought out.
struct Seen {
    pairs: Vec<Pair>,
}

fn facts(name: &str) -> Seen {
    let mut captures = Captures::open(&[lab(name)]);
    let (_, facts) = pipeline::follow(&mut captures, &Options::default(), &mut ());
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    Seen { pairs: facts.pairs.iter().map(Cow::into_owned).collect() }
}

/// The table cuts signatures at this many characters.
const CUT: usize = 300;

/// Scenario and signature of every run whose signature is written out in full.
fn signatures() -> Vec<(String, String)> {
    let table = std::fs::read_to_string(lab("expectations.tsv")).unwrap();
    let head: Vec<&str> = table.lines().next().unwrap().split('\t').collect();
    let column = head.iter().position(|&name| name == "signature").unwrap();
    table
        .lines()
        .skip(1)
        .map(|row| row.split('\t').collect::<Vec<_>>())
        .map(|cells| (cells[0].to_owned(), cells[column].to_owned()))
        .filter(|(_, signature)| !signature.is_empty() && signature.chars().count() < CUT)
        .collect()
}

/// Number of first copies and of repeats of IKE messages in a signature; each IKE fragment stands for itself there.
fn counts(signature: &str) -> (usize, usize) {
    const KINDS: [&str; 8] = ["MM", "AM", "QM", "INFO2", "INF", "TR", "INIT", "AUTH"];
    let (mut first, mut again) = (0, 0);
    for token in signature.split(' ') {
        let body = token.trim_start_matches(['→', '←', '⇠']);
        if !KINDS.iter().any(|kind| body.starts_with(kind)) && !body.starts_with("CCSA") {
            continue;
        }
        let times = body.rsplit_once('×').map_or(1, |(_, times)| times.parse().unwrap());
        *(if body.contains('ʳ') { &mut again } else { &mut first }) += times;
    }
    (first, again)
}

fn messages(facts: &Seen) -> impl Iterator<Item = &MessageRecord> {
    facts
        .pairs
        .iter()
        .flat_map(|pair| &pair.attempts)
        .flat_map(|attempt| &attempt.exchanges)
        .flat_map(|exchange| &exchange.messages)
}

fn only_attempt(facts: &Seen) -> &Attempt {
    let attempts: Vec<&Attempt> = facts.pairs.iter().flat_map(|pair| &pair.attempts).collect();
    assert_eq!(attempts.len(), 1);
    attempts[0]
}

fn labels(attempt: &Attempt) -> Vec<String> {
    attempt.exchanges.iter().flat_map(|exchange| &exchange.messages).map(|message| message.label.to_string()).collect()
}

#[test]
fn every_message_and_every_repeat_is_counted_as_the_daemons_sent_it() {
    let mut wrong = Vec::new();
    let mut runs = 0;
    for (scenario, signature) in signatures() {
        let facts = facts(&format!("{scenario}.pcap"));
        let first: usize = messages(&facts).map(|message| usize::from(message.ike_fragments.max(1))).sum();
        let again: usize = messages(&facts).map(|message| message.repeat_count as usize).sum();
        if (first, again) != counts(&signature) {
            wrong.push(format!("{scenario}: {:?}, truth {:?}: {signature}", (first, again), counts(&signature)));
        }
        runs += 1;
    }
    assert!(runs > 80, "{runs} signatures");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_healthy_main_mode_is_nine_messages_in_order() {
    let facts = facts("v1-main-psk-healthy.pcap");
    let attempt = only_attempt(&facts);
    assert_eq!(labels(attempt), ["MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "QM1", "QM2", "QM3"]);
    assert_eq!((attempt.stage, attempt.waiting_for), (Label::Qm(3), None));
    assert_eq!((attempt.version, attempt.mode, attempt.midstream), (IkeVersion::V1, Mode::Main, false));
    assert!(attempt.phase1_up < attempt.phase2_up && attempt.phase1_up.is_some());
    assert_eq!(attempt.offered.len(), 1);
    assert_eq!(attempt.offered[0].transforms, attempt.chosen.as_ref().unwrap().transforms);
}

#[test]
fn aggressive_mode_with_xauth_and_mode_config() {
    let facts = facts("v1-aggr-xauth-modecfg-healthy.pcap");
    let attempt = only_attempt(&facts);
    assert_eq!(attempt.mode, Mode::Aggressive);
    assert_eq!(labels(attempt)[..3], ["AM1", "AM2", "AM3"]);
    assert_eq!(labels(attempt).iter().filter(|label| label.starts_with("TR")).count(), 6);
    assert_eq!(attempt.stage, Label::Qm(3));
}

#[test]
fn an_unanswered_message_is_one_message_with_its_repeats() {
    let facts = facts("v1-udp500-drop.pcap");
    let attempt = only_attempt(&facts);
    let message = messages(&facts).next().unwrap();
    assert_eq!((message.label, message.repeat_count, message.repeats.len()), (Label::Mm(1), 5, 5));
    assert!(message.repeats.iter().all(|repeat| !repeat.changed));
    assert_eq!((attempt.stage, attempt.waiting_for), (Label::Mm(1), Some(Label::Mm(2))));
    assert!(attempt.responder_spi.is_zero());
}

#[test]
fn a_cookie_retry_is_one_attempt() {
    let facts = facts("v2-cookie-healthy.pcap");
    let attempt = only_attempt(&facts);
    assert_eq!(labels(attempt), ["SA_INIT-REQ", "SA_INIT-RSP", "SA_INIT-REQ", "SA_INIT-RSP", "AUTH-REQ", "AUTH-RSP"]);
}

#[test]
fn simultaneous_initiation_is_two_attempts() {
    for name in ["v1-simultaneous-initiation.pcap", "v2-simultaneous-initiation.pcap"] {
        let facts = facts(name);
        assert_eq!(facts.pairs.len(), 1);
        let initiators: Vec<_> = facts.pairs[0].attempts.iter().map(|attempt| attempt.initiator.ip()).collect();
        assert_eq!(initiators.len(), 2, "{name}");
        assert_ne!(initiators[0], initiators[1], "{name}");
    }
}

#[test]
fn the_float_to_4500_and_a_move_stay_one_sa() {
    let floated = facts("v1-main-nat-healthy.pcap");
    let attempt = only_attempt(&floated);
    assert_eq!(attempt.moves.iter().map(|to| to.to.port()).collect::<Vec<_>>(), [4500, 4500]);
    let moved = facts("v2-mobike-move-healthy.pcap");
    assert_eq!(moved.pairs.len(), 1);
    let attempt = only_attempt(&moved);
    assert!(attempt.moves.iter().any(|to| to.side == Side::Initiator && to.to.ip() != attempt.initiator.ip()));
}

#[test]
fn nat_detection_tells_who_is_behind_nat() {
    let direct = facts("v1-main-psk-healthy.pcap");
    let nat = only_attempt(&direct).nat;
    assert_eq!((nat.behind(Side::Initiator), nat.behind(Side::Responder)), (Some(false), Some(false)));
    // Before the translation and behind it: the same answer, from different hashes.
    for name in [
        "v1-main-nat-healthy.pcap",
        "v1-main-nat-healthy.rside.pcap",
        "v2-nat-healthy.pcap",
        "v2-nat-healthy.rside.pcap",
    ] {
        let facts = facts(name);
        let nat = only_attempt(&facts).nat;
        assert_eq!((nat.behind(Side::Initiator), nat.behind(Side::Responder)), (Some(true), Some(false)), "{name}");
    }
}

#[test]
fn ike_fragments_are_one_message() {
    let facts = facts("v1-main-rsa-healthy-ikefrag.pcap");
    let fragmented: BTreeMap<String, u16> = messages(&facts)
        .filter(|message| message.ike_fragments > 0)
        .map(|message| (message.label.to_string(), message.ike_fragments))
        .collect();
    assert_eq!(fragmented, BTreeMap::from([("MM5".to_owned(), 2), ("MM6".to_owned(), 2)]));
}

#[test]
fn ip_fragments_are_one_datagram_and_lost_ones_a_fact() {
    let whole = facts("v1-ipv6-rsa-ipfrag.pcap");
    assert!(messages(&whole).any(|message| message.label == Label::Mm(5) && message.ip_fragments == 2));
    assert!(whole.pairs[0].incomplete.is_empty());
    let lost = facts("v1-rsa-ipfrag-dropped-all.rside.pcap");
    assert!(messages(&lost).all(|message| message.label != Label::Mm(5)));
}

#[test]
fn icmp_errors_are_tied_to_what_they_quote_and_are_no_messages() {
    let facts = facts("v1-no-responder-icmp-port-unreach.pcap");
    let attempt = only_attempt(&facts);
    let errors = &facts.pairs[0].icmp_errors;
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].icmp_type, errors[0].code, errors[0].count), (3, 3, 6));
    assert_eq!(errors[0].initiator_spi, Some(attempt.initiator_spi));
    assert_eq!(facts.pairs[0].sent.map(|seen| seen.isakmp), [6, 0]);
}

#[test]
fn a_rekeyed_ike_sa_knows_where_it_came_from() {
    let facts = facts("v2-rekey-ike-healthy.pcap");
    let attempts = &facts.pairs[0].attempts;
    assert!(attempts.len() > 1);
    assert_eq!(attempts[1].rekeyed_from, Some(0));
    assert!(attempts.iter().all(|attempt| !attempt.midstream));
}

#[test]
fn esp_is_counted_by_direction() {
    let facts = facts("v1-esp-blocked-oneway.pcap");
    let flows: Vec<&EspFlow> = facts.pairs[0].flows.iter().collect();
    assert_eq!(flows.len(), 1);
    assert_eq!((flows[0].packets, flows[0].first_sequence, flows[0].last_sequence, flows[0].lost), (15, 1, 15, 0));
    assert!(facts.pairs[0].is_from_a(flows[0].source, flows[0].destination));
}
