//! Which side is which and which message is which, where the capture begins late, misses messages or has them in another
//! order than they were sent: no trials of a pattern, but what all of them stand on.

use std::net::IpAddr;

use ikescope::diagnose::{Confidence, PairStatus, Severity, Verdict};
use ikescope::pipeline::Analysis;
use ikescope::track::{Attempt, Label};

use crate::phase1::{finding, raises};
use crate::support::story::{ikev2_psk, main_mode_psk, usual_transform};
use crate::support::wire::{v1, v2};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::trial::{alarms, is_up, judge};

/// Everything up to Quick Mode, traffic, and a liveness check each minute.
fn healthy() -> Scenario {
    let mut story = main_mode_psk().quick_mode().traffic(10);
    for number in 1..4 {
        story = story.after(secs(60)).dpd(Side::Initiator, number).dpd_ack(Side::Responder, number);
    }
    story.quiet(secs(20))
}

fn attempt(analysis: &Analysis, number: usize) -> Attempt {
    analysis.facts.pairs.get(0).expect("a pair").attempts.get(number).cloned().expect("an attempt")
}

fn labels(attempt: &Attempt) -> Vec<String> {
    attempt.exchanges.iter().flat_map(|exchange| &exchange.messages).map(|message| message.label.to_string()).collect()
}

fn status(analysis: &Analysis) -> (PairStatus, Option<&'static str>) {
    let pair = analysis.diagnosis.pairs().next().expect("a pair");
    (pair.status, pair.verdict.map(Verdict::id))
}

fn initiator() -> IpAddr {
    Scenario::new().address(Side::Initiator)
}

fn report(capture: &Capture) -> String {
    format!("{:?}", crate::phase1::findings(capture))
}

#[test]
fn a_capture_that_begins_within_main_mode_knows_who_began_it() {
    for (skipped, first) in [(2, "MM3"), (3, "MM4"), (4, "MM5"), (5, "MM6")] {
        let analysis = judge(&healthy().capture().skip(skipped));
        let attempt = attempt(&analysis, 0);
        assert_eq!(labels(&attempt)[0], first, "without the first {skipped}");
        assert_eq!((attempt.roles_known, attempt.initiator.ip()), (true, initiator()), "from {first} on");
        assert_eq!(labels(&attempt)[6 - skipped..9 - skipped], ["QM1", "QM2", "QM3"]);
        assert_eq!(status(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    }
}

#[test]
fn a_capture_that_begins_within_a_nat_traversing_main_mode_does_too() {
    let story = Scenario::new().nat().main_mode().quick_mode().traffic(4).capture();
    let attempt = attempt(&judge(&story.skip(3)), 0);
    assert_eq!((attempt.roles_known, attempt.initiator.ip()), (true, initiator()));
    assert!(attempt.moves.iter().any(|step| step.side == ikescope::track::Side::Initiator), "{:?}", attempt.moves);
}

#[test]
fn a_capture_that_begins_with_quick_mode_does_not() {
    let attempt = attempt(&judge(&healthy().capture().skip(6)), 0);
    assert!(!attempt.roles_known);
    assert_eq!(labels(&attempt)[..3], ["QM1", "QM2", "QM3"]);
}

#[test]
fn what_is_said_of_sides_that_are_not_known_names_addresses() {
    let refusal = v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let told = main_mode_psk().qm1(0).informational(Side::Responder, std::slice::from_ref(&refusal));
    let told = told.after(secs(5)).qm1(0).informational(Side::Responder, &[refusal]);
    let found = finding(&told.quiet(secs(30)).capture().skip(6), "P2-REJECT");
    let text = format!("{} {} {:?}", found.seen, found.means, found.settle);
    assert!(!text.contains("initiator") && !text.contains("responder"), "{text}");
    assert!(found.seen.starts_with(&format!("QM1 from {}", initiator())), "{text}");
}

#[test]
fn message_5_that_is_answered_with_errors_is_not_message_6() {
    let story = || Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let refuse =
        |story: Scenario| story.after(ms(2)).informational(Side::Responder, &[v1::notify(v1::PAYLOAD_MALFORMED)]);
    let mut told = refuse(story());
    for gap in [4.0, 7.2, 13.0] {
        told = refuse(told.repeat_from(Side::Initiator, 1, &[gap]));
    }
    let capture = told.quiet(secs(60)).capture();
    for skipped in [3, 4, 5] {
        let late = capture.clone().skip(skipped);
        let attempt = attempt(&judge(&late), 0);
        assert_eq!((attempt.roles_known, attempt.initiator.ip()), (true, initiator()), "without the first {skipped}");
        assert_eq!((attempt.stage, attempt.phase1_up), (Label::Mm(5), None));
        assert!(!raises(&late, "OK-P1-UP"), "{}", report(&late));
    }
}

#[test]
fn one_encrypted_message_of_main_mode_shows_no_phase_1() {
    let told = main_mode_psk().after(ms(20)).informational(Side::Initiator, &[v1::notify(v1::INVALID_ID_INFORMATION)]);
    let capture = told.quiet(secs(30)).capture().skip(5);
    let attempt = attempt(&judge(&capture), 0);
    assert!(!attempt.roles_known, "message 5 refused by the responder, or message 6 by the initiator");
    assert_eq!(labels(&attempt), ["MM5/6", "INF"]);
    assert!(!raises(&capture, "OK-P1-UP") && alarms(&judge(&capture)).is_empty(), "{}", report(&capture));
}

#[test]
fn no_time_is_told_for_a_set_up_whose_beginning_is_missing() {
    let whole = main_mode_psk().quiet(secs(5)).capture();
    assert!(finding(&whole, "OK-P1-UP").seen.starts_with("set up in"));
    let late = finding(&whole.skip(4), "OK-P1-UP");
    assert!(!late.seen.contains("set up in"), "{}", late.seen);
}

/// The frames with these numbers, from 1, in the place of one another.
fn swapped(mut capture: Capture, pairs: &[(usize, usize)]) -> Capture {
    for &(one, other) in pairs {
        let (first, second) = (capture.frames[one - 1].octets.clone(), capture.frames[other - 1].octets.clone());
        capture.frames[one - 1].octets = second;
        capture.frames[other - 1].octets = first;
    }
    capture
}

#[test]
fn an_answer_that_was_recorded_first_belongs_to_who_gave_it() {
    let story = || ikev2_psk().traffic(6).liveness(Side::Responder).liveness(Side::Initiator).quiet(secs(5)).capture();
    let frames = story().frames.len();
    for pairs in [vec![(3, 4)], vec![(1, 2)], vec![(1, 2), (3, 4), (frames - 4, frames - 3)]] {
        let analysis = judge(&swapped(story(), &pairs));
        let attempt = attempt(&analysis, 0);
        assert_eq!(alarms(&analysis), [""; 0], "{pairs:?}");
        assert_eq!((attempt.midstream, attempt.initiator.ip()), (false, initiator()), "{pairs:?}");
        assert!(
            attempt.exchanges[..2].iter().all(|one| one.started_by == ikescope::track::Side::Initiator),
            "{pairs:?}"
        );
        assert_eq!(status(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    }
    let analysis = judge(&swapped(healthy().capture(), &[(1, 2), (3, 4), (5, 6), (7, 8)]));
    let attempt = attempt(&analysis, 0);
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(labels(&attempt)[..9], ["MM2", "MM1", "MM4", "MM3", "MM6", "MM5", "QM2", "QM1", "QM3"]);
    assert!(!attempt.midstream);
}

/// An IKEv2 tunnel in use, a notify of the responder in clear, and liveness checks of both sides behind it.
fn contradicted(response: bool, id: u32) -> Capture {
    let story = ikev2_psk().traffic(10).liveness(Side::Initiator);
    let (initiator_spi, responder_spi) = story.ike_spis();
    let flags = if response { v2::RESPONSE } else { 0 };
    let exchange_type = v2::exchange::INFORMATIONAL;
    let header =
        crate::support::Header { initiator_spi, responder_spi, version: 0x20, exchange_type, flags, message_id: id };
    let notify = header.message(&[v2::notify(v2::INVALID_IKE_SPI, &[])]);
    let told = story.after(secs(10)).raw(Side::Responder, &notify).after(secs(10)).liveness(Side::Initiator);
    told.liveness(Side::Responder).clone().traffic_on(told_spis(), 20..60, ms(500)).capture()
}

fn told_spis() -> [u32; 2] {
    ikev2_psk().esp_spis()
}

#[test]
fn a_notify_in_clear_that_encrypted_messages_refute_takes_no_tunnel_down() {
    // Under the id of a request to come, of one that is far off, and as a request that the responder has yet to make.
    for (response, id) in [(true, 3), (true, 7), (false, 0)] {
        let capture = contradicted(response, id);
        let analysis = judge(&capture);
        assert_eq!(alarms(&analysis), [""; 0], "{response} {id}: {}", report(&capture));
        assert_eq!(status(&analysis), (PairStatus::UpActive, Some("OK-UP")), "{response} {id}");
        let found = finding(&capture, "V2-CLEAR-ERROR");
        assert!(found.seen.ends_with("once") && found.means.contains("refutes"), "{found:?}");
        assert!(!raises(&capture, "OK-RETRANS"), "an encrypted message repeats none in clear");
    }
}

#[test]
fn a_forged_refusal_in_clear_is_not_the_answer_to_ike_auth() {
    let init = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let asked = init.clone().ikev2_auth();
    let (request, answer) = (asked.clone().capture().frames.len() - 1, asked.traffic(10).capture());
    let (initiator_spi, responder_spi) = init.ike_spis();
    let exchange_type = v2::exchange::AUTH;
    let header = crate::support::Header {
        initiator_spi,
        responder_spi,
        version: 0x20,
        exchange_type,
        flags: v2::RESPONSE,
        message_id: 1,
    };
    let notify = header.message(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
    let forged = init.after(ms(30)).raw(Side::Responder, &notify).capture().skip(request - 1);
    let capture = answer.merge(&forged);
    let analysis = judge(&capture);
    assert_eq!(alarms(&analysis), [""; 0], "{}", report(&capture));
    assert_eq!(status(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    let found = finding(&capture, "M-ENC-BIT");
    assert!(found.seen.contains("AUTHENTICATION_FAILED (24), once"), "{}", found.seen);
    assert!(found.checks().all(|check| !check.text.contains("key")), "{found:?}");
}

#[test]
fn quick_mode_of_which_a_message_is_missing_is_named_by_what_fits() {
    let frames = main_mode_psk().capture().frames.len();
    let idle = || {
        let mut story = main_mode_psk().qm1(0).qm2(0).qm3();
        for number in 1..6 {
            story = story.after(secs(20)).dpd(Side::Initiator, number).dpd_ack(Side::Responder, number);
        }
        story.capture()
    };
    let quick_mode = |missing: &[usize]| {
        let capture = idle().without(&missing.iter().map(|number| frames + number).collect::<Vec<_>>());
        let analysis = judge(&capture);
        assert_eq!(alarms(&analysis), [""; 0], "without {missing:?}: {}", report(&capture));
        assert_eq!(status(&analysis).0, PairStatus::UpIdle, "without {missing:?}");
        let attempt = attempt(&analysis, 0);
        let exchange = &attempt.exchanges[1];
        assert_eq!(exchange.started_by, ikescope::track::Side::Initiator, "without {missing:?}");
        exchange.messages.iter().map(|message| message.label.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(quick_mode(&[1]), ["QM2", "QM3"]);
    assert_eq!(quick_mode(&[2]), ["QM1", "QM3"]);
    assert_eq!(quick_mode(&[3]), ["QM1", "QM2"]);
    assert_eq!(quick_mode(&[1, 2]), ["QM3"]);
}

#[test]
fn message_3_that_nobody_asks_for_is_no_alarm() {
    let analysis = judge(&main_mode_psk().qm1(0).qm2(0).quiet(secs(120)).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(status(&analysis).0, PairStatus::Unknown);
}

#[test]
fn message_2_that_is_refused_or_asked_for_again_brings_no_tunnel_up() {
    let live = |mut story: Scenario| {
        for number in 1..6 {
            story = story.after(secs(20)).dpd(Side::Initiator, number).dpd_ack(Side::Responder, number);
        }
        judge(&story.capture())
    };
    let asked = || main_mode_psk().qm1(0).qm2(0);
    let refused = live(asked().informational(Side::Initiator, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]));
    let again = live(asked().repeat(3, &[4.0, 7.2, 13.0]));
    for analysis in [refused, again] {
        assert_eq!(alarms(&analysis), ["P2-NO-QM3"]);
        assert!(!is_up(&analysis), "{:?}", status(&analysis));
    }
}

#[test]
fn the_message_that_the_commit_bit_asks_for_repeats_none() {
    let connected = |story: &Scenario| {
        let spi = story.esp_spi(Side::Responder).to_be_bytes();
        v1::notify_about(v1::PROTO_ESP, &spi, 16_384, &[])
    };
    let story = main_mode_psk().qm1(0).qm2(0).qm3();
    let capture = story.clone().quick(Side::Responder, &[connected(&story)]).traffic(10).capture();
    let attempt = attempt(&judge(&capture), 0);
    assert_eq!(labels(&attempt)[6..], ["QM1", "QM2", "QM3", "QM4"]);
    assert_eq!(attempt.stage, Label::Qm(3));
    assert!(!raises(&capture, "OK-RETRANS") && raises(&capture, "OK-UP"));
}

#[test]
fn fragments_that_never_became_whole_have_the_marker_that_each_of_them_has() {
    let story = Scenario::new().nat().ike_fragments(500).mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4();
    let told = story.losing(&[2]).mm5_certificate(1500).repeat(3, &[4.0, 7.2, 13.0]);
    let capture = told.quiet(secs(60)).capture();
    assert!(raises(&capture, "F-V1FRAG-INCOMPLETE") && !raises(&capture, "M-MARKER"), "{}", report(&capture));
}

/// A tunnel in use; the responder falls silent, and refuses what still comes outside of any SA. `then` tells on.
fn refused(then: impl FnOnce(Scenario) -> Scenario) -> Capture {
    let mut story = main_mode_psk().quick_mode().traffic(10).after(secs(10));
    let [there, _] = story.esp_spis();
    let spi = there.to_be_bytes();
    for number in 0..8 {
        story = story.esp(Side::Initiator, there, number * 5 + 20..number * 5 + 25, 120, secs(1));
        let refusal = v1::notify_about(v1::PROTO_ESP, &spi, v1::INVALID_SPI, &[]);
        story = story.outside(Side::Responder, number.into(), refusal);
    }
    then(story).capture()
}

#[test]
fn sas_that_the_peer_refuses_to_the_end_are_no_tunnel() {
    let capture = refused(|story| story);
    let analysis = judge(&capture);
    assert_eq!(status(&analysis), (PairStatus::UpNoIke, Some("T-SPI-UNKNOWN")));
    let found = finding(&capture, "T-SPI-UNKNOWN");
    assert!(found.severity == Severity::Error && found.seen.contains("8 times"), "{found:?}");
    assert!(!raises(&capture, "OK-UP") && !raises(&capture, "C-MIDSTREAM"), "{}", report(&capture));
    assert_eq!(analysis.facts.pairs.attempts(0), 2, "remarks outside of any SA are no attempts");
    assert!(finding(&capture, "S-IKEV1").seen.starts_with("1 of 1"));
}

#[test]
fn sas_that_took_their_place_are() {
    let capture = refused(|story| {
        let anew = story.after(secs(5)).new_attempt().main_mode().quick_mode();
        let spis = anew.esp_spis();
        anew.traffic_on([spis[0] ^ 0x100, spis[1] ^ 0x100], 1..60, ms(500))
    });
    let analysis = judge(&capture);
    assert_eq!(status(&analysis), (PairStatus::UpActive, Some("OK-UP")), "{}", report(&capture));
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(finding(&capture, "T-SPI-UNKNOWN").severity, Severity::Notice);
}

#[test]
fn an_invalid_spi_that_names_none_while_traffic_goes_on_is_a_remark() {
    let story = main_mode_psk().quick_mode().traffic(10);
    let notify = story.isakmp_notify(v1::INVALID_SPI, &[]);
    let (spis, told) = (story.esp_spis(), story.informational_clear(Side::Responder, notify));
    let capture = told.traffic_on(spis, 20..60, ms(500)).capture();
    let analysis = judge(&capture);
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(status(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    assert_eq!(finding(&capture, "T-SPI-UNKNOWN").severity, Severity::Notice);
}

/// A refusal of what nobody knows, long after anything was asked: by a peer whose tunnel works.
#[test]
fn a_refusal_outside_of_any_sa_is_no_sa_and_no_alarm() {
    let stray = |story: Scenario, number| {
        story.after(secs(20)).outside(Side::Responder, number, v1::notify(v1::INVALID_COOKIE))
    };
    let healthy = main_mode_psk().quick_mode().traffic(10);
    let spis = healthy.esp_spis();
    let capture = (0..3).fold(healthy, stray).traffic_on(spis, 20..30, ms(500)).capture();
    let analysis = judge(&capture);
    assert_eq!(status(&analysis), (PairStatus::UpActive, Some("OK-UP")), "{}", report(&capture));
    assert_eq!(alarms(&analysis), [""; 0]);
    assert!(!raises(&capture, "C-MIDSTREAM"));
    assert!(finding(&capture, "S-IKEV1").seen.starts_with("1 of 1"));
    let restarted = (4..7).fold(main_mode_psk().quick_mode().traffic(10), |told, number| {
        stray(told.dpd(Side::Initiator, number as u32), number)
    });
    let stale = finding(&restarted.quiet(secs(5)).capture(), "L-STALE-SA");
    assert_eq!((stale.severity, stale.confidence), (Severity::Error, Confidence::Suspected));
    let alone = judge(&stray(Scenario::new(), 1).quiet(secs(5)).capture());
    assert_eq!(status(&alone).0, PairStatus::Unknown);
}

/// RFC 2408 §3.14: a Notification is no message of the exchange that it comes in, and in clear it is no proof.
#[test]
fn an_error_in_clear_moves_no_exchange_on() {
    let refused = |message_type| [v1::notify(message_type)];
    let aggressive = Scenario::new().am1(&[usual_transform()]).am2(&usual_transform());
    let told = aggressive.clear(Side::Initiator, v1::exchange::AGGRESSIVE, 0, &refused(v1::AUTHENTICATION_FAILED));
    let analysis = judge(&told.quiet(secs(30)).capture());
    assert!(!is_up(&analysis));
    assert_eq!(attempt(&analysis, 0).waiting_for, Some(Label::Am(3)));
    assert_eq!(alarms(&analysis), ["P1-AGGR-AUTH"]);

    let asked = main_mode_psk().qm1(0);
    let id = attempt(&judge(&asked.clone().capture()), 0).exchanges.last().expect("Quick Mode").message_id.0;
    let say = |told: Scenario, side| told.clear(side, v1::exchange::QUICK, id, &refused(v1::NO_PROPOSAL_CHOSEN));
    let analysis = judge(&say(asked.clone(), Side::Responder).quiet(secs(30)).capture());
    assert_eq!(attempt(&analysis, 0).waiting_for, Some(Label::Qm(2)));
    assert_eq!(alarms(&analysis), ["P2-REJECT"]);
    let analysis = judge(&say(asked.qm2(0), Side::Initiator).quiet(secs(30)).capture());
    assert!(!is_up(&analysis));
    assert_eq!(attempt(&analysis, 0).phase2_up, None);

    let story = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let told = story.clear(Side::Responder, v1::exchange::TRANSACTION, 7, &refused(v1::AUTHENTICATION_FAILED));
    assert_eq!(attempt(&judge(&told.quiet(secs(30)).capture()), 0).phase1_up, None);
}
