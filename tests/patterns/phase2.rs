//! Trials: IKEv1 phase 2, and what depends on the side that starts.

use std::time::Duration;

use ikescope::diagnose::{Confidence, Finding, PairStatus, Severity, Where};

use crate::life_cycle::standing;
use crate::path::find;
use crate::phase1::{finding, first_cause, raises};
use crate::support::story::{ikev2_psk, main_mode_psk, usual_transform};
use crate::support::wire::{Payload, v1};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::traffic::page;
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "P2-REJECT",
        positive: Lab("v1-p2-enc-mismatch"),
        near_miss: Lab("v1-qm2-lost"),
        how: "Quick Mode is not refused: nothing answers it",
    },
    Trial {
        id: "P2-NO-REPLY",
        positive: Lab("v1-qm2-lost"),
        near_miss: Lab("lsw-lsw-v1-healthy"),
        how: "message 1 is repeated too, and then answered",
    },
    Trial {
        id: "P2-NO-QM3",
        positive: Lab("v1-qm3-lost"),
        near_miss: Lab("v1-simultaneous-initiation"),
        how: "message 2 is repeated too, and message 3 satisfies it",
    },
    Trial {
        id: "P2-PFS",
        positive: Lab("lsw-ss-v1-pfs-mismatch"),
        near_miss: Lab("v1-p2-enc-mismatch"),
        how: "message 1 has no room for a key exchange",
    },
    Trial {
        id: "P2-SELECTOR",
        positive: Lab("v1-second-subnet-ts-mismatch"),
        near_miss: Lab("v1-p2-ts-mismatch"),
        how: "no other Quick Mode shows that the algorithms agree",
    },
    Trial {
        id: "P2-PROPOSAL",
        positive: Lab("v1-p2-enc-mismatch"),
        near_miss: Lab("v1-p2-pfs-group-mismatch"),
        how: "message 1 has room for a key exchange: PFS may be the reason",
    },
    Trial {
        id: "P-DIRECTION",
        positive: Crafted("one side's Main Mode is refused, the other side's succeeds", || {
            refused().swap_roles().after(secs(30)).main_mode().quick_mode().traffic(4).capture()
        }),
        near_miss: Crafted("one side's Main Mode is refused, and succeeds half a minute later", || {
            refused().new_attempt().after(secs(30)).main_mode().quick_mode().traffic(4).capture()
        }),
        how: "the same side started both: something was changed in between",
    },
];

/// An offer that is refused in clear.
fn refused() -> Scenario {
    Scenario::new().mm1(&[usual_transform()]).informational_clear(Side::Responder, v1::notify(v1::NO_PROPOSAL_CHOSEN))
}

/// A peer that answers pings, and no message 1: whether it begins itself, before or after, shows that it can.
#[test]
fn a_peer_that_only_starts_itself_is_told() {
    let up = || main_mode_psk().quick_mode().traffic(4).after(secs(60)).swap_roles();
    let ignored = |told: Scenario, there: bool| {
        let told = told.mm1(&[usual_transform()]).repeat(3, &[4.0, 7.2, 13.0]);
        if there { told.ping(Side::Initiator) } else { told }.quiet(secs(30)).capture()
    };
    let analysis = judge(&ignored(up(), true));
    let found = find(&analysis, "P-DIRECTION").expect("a finding");
    // a host that is just starting answers pings before it answers IKE
    assert_eq!((found.confidence, found.severity), (Confidence::Suspected, Severity::Notice));
    assert!(found.seen.contains("got no answer once"), "{}", found.seen);
    assert!(first_cause(&found).starts_with("one side may only answer or only start"), "{found:?}");
    // its ESP goes on all the while
    let [there, _] = main_mode_psk().quick_mode().esp_spis();
    let beside = (0..3).fold(up().mm1(&[usual_transform()]), |told, number| {
        told.repeat(1, &[5.0]).esp(Side::Responder, there, [10 + number], 120, secs(1))
    });
    assert_eq!(
        find(&judge(&beside.quiet(secs(30)).capture()), "P-DIRECTION").map(|it| it.severity),
        Some(Severity::Warning)
    );
    // a peer of which nothing comes may be down
    assert!(find(&judge(&ignored(up(), false)), "P-DIRECTION").is_none());
    let never_up = judge(&ignored(Scenario::new(), true));
    assert!(find(&never_up, "P-DIRECTION").is_none());
}

/// Message 1 of Quick Mode and copies of it without an answer.
fn asked_in_vain() -> Scenario {
    main_mode_psk().qm1(0).repeat(7, &[0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
}

/// Beside a tunnel of IKEv2, whose traffic goes on: message 3 of a Quick Mode is missed all the same.
#[test]
fn traffic_of_another_tunnel_confirms_no_quick_mode() {
    let other = ikev2_psk();
    let spis = other.esp_spis();
    let asked = other.traffic(20).new_attempt().main_mode().qm1(0).qm2(0);
    let told = [4.0, 7.2, 13.0].iter().zip([21, 31, 41]).fold(asked, |told, (&gap, number)| {
        told.traffic_on(spis, number..number + 10, ms(100)).repeat_from(Side::Responder, 1, &[gap])
    });
    let analysis = judge(&told.traffic_on(spis, 51..101, ms(500)).capture());
    assert_eq!(alarms(&analysis), ["P2-NO-QM3"]);
    assert!(find(&analysis, "OK-UP").is_some());
}

#[test]
fn a_liveness_check_that_crosses_message_1_refuses_nothing() {
    let alone = asked_in_vain().quiet(secs(38)).capture();
    let frames_before = main_mode_psk().qm1(0).capture().frames.len();
    let check = main_mode_psk().qm1(0).after(ms(200)).dpd(Side::Responder, 1).dpd_ack(Side::Initiator, 1).capture();
    let crossed = alone.merge(&check.skip(frames_before));
    let found = finding(&crossed, "P2-NO-REPLY");
    assert_eq!(found.severity, Severity::Error);
    assert!(found.seen.contains("was sent 8 times"), "{}", found.seen);
    assert!(!raises(&crossed, "P2-REJECT"));
    // A refusal of the same length, after which the side that started deletes phase 1.
    let story = main_mode_psk().qm1(0);
    let refusal = story.isakmp_notify(v1::NO_PROPOSAL_CHOSEN, &[]);
    let refused = story.informational(Side::Responder, &[refusal]).delete_isakmp(Side::Initiator);
    assert!(raises(&refused.quiet(secs(30)).capture(), "P2-REJECT"));
}

/// A pair that asks for life all the time; a re-key is lost beyond this point just before the responder asks once more.
#[test]
fn a_liveness_check_behind_a_lost_re_key_refuses_nothing() {
    let asks =
        |told: Scenario, number| told.after(secs(6)).dpd(Side::Responder, number).dpd_ack(Side::Initiator, number);
    let up = (1..5).fold(main_mode_psk().quick_mode().traffic(8), asks);
    let told = up.after(secs(5)).qm1(0).after(ms(90)).dpd(Side::Responder, 5).dpd_ack(Side::Initiator, 5);
    assert!(!raises(&told.quiet(secs(8)).capture(), "P2-REJECT"));
}

/// The responder takes its connection down, and leaves a Quick Mode unanswered before it says that phase 1 is over too.
#[test]
fn a_delete_long_after_message_1_refuses_nothing() {
    let up = main_mode_psk().quick_mode().traffic(8);
    let spi = up.esp_spi(Side::Responder);
    let asked = up.after(secs(9)).delete_ipsec(Side::Responder, spi).after(secs(4)).qm1(0);
    let anew = |told: Scenario| {
        told.after(secs(10)).new_attempt().mm1(&[usual_transform()]).repeat(3, &[0.5, 0.5, 1.0]).capture()
    };
    let deleted = asked.clone().repeat(4, &[0.5, 0.5, 1.0, 2.0]).after(ms(700)).delete_isakmp(Side::Responder);
    let analysis = judge(&anew(deleted));
    assert!(find(&analysis, "P2-REJECT").is_none() && find(&analysis, "P2-NO-REPLY").is_none());
    assert!(find(&analysis, "OK-DELETE").is_some());
    // what comes at once refuses
    let refusal = asked.isakmp_notify(v1::NO_PROPOSAL_CHOSEN, &[]);
    assert!(raises(&anew(asked.informational(Side::Responder, &[refusal])), "P2-REJECT"));
}

/// Somebody mends the setting that differed, and the same Quick Mode is accepted.
#[test]
fn a_refusal_that_was_mended_is_no_alarm() {
    let no = [v1::notify(v1::NO_PROPOSAL_CHOSEN)];
    let refused = main_mode_psk().qm1(0).informational(Side::Responder, &no);
    let mended = refused.clone().after(secs(8)).quick_mode().traffic(8).capture();
    let found = finding(&mended, "P2-REJECT");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.seen.contains("later one of the same length was accepted"), "{}", found.seen);
    assert!(!raises(&mended, "P2-SELECTOR"));
    // one that comes at once is about other networks
    let beside = refused.after(ms(300)).quick_mode().traffic(8).capture();
    assert_eq!(finding(&beside, "P2-REJECT").severity, Severity::Warning);
}

/// What the peer accepted before it hardly refuses when it is renewed.
#[test]
fn a_re_key_without_an_answer_was_lost_most_likely() {
    let refuses = "the peer refuses phase 2 without a word";
    let first = finding(&asked_in_vain().quiet(secs(38)).capture(), "P2-NO-REPLY");
    assert!(first_cause(&first).starts_with(refuses), "{first:?}");
    let renewed = main_mode_psk().quick_mode().traffic(8).after(secs(40)).qm1(0).repeat(4, &[0.5, 1.0, 2.0, 4.0]);
    let renewed = finding(&renewed.quiet(secs(38)).capture(), "P2-NO-REPLY");
    assert!(first_cause(&renewed).starts_with("the message or its answer is lost"), "{renewed:?}");
    assert!(renewed.seen.contains("one of the same length that the initiator started 41"), "{}", renewed.seen);
    assert_eq!(renewed.checks().next().map(|check| check.side), Some(Where::Path));
    // of another length, it is about something else
    let other = main_mode_psk().quick_mode().traffic(8).after(secs(40)).qm1(14).repeat(4, &[0.5, 1.0, 2.0, 4.0]);
    assert!(first_cause(&finding(&other.quiet(secs(38)).capture(), "P2-NO-REPLY")).starts_with(refuses));
}

/// Whoever begins the next Quick Mode gave up the one before, and not the tunnel.
#[test]
fn who_begins_another_quick_mode_has_not_given_up() {
    let given_up = main_mode_psk().qm1(0).repeat(2, &[10.0]);
    let analysis = judge(&given_up.clone().quiet(secs(40)).capture());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("P2-NO-REPLY")));
    let found = find(&analysis, "P2-NO-REPLY").expect("a finding");
    assert!(found.seen.ends_with("the initiator gave up"), "{}", found.seen);
    let analysis = judge(&given_up.after(secs(38)).qm1(0).quiet(secs(2)).capture());
    assert_eq!(standing(&analysis), (PairStatus::DownNegotiating, Some("P2-NO-REPLY")));
    let found = find(&analysis, "P2-NO-REPLY").expect("a finding");
    assert!(!found.seen.contains("gave up"), "{}", found.seen);
}

/// A stream both ways ends at both ends at once, a few seconds after the re-key was refused: the SAs are over.
#[test]
fn a_tunnel_whose_renewal_is_refused_is_not_up_for_ever() {
    let no = [v1::notify(v1::NO_PROPOSAL_CHOSEN)];
    let refused = |told: Scenario| told.after(ms(20)).qm1(0).informational(Side::Responder, &no);
    let streams = main_mode_psk().quick_mode();
    let spis = streams.esp_spis();
    let told = refused(streams.traffic_on(spis, 1..=30, secs(1))).traffic_on(spis, 31..=35, secs(1));
    let analysis = judge(&refused(told.clone().after(secs(10))).quiet(secs(40)).capture());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("P2-REJECT")));
    assert!(find(&analysis, "OK-UP").is_none());
    // while the stream goes on, they are not
    let analysis = judge(&refused(told).traffic_on(spis, 36..=80, secs(1)).capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("P2-REJECT")));
}

#[test]
fn message_1_in_clear_is_refused_for_that() {
    let exchange = v1::exchange::QUICK;
    let clear = main_mode_psk().clear(Side::Initiator, exchange, 7, &[v1::hash(32, 1), v1::nonce(32, 2)]);
    let refused = clear.informational(Side::Responder, &[v1::notify(v1::PAYLOAD_MALFORMED)]);
    let capture = refused.quiet(secs(30)).capture();
    assert!(raises(&capture, "M-ENC-BIT"));
    assert!(!raises(&capture, "P2-REJECT") && !raises(&capture, "P2-PROPOSAL"));
}

/// Message 1 or 2 of Quick Mode as `side` sends it: one proposal, a nonce, a key exchange in this group (0 for none), two
/// networks.
fn quick(story: &Scenario, side: Side, group: u16) -> Vec<Payload> {
    let proposal = v1::Proposal {
        protocol: v1::PROTO_ESP,
        spi: story.esp_spi(side).to_be_bytes().to_vec(),
        transforms: vec![v1::ipsec_transform(12, 128, 5, group)],
    };
    let keys = (group > 0).then(|| v1::key_exchange(group, 3));
    let mask = [255, 255, 255, 0];
    let networks = [v1::id_subnet([10, 2, 0, 0], mask), v1::id_subnet([10, 1, 0, 0], mask)];
    [v1::sa(&[proposal]), v1::nonce(32, 4)].into_iter().chain(keys).chain(networks).collect()
}

/// A refused Quick Mode of the initiator, then one of the responder, each with a key exchange in this group (0 for none).
fn both_refused(initiator: u16, responder: u16) -> Capture {
    let told = main_mode_psk();
    let refuse = |story: Scenario, side| story.informational(side, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]);
    let first = refuse(told.qm1(initiator), Side::Responder).after(secs(30));
    let payloads = quick(&first, Side::Responder, responder);
    refuse(first.qm1_with(Side::Responder, &payloads), Side::Initiator).quiet(secs(30)).capture()
}

#[test]
fn lengths_that_show_pfs_are_not_about_networks() {
    let capture = both_refused(14, 0);
    let (pfs, rejected) = (finding(&capture, "P2-PFS"), finding(&capture, "P2-REJECT"));
    assert_eq!((pfs.severity, rejected.severity), (Severity::Error, Severity::Warning));
    assert!(first_cause(&pfs).contains("at one end only"), "{pfs:?}");
    assert!(first_cause(&rejected).contains("(PFS)"), "{rejected:?}");
}

#[test]
fn groups_of_pfs_that_differ_are_told_from_one_that_is_missing() {
    let capture = both_refused(5, 14);
    let found = finding(&capture, "P2-PFS");
    assert!(found.seen.contains("MODP-1536 and MODP-2048"), "{}", found.seen);
    assert!(first_cause(&found).contains("with different groups"), "{found:?}");
    assert_eq!(finding(&capture, "P2-REJECT").severity, Severity::Error);
    assert!(first_cause(&finding(&capture, "P2-REJECT")).contains("(PFS)"));
}

/// Phase 1 in group 14: a message 1 with a public value of group 5 is too short for one of group 14.
#[test]
fn pfs_in_another_group_than_that_of_phase_1_is_named() {
    let asked = |group| main_mode_psk().qm1(group).repeat(4, &[4.0, 7.2, 13.0, 23.3]).quiet(secs(60)).capture();
    assert!(finding(&asked(5), "P2-PFS").seen.contains("in MODP-1536, and not in the group of phase 1"));
    assert!(finding(&asked(14), "P2-PFS").seen.contains("in the group of phase 1 besides"));
    assert!(!raises(&asked(0), "P2-PFS"));
}

/// A list of proposals is as long as a key exchange is.
#[test]
fn a_message_1_that_lists_much_wants_no_pfs_for_all_that_shows() {
    let refused = |in_phase_1: usize, in_phase_2: usize| {
        let offered = vec![usual_transform(); in_phase_1];
        let story = Scenario::new().mm1(&offered).mm2(&usual_transform()).mm3().mm4().mm5().mm6();
        let transforms = vec![v1::ipsec_transform(12, 128, 5, 0); in_phase_2];
        let proposal = v1::Proposal { protocol: v1::PROTO_ESP, spi: vec![1, 2, 3, 4], transforms };
        let mut payloads = quick(&story, Side::Initiator, 0);
        payloads[0] = v1::sa(&[proposal]);
        let asked = story.qm1_with(Side::Initiator, &payloads);
        asked.informational(Side::Responder, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]).quiet(secs(40)).capture()
    };
    for long in [refused(1, 22), refused(24, 16)] {
        assert!(!raises(&long, "P2-PFS"));
        assert!(finding(&long, "P2-REJECT").seen.ends_with("for a key exchange (PFS), or for several proposals"));
    }
    assert!(!raises(&refused(24, 1), "P2-PFS"));
}

/// What may be the reason of a refusal is no second fault.
#[test]
fn guesses_at_a_refusal_follow_from_it() {
    let refused = main_mode_psk().qm1(0).informational(Side::Responder, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]);
    let analysis = judge(&refused.quiet(secs(40)).capture());
    assert_eq!(alarms(&analysis), ["P2-REJECT"]);
    assert_eq!(find(&analysis, "P2-PROPOSAL").expect("a finding").consequence_of, Some("P2-REJECT"));
}

#[test]
fn where_lengths_show_pfs_the_networks_are_not_suspected() {
    let refusal = v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let story = main_mode_psk().qm1(0).informational(Side::Responder, &[refusal]).after(secs(20));
    let (question, answer) = (quick(&story, Side::Responder, 14), quick(&story, Side::Initiator, 14));
    let told = story.qm1_with(Side::Responder, &question).quick(Side::Initiator, &answer).quick(Side::Responder, &[]);
    let capture = told.traffic(4).capture();
    assert!(raises(&capture, "P2-PFS") && !raises(&capture, "P2-SELECTOR"));
    let direction = finding(&capture, "P-DIRECTION");
    assert!(first_cause(&direction).contains("(PFS)"), "{direction:?}");
    assert!(first_cause(&finding(&capture, "P2-REJECT")).contains("(PFS)"));
}

#[test]
fn what_the_side_that_started_says_to_message_2_is_told() {
    let refusal = v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let told = main_mode_psk().qm1(0).qm2(0).after(ms(4)).informational(Side::Initiator, &[refusal]);
    let found =
        finding(&told.repeat_from(Side::Responder, 4, &[4.0, 7.2, 13.0]).quiet(secs(40)).capture(), "P2-NO-QM3");
    assert!(found.seen.contains("an encrypted Informational came from 203.0.113.10 4 ms after QM2"), "{}", found.seen);
    assert!(found.means.starts_with("the side that started got message 2"), "{}", found.means);
    assert!(first_cause(&found).contains("refuses"), "{found:?}");
}

/// Who took long for message 2 has a peer that may take as long for message 3.
#[test]
fn a_message_3_is_missed_for_longer_than_message_2_took() {
    let standing = |thinks: f64| {
        let asked = main_mode_psk().qm1(0).repeat(2, &[1.0, 2.0]).after(Duration::from_secs_f64(thinks));
        let told = asked.qm2(0).repeat(4, &[0.5, 1.0, 2.0, 4.0]).capture();
        find(&judge(&told), "P2-NO-QM3").map(|it| (it.confidence, it.severity))
    };
    assert_eq!(standing(2.0), Some((Confidence::Suspected, Severity::Notice)));
    let at_once = main_mode_psk().qm1(0).qm2(0).repeat(4, &[0.5, 1.0, 2.0, 4.0]).capture();
    assert_eq!(find(&judge(&at_once), "P2-NO-QM3").map(|it| it.severity), Some(Severity::Warning));
}

/// What comes in the place of message 3 as the capture ends, and is the last word of the side that started.
#[test]
fn a_refusal_in_the_place_of_message_3_is_told_at_once() {
    let told = || main_mode_psk().qm1(0).qm2(0).after(ms(300));
    let refused = |told: Scenario| told.informational(Side::Initiator, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]);
    let standing = |told: Scenario| find(&judge(&told.capture()), "P2-NO-QM3").map(|it| (it.confidence, it.severity));
    assert_eq!(standing(refused(told())), Some((Confidence::Suspected, Severity::Warning)));
    assert_eq!(standing(refused(told()).quiet(secs(20))), Some((Confidence::Inferred, Severity::Warning)));
    let found = finding(&refused(told()).capture(), "P2-NO-QM3");
    assert!(found.means.starts_with("the side that started got message 2"), "{}", found.means);
    assert!(first_cause(&found).contains("refuses"), "{found:?}");
    assert_eq!(found.settle.as_deref(), Some("the log of the side that started: what it makes of QM2"));
    // a liveness check, what is followed by message 3, and what traffic follows refuse nothing
    assert_eq!(standing(told().dpd(Side::Initiator, 1)), None);
    assert_eq!(standing(refused(told()).qm3()), None);
    assert_eq!(standing(refused(told()).traffic(2)), None);
    // a re-key of which the capture misses message 3, and the delete of what it replaced
    let up = main_mode_psk().quick_mode().traffic(8);
    let old = up.esp_spi(Side::Initiator);
    let renewed = up.after(secs(30)).qm1(0).qm2(0).after(ms(20)).delete_ipsec(Side::Initiator, old);
    assert_eq!(standing(renewed), None);
}

#[test]
fn message_2_that_does_not_get_back_is_looked_for_on_the_path() {
    let mut story = main_mode_psk().qm1(0).qm2(0);
    for gap in [4.0, 7.2, 13.0] {
        story = story.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.05]);
    }
    let found = finding(&story.quiet(secs(40)).capture(), "P2-NO-QM3");
    assert!(first_cause(&found).starts_with("message 2 does not get back"), "{found:?}");
    assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Path));
    let installs = |found: &Finding| {
        let check = found.checks().find(|check| check.text.contains("installs the SA"));
        check.map(|check| found.place(check))
    };
    assert_eq!(installs(&found), Some(Where::Initiator), "it is the one that does not go on");
    let in_spite = main_mode_psk().qm1(0).qm2(0).qm3().repeat_from(Side::Responder, 3, &[4.0, 7.2, 13.0]);
    assert_eq!(installs(&finding(&in_spite.quiet(secs(40)).capture(), "P2-NO-QM3")), Some(Where::Responder));
}

/// What is asked for when the tunnel is up already, and then when it is down, did not bring it up.
#[test]
fn what_is_asked_for_late_and_not_answered_is_no_gap_of_the_capture() {
    let up = || main_mode_psk().quick_mode().traffic(4).after(secs(30));
    let asked = page(&up().qm1(0).repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60)).capture());
    assert!(asked.contains("no QM2 until the capture ends") && !asked.contains("is not in the capture"), "{asked}");
    let missed = page(&main_mode_psk().qm1(0).traffic(20).quiet(secs(5)).capture());
    assert!(missed.contains("QM2 is not in the capture"), "{missed}");
    let spi = up().esp_spi(Side::Initiator);
    let down = up().delete_ipsec(Side::Responder, spi).delete_isakmp(Side::Responder).after(secs(5));
    let down = down.new_attempt().mm1(&[usual_transform()]);
    let awaited = page(&down.repeat(2, &[0.5, 1.0]).capture());
    assert!(awaited.contains("OK-DELETE") && awaited.contains("while MM2 is awaited"), "{awaited}");
}

/// The rhythm that is told is that of the message in question, not of one of another Quick Mode.
#[test]
fn the_rhythm_of_a_refused_quick_mode_is_its_own() {
    let first = main_mode_psk().qm1(0).qm2(0).qm3().repeat(2, &[0.02, 0.02]).traffic(4).after(secs(10));
    let refused = |told: Scenario| told.informational(Side::Responder, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]);
    let told = [0.5, 1.0, 2.0]
        .into_iter()
        .fold(refused(first.qm1(0)), |told, gap| refused(told.repeat_from(Side::Initiator, 1, &[gap])));
    let found = finding(&told.quiet(secs(2)).capture(), "P2-REJECT");
    assert!(!found.seen.contains("QM3") && found.seen.contains("the next QM1 is due"), "{}", found.seen);
}

/// Whoever waits for message 3 repeats message 2: one that came once was confirmed, most likely.
#[test]
fn a_message_2_that_is_not_repeated_raises_no_alarm() {
    let told = main_mode_psk().qm1(0).qm2(0);
    let checked = (1..6).fold(told.clone(), |told, sequence| {
        told.after(secs(10)).dpd(Side::Initiator, sequence).dpd_ack(Side::Responder, sequence)
    });
    let analysis = judge(&checked.quiet(secs(30)).capture());
    assert!(alarms(&analysis).is_empty(), "{:?}", alarms(&analysis));
    let repeated = judge(&told.repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60)).capture());
    assert!(alarms(&repeated).contains(&"P2-NO-QM3"));
}

/// Traffic of a tunnel that was there before confirms no Quick Mode.
#[test]
fn a_quick_mode_that_is_not_confirmed_shows_beside_another_tunnel() {
    let told = ikev2_psk();
    let spis = told.esp_spis();
    let tried = told.traffic_on(spis, 1..10, ms(500)).new_attempt().main_mode().qm1(0).qm2(0);
    let analysis = judge(&tried.repeat(3, &[4.0, 7.2, 13.0]).traffic_on(spis, 10..40, ms(500)).capture());
    assert_eq!(alarms(&analysis), ["P2-NO-QM3"]);
    assert_eq!(find(&analysis, "OK-UP").and_then(|up| up.attempt), Some(0));
}

/// Message 1 of Quick Mode and what the responder says to it in clear.
fn answered_in_clear(refusal: Payload) -> Capture {
    let mut story = main_mode_psk().qm1(0).informational_clear(Side::Responder, refusal.clone());
    for gap in [4.0, 7.2] {
        story = story.repeat_from(Side::Initiator, 1, &[gap]).informational_clear(Side::Responder, refusal.clone());
    }
    story.quiet(secs(40)).capture()
}

#[test]
fn a_refusal_in_clear_is_suspected_to_refuse_phase_2() {
    for (said, cause) in [
        (v1::NO_PROPOSAL_CHOSEN, "the ESP or AH proposal"),
        (v1::INVALID_ID_INFORMATION, "the protected networks"),
        (v1::INVALID_SPI, "another reason"),
    ] {
        let capture = answered_in_clear(v1::notify(said));
        assert_eq!(alarms(&judge(&capture)), ["P2-REJECT"], "{said}");
        let found = finding(&capture, "P2-REJECT");
        assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
        assert!(found.seen.contains("in clear") && found.seen.contains("was sent 3 times"), "{}", found.seen);
        assert!(first_cause(&found).starts_with(cause), "{said}: {found:?}");
        assert!(!raises(&capture, "T-SPI-UNKNOWN") && !raises(&capture, "P2-NO-REPLY"));
    }
    let clear = find(&judge(&answered_in_clear(v1::notify(v1::NO_PROPOSAL_CHOSEN))), "M-ENC-BIT").expect("a finding");
    assert_eq!(clear.consequence_of, Some("P2-REJECT"));
    // who does not know the SA refuses no networks
    assert!(!raises(&answered_in_clear(v1::notify(v1::INVALID_COOKIE)), "P2-REJECT"));
    // what names an SPI of ESP is about that
    let of_esp = answered_in_clear(v1::notify_about(v1::PROTO_ESP, &[1, 2, 3, 4], v1::INVALID_SPI, &[]));
    assert!(!raises(&of_esp, "P2-REJECT"));
    let found = finding(&of_esp, "T-SPI-UNKNOWN");
    assert_eq!(found.confidence, Confidence::Suspected);
    assert!(found.seen.contains("the capture holds no ESP or AH to it"), "{}", found.seen);
}

/// Message 1 of both sides has the same length: a key exchange in one of them would show.
#[test]
fn a_side_that_asks_for_the_same_differs_by_no_pfs() {
    let refusal = v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let up = main_mode_psk().quick_mode().traffic(4).delete_isakmp(Side::Initiator).after(secs(20));
    let told = up.swap_roles().main_mode().qm1(0).informational(Side::Responder, &[refusal]);
    let direction = finding(&told.quiet(secs(30)).capture(), "P-DIRECTION");
    assert!(direction.checks().all(|check| !check.text.contains("PFS")), "{direction:?}");
}
