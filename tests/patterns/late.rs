//! Captures that begin within a negotiation, or with an SA that is up: what the frames that are left show is said, and nothing that
//! the missing ones may refute.

use ikescope::diagnose::{Confidence, Severity, Verdict};

use crate::healthy;
use crate::ikev2::child_rekey;
use crate::path::find;
use crate::phase1::{finding, raises};
use crate::support::story::{ikev2_psk, main_mode_psk, usual_transform};
use crate::support::wire::{v1, v2};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::trial::{alarms, judge};

/// Messages 1 to 5 with a pre-shared key.
fn up_to_message_5() -> Scenario {
    Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5()
}

/// An encrypted refusal by the responder, at once.
fn refused(told: Scenario) -> Scenario {
    told.after(ms(9)).informational(Side::Responder, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)])
}

/// A refusal of message 5 after each of its copies, which tell the initiator nothing.
fn other_keys() -> Capture {
    let again = |told: Scenario, gap: &f64| refused(told.repeat_from(Side::Initiator, 1, &[*gap]));
    [4.0, 7.2, 13.0].iter().fold(refused(up_to_message_5()), again).quiet(secs(60)).capture()
}

fn verdict(capture: &Capture) -> Option<&'static str> {
    judge(capture).diagnosis.pairs().next().and_then(|pair| pair.verdict.map(Verdict::id))
}

#[test]
fn what_is_healthy_raises_no_alarm() {
    let mut wrong = Vec::new();
    for (name, story) in healthy::STORIES {
        for skipped in 1..=8 {
            let alarms = alarms(&judge(&story().skip(skipped)));
            if !alarms.is_empty() {
                wrong.push(format!("{name} without the first {skipped}: {alarms:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn keys_that_differ_show_without_the_offer_and_the_choice() {
    let capture = other_keys();
    let found = |skipped| finding(&capture.clone().skip(skipped), "P1-PSK");
    let (whole, chosen, unknown) = (found(0), found(1), found(2));
    assert_eq!(whole.confidence, Confidence::Inferred);
    assert_eq!((chosen.severity, chosen.confidence), (Severity::Error, Confidence::Inferred));
    assert_eq!((unknown.severity, unknown.confidence), (Severity::Error, Confidence::Suspected));
    assert!(unknown.seen.contains("that the method is a pre-shared key was not seen"), "{}", unknown.seen);
    assert!(!chosen.seen.contains("was not seen") && unknown.settle.is_some());
}

/// Copies of message 4 in front of the capture would make it the identity.
#[test]
fn keys_are_one_reason_of_several_where_message_5_comes_first() {
    let late = other_keys().skip(4);
    let found = finding(&late, "P1-AUTH-REJECT");
    assert_eq!(found.confidence, Confidence::Suspected);
    assert!(!raises(&late, "P1-PSK"));
}

#[test]
fn a_certificate_that_was_asked_for_tells_the_method() {
    let asked = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3();
    let told = asked.mm4_with(&[v1::certificate_request(83, 5)]).mm5();
    let late = refused(told).quiet(secs(30)).capture().skip(2);
    assert!(finding(&late, "P1-CERT").seen.starts_with("a certificate was asked for in clear"));
    assert!(!raises(&late, "P1-AUTH-REJECT") && !raises(&late, "P1-PSK"));
}

#[test]
fn message_5_without_an_answer_is_told_without_what_came_before() {
    let told = up_to_message_5().repeat_from(Side::Initiator, 5, &[4.0, 7.2, 13.0, 23.3, 42.0]);
    let capture = told.quiet(secs(20)).capture();
    for skipped in 1..=3 {
        assert_eq!(verdict(&capture.clone().skip(skipped)), Some("P1-AUTH-SILENT"), "without the first {skipped}");
    }
    // which end began does not show
    assert_eq!(alarms(&judge(&capture.skip(4))), [""; 0]);
}

#[test]
fn a_port_that_is_blocked_shows_without_the_first_messages() {
    let told = Scenario::new().nat().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let capture = told.repeat_from(Side::Initiator, 4, &[4.0, 7.2, 13.0, 23.3]).quiet(secs(20)).capture();
    for skipped in 1..=3 {
        assert!(raises(&capture.clone().skip(skipped), "N-PORT4500"), "without the first {skipped}");
    }
}

#[test]
fn a_refused_quick_mode_is_no_phase_1_that_is_up_and_all() {
    let told = refused(main_mode_psk().after(ms(80)).qm1(0));
    let capture = told.quiet(secs(3)).capture();
    for (skipped, confidence) in
        [(0, Confidence::Inferred), (1, Confidence::Inferred), (2, Confidence::Suspected), (5, Confidence::Suspected)]
    {
        let late = capture.clone().skip(skipped);
        let found = finding(&late, "P2-REJECT");
        assert_eq!((found.severity, found.confidence), (Severity::Error, confidence), "without the first {skipped}");
        assert_eq!(verdict(&late), Some("P2-REJECT"));
    }
}

/// As long as no suite tells how long it is, what comes right after message 6 and the first Quick Mode may be INITIAL-CONTACT.
#[test]
fn what_stands_in_the_place_of_initial_contact_is_no_alarm() {
    let told = main_mode_psk().after(ms(9)).qm1(0).after(ms(9));
    let refused = told.informational(Side::Responder, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]);
    let late = refused.quiet(secs(1)).capture().skip(2);
    let found = finding(&late, "P2-REJECT");
    assert_eq!((found.severity, found.confidence), (Severity::Notice, Confidence::Suspected));
}

#[test]
fn a_quick_mode_without_an_answer_is_told_if_phase_1_is_there() {
    let told = main_mode_psk().after(ms(80)).qm1(0).repeat(4, &[4.0, 7.2, 13.0, 23.3]);
    let capture = told.quiet(secs(40)).capture();
    for skipped in [1, 4] {
        assert_eq!(verdict(&capture.clone().skip(skipped)), Some("P2-NO-REPLY"), "without the first {skipped}");
    }
    // A refusal of the first copy may have come before the capture did.
    let refused =
        refused(main_mode_psk().after(ms(80)).qm1(0)).repeat_from(Side::Initiator, 4, &[4.0, 7.2, 13.0, 23.3]);
    let late = refused.after(secs(20)).dpd(Side::Responder, 1).quiet(secs(40)).capture().skip(8);
    assert_eq!(alarms(&judge(&late)), [""; 0]);
}

#[test]
fn message_2_without_message_3_is_told() {
    let told = main_mode_psk().qm1(0).qm2(0).repeat(4, &[4.0, 7.2, 13.0, 23.3]);
    let late = told.quiet(secs(40)).capture().skip(3);
    assert_eq!(verdict(&late), Some("P2-NO-QM3"));
}

/// An answer of 160 octets to IKE_AUTH has no room for a child SA in any suite.
#[test]
fn a_refused_child_sa_shows_in_the_answer_to_ike_auth_alone() {
    let told = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let asks = [told.psk_proof(Side::Initiator), told.child(Side::Initiator)].concat();
    let refused =
        |told: &Scenario| [told.psk_proof(Side::Responder), vec![v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])]].concat();
    let answer = refused(&told);
    let late = told.auth_request(&asks).auth_response(&answer).quiet(secs(20)).capture().skip(2);
    assert_eq!(verdict(&late), Some("V2-CHILD-REJECT"));
    // what is granted has room
    let granted = ikev2_psk().quiet(secs(20)).capture().skip(2);
    assert_eq!(alarms(&judge(&granted)), [""; 0]);
}

#[test]
fn a_re_key_that_is_refused_shows_under_an_sa_from_before() {
    let refused = |rekeys: bool| {
        let told = (0..2).fold(ikev2_psk().traffic(10).after(secs(5)), |told, _| {
            let child = if rekeys { child_rekey(&told, Side::Initiator) } else { told.child(Side::Initiator) };
            let asked = told.create_child_request(Side::Initiator, &child);
            asked.create_child_response(Side::Responder, &[v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])]).after(secs(10))
        });
        judge(&told.traffic(4).capture().skip(4))
    };
    let rekey = find(&refused(true), "V2-REKEY-REFUSED").expect("a finding");
    assert_eq!((rekey.severity, rekey.confidence), (Severity::Warning, Confidence::Inferred));
    // one that names no SA, and has no room for a key exchange in any suite
    let further = find(&refused(false), "V2-CHILD-REJECT").expect("a finding");
    assert_eq!((further.severity, further.confidence), (Severity::Warning, Confidence::Inferred));
}

/// The answer to a first Quick Mode is as long as INITIAL-CONTACT and comes where that would; the initiator does not ask again.
#[test]
fn a_first_quick_mode_that_nobody_asks_for_again_was_refused() {
    let first = || Scenario::ipv6().main_mode().after(ms(9)).qm1(0).after(ms(7));
    let no = [v1::notify(v1::NO_PROPOSAL_CHOSEN)];
    let refused = first().informational(Side::Responder, &no).after(secs(3)).quick_mode().traffic(8);
    let analysis = judge(&refused.quiet(secs(4)).capture());
    let found = find(&analysis, "P2-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Notice, Confidence::Suspected));
    assert_eq!(alarms(&analysis), [""; 0]);
    // asked again, it waits for an answer
    let greeting = |story: Scenario| {
        let greeting = story.isakmp_notify(v1::INITIAL_CONTACT, &[]);
        story.informational(Side::Responder, &[greeting])
    };
    let answered = greeting(first()).qm2(0).qm3().after(secs(3)).quick_mode().traffic(8).quiet(secs(4)).capture();
    assert!(!raises(&answered, "P2-REJECT"));
}
