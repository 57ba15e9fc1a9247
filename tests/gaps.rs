//! What real captures say that lack something: frames that the capture missed, all before it began, what its filter or its snap
//! length left out, addresses that were changed afterwards, or a clock that was set back.
//!
//! Derived from the laboratories' captures by leaving out or changing what a row names, so the right answer is known. Not here:
//! what the whole captures say (`verdicts.rs`).

#[path = "support/labs.rs"]
mod labs;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ikescope::capture::Captures;
use ikescope::diagnose::{Confidence, Finding, PairStatus, Severity, Where};
use ikescope::pipeline::{self, Analysis};

use labs::LABS;

/// A capture that can be taken apart: little-endian pcap with microseconds.
#[derive(Clone)]
struct Capture {
    head: Vec<u8>,
    frames: Vec<Frame>,
}

#[derive(Clone)]
struct Frame {
    /// Microseconds.
    at: u64,
    /// On the wire.
    length: u32,
    octets: Vec<u8>,
}

fn word(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(octets[at..at + 4].try_into().unwrap())
}

impl Capture {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name);
        let file = std::fs::read(path).unwrap();
        assert_eq!(file[..4], [0xd4, 0xc3, 0xb2, 0xa1], "{name}");
        let (mut at, mut frames) = (24, Vec::new());
        while at < file.len() {
            let [seconds, micros, captured, length] = [0, 4, 8, 12].map(|field| word(&file, at + field));
            let octets = file[at + 16..at + 16 + captured as usize].to_vec();
            frames.push(Frame { at: u64::from(seconds) * 1_000_000 + u64::from(micros), length, octets });
            at += 16 + captured as usize;
        }
        Self { head: file[..24].to_vec(), frames }
    }

    /// Frames that `keep` accepts, numbered from 1.
    fn only(mut self, keep: impl Fn(usize, &Frame) -> bool) -> Self {
        let frames = std::mem::take(&mut self.frames);
        self.frames =
            (1..).zip(frames).filter(|(number, frame)| keep(*number, frame)).map(|(_, frame)| frame).collect();
        self
    }

    fn without(self, missed: &[usize]) -> Self {
        self.only(|number, _| !missed.contains(&number))
    }

    fn between(self, first: usize, last: usize) -> Self {
        self.only(|number, _| (first..=last).contains(&number))
    }

    /// Each frame changed, numbered from 1.
    fn changed(mut self, change: impl Fn(usize, &mut Frame)) -> Self {
        (1..).zip(&mut self.frames).for_each(|(number, frame)| change(number, frame));
        self
    }

    fn snapped(self, length: usize) -> Self {
        self.changed(|_, frame| frame.octets.truncate(length))
    }

    /// With other IPv4 addresses, as tools for making captures anonymous put them in: the same for the same, and nothing else changed.
    fn anonymous(self) -> Self {
        self.changed(|_, frame| {
            if frame.octets.get(12..14) == Some(&[8, 0]) {
                for at in [26, 30] {
                    frame.octets[at + 2] ^= 0x5a;
                    frame.octets[at + 3] ^= 0x21;
                }
            }
        })
    }

    /// With a frame of something else so many seconds after the last one.
    fn going_on_for(mut self, seconds: u64) -> Self {
        let last = self.frames.last().unwrap().at;
        let mut octets = vec![0xff; 6];
        octets.extend([2, 0, 0, 0, 0, 1, 8, 6]);
        octets.resize(60, 0);
        self.frames.push(Frame { at: last + seconds * 1_000_000, length: 60, octets });
        self
    }

    fn later(self, micros: u64) -> Self {
        self.changed(|_, frame| frame.at += micros)
    }

    fn file(&self) -> Vec<u8> {
        let mut file = self.head.clone();
        for frame in &self.frames {
            let (seconds, micros) = ((frame.at / 1_000_000) as u32, (frame.at % 1_000_000) as u32);
            for word in [seconds, micros, frame.octets.len() as u32, frame.length] {
                file.extend(word.to_le_bytes());
            }
            file.extend(&frame.octets);
        }
        file
    }

    fn analyze(&self) -> Analysis {
        let mut captures = Captures::from_reader("derived", Cursor::new(self.file()));
        let analysis = pipeline::analyze(&mut captures, &pipeline::Options::default(), &mut ());
        assert!(captures.errors().is_empty(), "{:?}", captures.errors());
        analysis
    }
}

fn together(names: [&str; 2]) -> Analysis {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    pipeline::analyze(&mut Captures::open(&paths), &pipeline::Options::default(), &mut ())
}

/// Two captures, as one job.
fn both(captures: [&Capture; 2]) -> Analysis {
    let streams = captures.map(|capture| {
        let stream: Box<dyn Read + Send> = Box::new(Cursor::new(capture.file()));
        (PathBuf::from("derived"), stream)
    });
    pipeline::analyze(&mut Captures::from_readers(streams), &pipeline::Options::default(), &mut ())
}

/// Packets of ESP and AH, by who sent them to whom.
fn sent(analysis: &Analysis) -> BTreeMap<(IpAddr, IpAddr), u64> {
    let ways = analysis.facts.pairs.iter().flat_map(|pair| {
        let (a, b) = (pair.a, pair.b);
        [((a, b), pair.sent[0].esp), ((b, a), pair.sent[1].esp)]
    });
    ways.filter(|&(_, packets)| packets > 0).collect()
}

fn verdict(analysis: &Analysis) -> Option<&'static str> {
    analysis.diagnosis.pair(0).and_then(|pair| pair.verdict).map(|verdict| verdict.id())
}

fn status(analysis: &Analysis) -> PairStatus {
    analysis.diagnosis.pair(0).unwrap().status
}

fn alarms(analysis: &Analysis) -> Vec<Finding> {
    analysis.diagnosis.findings(&analysis.facts).filter(|finding| finding.severity >= Severity::Warning).collect()
}

fn ids(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(Finding::id).collect()
}

#[test]
fn a_healthy_tunnel_of_which_a_message_is_missing_raises_no_alarm() {
    let rows: [(&str, &[usize], &str); 4] = [
        ("fourth-lab/v2-id-mended-healthy.pcap", &[32], "OK-UP"),
        ("fourth-lab/v2-second-deleted-healthy.pcap", &[31], "OK-UP"),
        ("second-lab/v1-p2-mended-healthy.pcap", &[2], "OK-UP"),
        ("third-lab/vpnc-racoon-v1-nat-healthy.pcap", &[16], "OK-IDLE"),
    ];
    for (name, missed, expected) in rows {
        let analysis = Capture::read(name).without(missed).analyze();
        assert_eq!((verdict(&analysis), ids(&alarms(&analysis))), (Some(expected), Vec::new()), "{name}");
    }
}

#[test]
fn what_fails_is_named_though_a_message_before_it_is_missing() {
    let rows = [
        ("fourth-lab/v2-peer-dead-after-rekey.pcap", 14, "T-ONEWAY"),
        ("second-lab/v1-esp-stops-oneway.pcap", 3, "T-ONEWAY"),
        ("third-lab/racoon-v1-esp-lost-oneway.pcap", 13, "T-ONEWAY"),
        ("lab/v1-peer-rebooted-dpd.pcap", 9, "L-DPD-TIMEOUT"),
        ("third-lab/shrew-ss-v1-aggr-psk-mismatch.rside.pcap", 13, "P1-AGGR-AUTH"),
        ("second-lab/lsw-ss-v1-id-mismatch.pcap", 5, "P1-AUTH-REJECT"),
    ];
    for (name, missed, expected) in rows {
        let (whole, analysis) = (Capture::read(name).analyze(), Capture::read(name).without(&[missed]).analyze());
        assert_eq!((verdict(&whole), verdict(&analysis)), (Some(expected), Some(expected)), "{name}");
        assert_eq!(ids(&alarms(&analysis)), ids(&alarms(&whole)), "{name}");
    }
}

#[test]
fn what_may_be_a_greeting_where_message_6_is_missing_is_no_more_than_suspected_to_refuse() {
    let analysis = Capture::read("third-lab/racoon-v1-phase-1-only-healthy.pcap").without(&[19]).analyze();
    let [finding] = &alarms(&analysis)[..] else { panic!("{:?}", ids(&alarms(&analysis))) };
    assert_eq!((finding.id(), finding.confidence), ("P1-AUTH-REJECT", Confidence::Suspected));
}

#[test]
fn message_2_of_quick_mode_is_no_message_1_that_nobody_answers() {
    let analysis = Capture::read("lab/v1-qm3-lost.rside.pcap").without(&[7]).analyze();
    assert_eq!(ids(&alarms(&analysis)), [""; 0]);
}

#[test]
fn a_window_of_a_healthy_tunnel_is_neither_down_nor_an_alarm() {
    let rows = [
        ("second-lab/v1-rekey-healthy.pcap", 74, 103, PairStatus::UpActive),
        ("lab/v1-aggr-psk-healthy.pcap", 3, 4, PairStatus::Unknown),
        ("lab/v1-ipv6-rsa-ipfrag.pcap", 5, 5, PairStatus::Unknown),
        ("lab/v2-rekey-ike-healthy.pcap", 17, 25, PairStatus::UpActive),
        ("third-lab/vpnc-racoon-v1-nat-healthy.pcap", 18, 23, PairStatus::Unknown),
    ];
    for (name, first, last, expected) in rows {
        let analysis = Capture::read(name).between(first, last).analyze();
        assert_eq!((status(&analysis), ids(&alarms(&analysis))), (expected, Vec::new()), "{name}");
    }
}

#[test]
fn frames_of_96_octets_still_tell_who_refuses() {
    let rows = [
        ("lab/lsw-ss-v1-pfs-mismatch.pcap", "P2-REJECT"),
        ("third-lab/lsw-ss-v2-psk-mismatch-repeated.pcap", "V2-AUTH-FAIL"),
        ("lab/v2-eap-wrong-password.pcap", "V2-EAP"),
    ];
    for (name, expected) in rows {
        let analysis = Capture::read(name).snapped(96).analyze();
        assert_eq!((verdict(&analysis), ids(&alarms(&analysis))), (Some(expected), vec![expected]), "{name}");
    }
}

#[test]
fn a_filter_for_one_port_is_no_failure() {
    let on_4500 =
        |_: usize, frame: &Frame| [34, 36].iter().any(|&at| frame.octets[at..at + 2] == 4500_u16.to_be_bytes());
    let analysis = Capture::read("fourth-lab/v2-id-mended-healthy.pcap").only(on_4500).analyze();
    assert_eq!(ids(&alarms(&analysis)), [""; 0]);

    // what a filter of ports lets through: no fragment but the first ones
    let first =
        |_: usize, frame: &Frame| frame.octets[20] & 0x1f == 0 && frame.octets[21] == 0 && frame.octets[23] == 17;
    let analysis = Capture::read("third-lab/racoon-v1-ike-fragment-lost.pcap").only(first).analyze();
    let [finding] = &alarms(&analysis)[..] else { panic!("{:?}", ids(&alarms(&analysis))) };
    assert_eq!((finding.id(), finding.confidence), ("F-IKE-FRAG-LOST", Confidence::Suspected));
    assert!(finding.causes.iter().any(|cause| cause.text.contains("the capture leaves out")), "{finding:?}");
}

#[test]
fn addresses_changed_afterwards_make_no_nat() {
    for (name, expected) in
        [("lab/v1-main-psk-ah-healthy.pcap", "OK-UP"), ("lab/v1-esp-oneway-no-return-route.pcap", "T-ONEWAY")]
    {
        let (whole, changed) = (Capture::read(name).analyze(), Capture::read(name).anonymous().analyze());
        assert_eq!((verdict(&changed), status(&changed)), (Some(expected), status(&whole)), "{name}");
        assert_eq!(ids(&alarms(&changed)), ids(&alarms(&whole)), "{name}");
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_one_way_traffic() {
    let whole = Capture::read("lab/v2-nat-healthy.pcap");
    for set_back in 2..=whole.frames.len() {
        let set_back = |number: usize, frame: &mut Frame| {
            if number >= set_back {
                frame.at -= 2_000_000;
            }
        };
        assert_eq!(ids(&alarms(&whole.clone().changed(set_back).analyze())), [""; 0]);
    }
}

#[test]
fn seconds_are_time_enough_to_tell_who_repeats_what() {
    let in_seconds = |_: usize, frame: &mut Frame| frame.at -= frame.at % 1_000_000;
    let analysis = Capture::read("third-lab/shrew-ss-v1-aggr-psk-mismatch.rside.pcap").changed(in_seconds).analyze();
    assert_eq!(verdict(&analysis), Some("P1-AGGR-AUTH"));
}

#[test]
fn a_tunnel_that_rests_after_a_refusal_beside_it_is_not_down() {
    for name in ["fourth-lab/v2-child-mlkem-refused.pcap", "fourth-lab/v2-second-tunnel-refused.pcap"] {
        let analysis = Capture::read(name).going_on_for(61).analyze();
        assert_eq!(status(&analysis), PairStatus::UpActive, "{name}");
    }
}

#[test]
fn both_ends_together_tell_what_is_lost_between_them() {
    for (name, expected) in [
        ("fourth-lab/v2-followup-ke-lost", "V2-FOLLOWUP"),
        ("fifth-lab/v2-esp-blocked-both", "C-TWO-POINT"),
        ("fifth-lab/v2-esp-cut-back-late", "C-TWO-POINT"),
        ("fifth-lab/v2-blocked-back-after-up", "L-DPD-TIMEOUT"),
        ("fifth-lab/lsw-lsw-v1-psk-mismatch-nat", "P1-AUTH-SILENT"),
        ("fifth-lab/v2-refusal-lost", "V2-AUTH-NO-REPLY"),
        ("sixth-lab/v1-idle-blocked-back", "L-DPD-TIMEOUT"),
        ("sixth-lab/v1-nat-4500-answers-dropped", "N-PORT4500"),
        ("seventh-lab/v2-acl-back-later", "L-DPD-TIMEOUT"),
        ("fifth-lab/v2-large-skf-dropped", "F-SKF-INCOMPLETE"),
        ("sixth-lab/v1-large-fragments-dropped", "F-V1FRAG-INCOMPLETE"),
        ("third-lab/racoon-v1-ike-fragment-lost", "F-V1FRAG-INCOMPLETE"),
        ("ninth-lab/lsw-ss-v2-rekey-answer-lost", "V2-CHILD-NO-REPLY"),
        ("ninth-lab/v2-ipv6-skf-second-lost-back", "F-SKF-INCOMPLETE"),
        ("ninth-lab/v1-nat-dpd-answers-lost", "L-DPD-TIMEOUT"),
        ("ninth-lab/v2-nat-esp-large-dropped-back", "F-PMTU-BLACKHOLE"),
        ("ninth-lab/v1-ipv6-large-answers-lost", "F-PMTU-BLACKHOLE"),
        ("tenth-lab/v2-ipv6-esp-back-dropped-after-rekey", "C-TWO-POINT"),
        ("tenth-lab/lsw-lsw-v1-mm6-lost", "P1-UP-NO-P2"),
    ] {
        let analysis = together([&format!("{name}.pcap"), &format!("{name}.rside.pcap")]);
        assert_eq!(verdict(&analysis), Some(expected), "{name}");
    }
}

/// The same negotiation on both sides of a NAT: two pairs of addresses, one question. The outer capture ends with message 4, which is
/// no reason to say that message 5 never came; if it goes on, it is.
#[test]
fn how_long_one_point_recorded_tells_nothing_of_the_other() {
    let [near, far] = ["", ".rside"].map(|end| Capture::read(&format!("lab/v1-nat-udp4500-blocked{end}.pcap")));
    let found = |far: &Capture| {
        let analysis = both([&near, far]);
        let findings = analysis.diagnosis.findings(&analysis.facts).filter(|finding| finding.id() == "N-PORT4500");
        let [inside, outside] = findings.collect::<Vec<_>>().try_into().expect("one on each side");
        (inside, outside)
    };
    let (inside, outside) = found(&far);
    assert_eq!((inside.confidence, inside.severity), (Confidence::Suspected, Severity::Error));
    assert!(inside.seen.ends_with("MM5 is in capture 0 only, and capture 1 ends before it"), "{}", inside.seen);
    assert!(outside.severity < Severity::Warning && outside.seen.contains("too early"), "{}", outside.seen);
    let (inside, outside) = found(&far.going_on_for(150));
    for told in [inside, outside] {
        assert_eq!((told.confidence, told.severity), (Confidence::Inferred, Severity::Error));
        assert!(told.seen.ends_with("lost between the two points"), "{}", told.seen);
        let likely = told.causes.iter().filter(|cause| cause.likelihood == "likely").map(|cause| cause.text);
        assert_eq!(likely.collect::<Vec<_>>(), ["UDP 4500 is filtered on the way"]);
        assert_eq!(told.side(), Where::Path);
    }
}

/// What leaves one end and does not come to the other says more than how often it was sent.
#[test]
fn a_message_of_quick_mode_that_is_lost_between_two_points_is_the_cause() {
    for (name, message, from, to) in [("v1-qm2-lost", "QM2", 1, 0), ("v1-qm3-lost", "QM3", 0, 1)] {
        let analysis = together([&format!("lab/{name}.pcap"), &format!("lab/{name}.rside.pcap")]);
        let found = alarms(&analysis).into_iter().find(|finding| finding.id() == "P2-NO-QM3").expect("a finding");
        assert_eq!(found.means, format!("{message} is lost on its way, between the two points"), "{name}");
        let drops = format!("what drops {message} between the point of capture {from} and that of capture {to}");
        assert_eq!((found.side(), found.settle.as_deref()), (Where::Path, Some(&*drops)), "{name}");
        assert!(found.causes.iter().skip(1).all(|cause| cause.likelihood == "less likely"), "{name}");
    }
}

/// Who does not go on behind message 2 is who started Quick Mode, and a refusal is explained by the log of who refuses.
#[test]
fn who_refuses_quick_mode_is_asked_why() {
    let analysis = together(["ninth-lab/v1-nat-ah-wanted.pcap", "ninth-lab/v1-nat-ah-wanted.rside.pcap"]);
    let found = alarms(&analysis).into_iter().find(|finding| finding.id() == "P2-NO-QM3").expect("a finding");
    assert_eq!(found.settle.as_deref(), Some("the log of the side that started: what it makes of QM2"));
    let at_ends = found
        .checks()
        .map(|check| found.place(check))
        .filter(|place| matches!(place, Where::Initiator | Where::Responder));
    assert_eq!(at_ends.collect::<Vec<_>>(), [Where::Initiator; 2]);
}

/// ESP in UDP takes the way of IKE: what has that on UDP 4500 and none of the traffic does not get it.
#[test]
fn traffic_in_udp_that_the_other_point_lacks_is_lost() {
    let name = "sixth-lab/v2-nat-esp-in-udp-dropped";
    let analysis = together([&format!("{name}.pcap"), &format!("{name}.rside.pcap")]);
    let found: Vec<_> = alarms(&analysis).into_iter().filter(|finding| finding.id() == "T-ONEWAY").collect();
    assert_eq!(found.len(), 2, "one at each end");
    for (found, (from, here, there)) in found.iter().zip([("192.168.77.10", 0, 1), ("198.51.100.20", 1, 0)]) {
        assert_eq!(found.means, format!("what {from} sends is lost between the two points"));
        assert_eq!(found.causes.len(), 1, "{:?}", found.causes);
        let drops =
            format!("what drops the traffic of {from} between the point of capture {here} and that of capture {there}");
        assert_eq!(found.settle, Some(drops));
    }
}

/// The path takes a second and a half: what the other point has is the same packet, by its IP identification.
#[test]
fn what_comes_late_to_the_other_point_is_not_sent_again() {
    let analysis = together(["lab/v1-simultaneous-initiation.pcap", "lab/v1-simultaneous-initiation.rside.pcap"]);
    let pair = analysis.facts.pairs.get(0).unwrap();
    let messages = pair.attempts.iter().flat_map(|attempt| &attempt.exchanges).flat_map(|exchange| &exchange.messages);
    let repeated: Vec<String> =
        messages.filter(|message| message.repeat_count > 0).map(|message| message.label.to_string()).collect();
    assert_eq!(repeated, ["QM2", "QM3"], "as each capture alone has it");
}

/// What the other capture shows of a message, or of its answer, is what is said: also of one at the beginning of both.
#[test]
fn a_message_that_one_of_two_captures_lacks_is_said_to_be_lost() {
    for (name, id, lost) in [
        ("v1-aggr-am3-lost", "P1-AGGR-AUTH", "AM3"),
        ("v2-nat-liveness-answers-lost", "L-DPD-TIMEOUT", "INFORMATIONAL-RSP"),
    ] {
        let analysis = together([&format!("eighth-lab/{name}.pcap"), &format!("eighth-lab/{name}.rside.pcap")]);
        let found: Vec<_> = alarms(&analysis).into_iter().filter(|finding| finding.id() == id).collect();
        assert!(!found.is_empty(), "{name}");
        for found in found {
            assert_eq!(found.means, format!("{lost} is lost on its way, between the two points"), "{name}");
        }
    }
}

/// Where two captures tell what became of a message, nothing else is named that may have become of it.
#[test]
fn what_is_known_to_be_lost_is_not_guessed_at() {
    let found = |name: &str, id: &str| {
        let analysis = together([&format!("{name}.pcap"), &format!("{name}.rside.pcap")]);
        let mut findings = analysis.diagnosis.findings(&analysis.facts);
        findings.find(|finding| finding.id() == id).expect("a finding")
    };
    let stale = found("sixth-lab/v1-delete-lost-stale", "L-STALE-SA");
    assert!(stale.means.ends_with("the delete is lost between the two points"), "{}", stale.means);
    let causes: Vec<_> = stale.causes.iter().map(|cause| cause.text).collect();
    assert_eq!(causes, ["its delete did not arrive, or was not heeded"]);
    let outage = found("second-lab/v2-outage-recovers-healthy", "V2-NO-REPLY");
    assert_eq!(outage.means, "the message is lost between the two points");
    let answered = found("sixth-lab/v1-nat-4500-answers-dropped", "N-PORT4500");
    assert!(answered.causes.iter().all(|cause| !cause.text.contains("stays silent")), "{:?}", answered.causes);
}

/// ESP that both ends of the path have is not blocked between them: what is left is the side that does not answer.
#[test]
fn traffic_that_passes_two_points_is_not_blocked_between_them() {
    for name in ["v1-esp-oneway-no-return-route", "ss-iked-v2-responder-install-failed"] {
        let analysis = together([&format!("lab/{name}.pcap"), &format!("lab/{name}.rside.pcap")]);
        let found = alarms(&analysis).into_iter().find(|finding| finding.id() == "T-ONEWAY").expect("a finding");
        assert!(found.seen.ends_with("all of them pass both capture points"), "{}", found.seen);
        let blocked = found.causes.iter().find(|cause| cause.text.contains("is blocked")).expect("it is named");
        assert!(blocked.refuted, "{name}");
        assert_eq!(found.side(), Where::Responder, "{name}");
    }
}

/// ESP that had answers at first, and of which the other point has the beginning only.
#[test]
fn unanswered_traffic_is_told_by_what_the_other_point_has_of_it() {
    let name = "tenth-lab/lsw-lsw-v1-esp-out-dropped-after-rekey";
    let analysis = together([&format!("{name}.pcap"), &format!("{name}.rside.pcap")]);
    let found = alarms(&analysis).into_iter().find(|finding| finding.id() == "T-ONEWAY").expect("a finding");
    assert!(
        found.seen.ends_with("the last 36 are in capture 0 only, and capture 1 ends before them"),
        "{}",
        found.seen
    );
    assert!(found.causes[0].text.contains("is blocked"), "{:?}", found.causes);
    assert!(found.settle.as_deref().is_some_and(|settle| settle.contains("capture 1 was running")), "{found:?}");
    // one file cannot tell: of a peer that says nothing at all any more, an outage comes first, and no more
    let alone = Capture::read(&format!("{name}.pcap")).analyze();
    let found = alarms(&alone).into_iter().find(|finding| finding.id() == "T-ONEWAY").expect("a finding");
    assert!(found.causes[0].text.starts_with("the far gateway is down"), "{:?}", found.causes);
    assert!(found.causes.iter().take(3).all(|cause| cause.likelihood == "possible"), "{:?}", found.causes);
}

/// What the other capture has of packets and fragments is said, instead of asking for one more capture.
#[test]
fn what_the_other_point_has_of_it_is_not_asked_for() {
    for (name, id, seen, settle) in [
        (
            "v1-esp-large-dropped",
            "F-PMTU-BLACKHOLE",
            "; the last 8 are in capture 0 only, and capture 1 ends before them",
            "whether capture 1 was running then: if so, they are lost between the two points",
        ),
        (
            "v2-cert-ipfrag-dropped",
            "F-IKE-FRAG-LOST",
            "; AUTH-REQ is whole in capture 0 only, and capture 1 has its first fragment 6 times, and no other",
            "whether the filter of capture 1 takes in all IP fragments: if so, AUTH-REQ is lost between the two points",
        ),
    ] {
        let analysis = together([&format!("lab/{name}.pcap"), &format!("lab/{name}.rside.pcap")]);
        let found = alarms(&analysis).into_iter().find(|finding| finding.id() == id).expect("a finding");
        assert!(found.seen.ends_with(seen), "{}", found.seen);
        assert_eq!(found.settle.as_deref(), Some(settle), "{name}");
    }
}

/// A capture of the other end that holds nothing may answer what one more capture would.
#[test]
fn an_empty_capture_of_the_other_end_is_not_passed_over() {
    let analysis = together(["lab/v1-udp500-drop.pcap", "lab/v1-udp500-drop.rside.pcap"]);
    let found = &alarms(&analysis)[0];
    let settle = found.settle.as_deref().unwrap_or_default();
    assert!(
        settle.ends_with("capture 1 holds no packet: if it ran there at that time, nothing arrives there"),
        "{settle}"
    );
}

/// Healthy captures of all laboratories, from both ends.
fn healthy() -> Vec<String> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let names = LABS.iter().flat_map(|lab| {
        let table = std::fs::read_to_string(captures.join(lab).join("expectations.tsv")).unwrap();
        let healthy = |row: &str| {
            let mut cells = row.split('\t');
            cells.next().filter(|_| cells.next() == Some("healthy")).map(|name| format!("{lab}/{name}"))
        };
        table.lines().filter_map(healthy).collect::<Vec<String>>()
    });
    let ends = names.flat_map(|name| [format!("{name}.pcap"), format!("{name}.rside.pcap")]);
    ends.filter(|name| captures.join(name).exists()).collect()
}

/// Whether a frame may hold IKE, or a fragment of it: UDP 500, UDP 4500 behind the marker, or no first fragment.
fn may_be_ike(frame: &Frame) -> bool {
    let octets = &frame.octets;
    let (protocol, payload) = match octets.get(12..14) {
        Some([8, 0]) => (octets[23], 14 + usize::from(octets[14] & 15) * 4),
        Some([0x86, 0xdd]) => (octets[20], 54),
        _ => return false,
    };
    let port = |at: usize| octets.get(at..at + 2).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
    let ports = [port(payload), port(payload + 2)];
    match protocol {
        17 if ports.contains(&500) => true,
        17 if ports.contains(&4500) => octets.get(payload + 8..payload + 12) == Some(&[0; 4]),
        17 => octets.get(20..22).is_some_and(|fragment| fragment[0] & 0x1f != 0 || fragment[1] != 0),
        protocol => protocol == 44,
    }
}

#[test]
fn no_message_that_is_missing_makes_a_healthy_tunnel_a_certain_error() {
    let mut wrong = Vec::new();
    for name in healthy() {
        let whole = Capture::read(&name);
        for missed in (1..=whole.frames.len()).filter(|&number| may_be_ike(&whole.frames[number - 1])) {
            let analysis = whole.clone().without(&[missed]).analyze();
            let certain =
                |finding: &&Finding| finding.severity == Severity::Error && finding.confidence > Confidence::Suspected;
            let found = alarms(&analysis);
            wrong.extend(
                found.iter().filter(certain).map(|finding| format!("{name} without {missed}: {}", finding.id())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where so much is lost between the two points that it is told, though the tunnel comes up.
const LOSE_MUCH: [&str; 1] = ["ninth-lab/lsw-lsw-v1-nat-loss40-healthy"];

/// Between two points packets are underway for a while, the clocks of two captures differ, and a NAT may be in between: what was
/// sent is the same, from the beginning or from the middle on.
#[test]
fn two_captures_of_a_healthy_tunnel_tell_what_each_tells() {
    let mut wrong = Vec::new();
    for name in healthy() {
        let Some(far) = name.strip_suffix(".rside.pcap").filter(|name| !LOSE_MUCH.contains(name)) else { continue };
        let [near, far] = [format!("{far}.pcap"), name.clone()].map(|name| Capture::read(&name));
        let ends = near.frames.len().max(far.frames.len());
        for (from, later) in [(1, 0), (1, 60_000), (1, 400_000), (ends / 3, 0), (ends / 3, 60_000)] {
            let start = near.frames[from - 1].at;
            let [near, far] = [&near, &far].map(|capture| capture.clone().only(|_, frame| frame.at >= start));
            let far = far.later(later);
            let (one, other, all) = (near.analyze(), far.analyze(), both([&near, &far]));
            let known = [&one, &other].map(|alone| ids(&alarms(alone))).concat();
            let new = ids(&alarms(&all)).into_iter().filter(|id| !known.contains(id));
            wrong.extend(new.map(|id| format!("{name} from {from}, {later} us later: {id}")));
            let (mut alone, together) = (sent(&one), sent(&all));
            for (way, packets) in sent(&other) {
                let known = alone.entry(way).or_default();
                *known = packets.max(*known);
            }
            if alone != together {
                wrong.push(format!("{name} from {from}, {later} us later: {alone:?} and {together:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
