//! Trials: Liveness, re-keying, deletion.

use ikescope::diagnose::{Confidence, PairStatus, Severity, Verdict, Where};
use ikescope::pipeline::Analysis;

use crate::ikev2::{child_keys, child_rekey};
use crate::path::find;
use crate::support::story::{ikev2_gcm, ikev2_psk, main_mode_psk, usual_transform};
use crate::support::wire::Attribute;
use crate::support::{Capture, Payload, Scenario, Side, ms, secs, v1, v2};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, judge};

/// A check that is answered and comes all the same is not answered for who asks. Where it comes no more, it was.
#[test]
fn checks_that_were_answered_once_say_when() {
    let asked = ikev2_psk().traffic(4).after(secs(5)).liveness(Side::Initiator);
    let silent =
        asked.clone().after(secs(5)).informational_request(Side::Initiator, &[]).repeat(4, &[2.0, 3.6, 6.5, 11.7]);
    let seen = |told: Scenario| find(&judge(&told.quiet(secs(20)).capture()), "OK-DPD").expect("a remark").seen.clone();
    assert!(seen(silent).contains("the last time ") && !seen(asked).contains("the last time"));
}

#[test]
fn two_negotiations_side_by_side_are_told_as_that() {
    let found = judge(&Lab("v2-simultaneous-initiation").captures()[0]);
    assert!(find(&found, "OK-UP").expect("it is up").seen.starts_with("the second of two negotiations"));
}

#[test]
fn checks_that_go_on_in_spite_of_their_answers_are_not_answered() {
    let asked =
        ikev2_psk().traffic(4).after(secs(5)).liveness(Side::Initiator).after(secs(5)).liveness(Side::Initiator);
    let again = |told: Scenario, gap: f64| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.02])
    };
    let told = [4.0, 7.2, 13.0].into_iter().fold(asked, again);
    let analysis = judge(&told.clone().quiet(secs(5)).capture());
    assert_eq!(alarms(&analysis), ["L-DPD-TIMEOUT"]);
    let found = find(&analysis, "L-DPD-TIMEOUT").expect("a finding");
    assert!(found.seen.contains("comes all the same, 3 times more"), "{}", found.seen);
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert!(found.causes.iter().all(|cause| cause.text.contains("path") || cause.text.contains("NAT")));
    assert!(found.checks().all(|check| !check.text.contains("daemon")), "the peer lives");
    assert!(find(&analysis, "OK-UP").is_none());
    assert!(find(&analysis, "OK-DPD").is_some_and(|found| found.seen.starts_with("asked and answered once")));
    let sure = judge(&again(told.clone(), 23.3).quiet(secs(5)).capture());
    assert_eq!(find(&sure, "L-DPD-TIMEOUT").expect("a finding").severity, Severity::Error);
    for heard in [told.clone().quiet(secs(60)), told.after(secs(5)).liveness(Side::Initiator)] {
        assert_eq!(alarms(&judge(&heard.capture())), [""; 0]);
    }
}

#[test]
fn a_responder_that_throws_each_sa_out_keeps_another_peers() {
    let thrown_out = |told: Scenario| {
        let used = told.ikev2(&v2::ike_cbc(14)).traffic(2).after(secs(2));
        let gone = used.informational_request(Side::Responder, &[v2::delete_ike()]);
        gone.informational_response(Side::Initiator, &[]).after(ms(50)).new_attempt()
    };
    let up = |times: usize| (0..times).fold(Scenario::new(), |told, _| thrown_out(told)).ikev2(&v2::ike_cbc(14));
    let found = find(&judge(&up(6).traffic(4).capture()), "L-DELETE-STORM").expect("a finding");
    assert_eq!(found.severity, Severity::Warning);
    assert!(found.causes[0].text.contains("the same identity"), "{:?}", found.causes);
    let twice = judge(&up(2).traffic(4).capture());
    assert!(find(&twice, "L-DELETE-STORM").is_none());
}

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "L-DPD-TIMEOUT",
        positive: Crafted("a liveness check is sent four times, and the peer is silent", || {
            ikev2_gcm()
                .traffic(10)
                .after(secs(30))
                .informational_request(Side::Initiator, &[])
                .repeat(3, &[2.0, 4.0, 8.0])
                .quiet(secs(20))
                .capture()
        }),
        near_miss: Lab("v1-main-dpd-healthy"),
        how: "the checks are answered",
    },
    Trial {
        id: "L-FLAP",
        positive: Crafted("the tunnel comes up four times and breaks each time, then nobody answers", || {
            (0..3)
                .fold(life(Scenario::new()), |told, _| life(told.after(secs(40)).new_attempt()))
                .after(secs(40))
                .new_attempt()
                .mm1(&[usual_transform()])
                .repeat(3, &[4.0, 7.2, 13.0])
                .quiet(secs(90))
                .capture()
        }),
        near_miss: Crafted("it is negotiated anew four times, while traffic goes on", || {
            (0..4).fold(life(Scenario::new()), |told, _| make_before_break(told, usual_transform(), 61)).capture()
        }),
        how: "the old SAs carry traffic until the new ones are there",
    },
    Trial {
        id: "L-LIFETIME",
        positive: Crafted(
            "phase 1 is agreed for two minutes; when they are over, the tunnel is down until set up anew",
            || {
                let short = lasting(120);
                let story = Scenario::new().main_mode_of(&short).quick_mode();
                let spis = story.esp_spis();
                story
                    .traffic_on(spis, 1..=115, ms(985))
                    .after(secs(6))
                    .new_attempt()
                    .main_mode_of(&short)
                    .quick_mode()
                    .traffic(20)
                    .capture()
            },
        ),
        near_miss: Crafted("the same, set up anew a few seconds before they are over", || {
            let short = lasting(120);
            let story = Scenario::new().main_mode_of(&short).quick_mode();
            let spis = story.esp_spis();
            make_before_break(story.traffic_on(spis, 1..=110, ms(985)), short, 111).capture()
        }),
        how: "new SAs are there before the old ones end",
    },
    Trial {
        id: "L-DELETE-AFTER-P1",
        positive: Crafted("half a second after Main Mode the responder deletes the SA", || {
            main_mode_psk().after(ms(500)).delete_isakmp(Side::Responder).quiet(secs(60)).capture()
        }),
        near_miss: Crafted("the responder deletes it after it was used", || {
            main_mode_psk().quick_mode().traffic(4).delete_isakmp(Side::Responder).quiet(secs(60)).capture()
        }),
        how: "a Quick Mode lies between",
    },
    Trial {
        id: "L-DELETE-STORM",
        positive: Crafted("fifteen Quick Modes in half a minute, each deleted by the responder", || {
            (0..15)
                .fold(main_mode_psk(), |told, number: u32| {
                    let spi = 0xc000_1000 + number;
                    told.quick_mode()
                        .esp(Side::Initiator, spi, [1], 120, ms(500))
                        .esp(Side::Responder, spi + 0x1000, [1], 120, ms(15))
                        .delete_ipsec(Side::Responder, spi)
                        .after(ms(1200))
                })
                .new_attempt()
                .mm1(&[usual_transform()])
                .repeat(3, &[4.0, 7.2, 13.0])
                .quiet(secs(90))
                .capture()
        }),
        near_miss: Crafted("fifteen Quick Modes, and fifteen deletes when the tunnel is taken down", || {
            let all_up = (0..15).fold(main_mode_psk(), |told, _| told.quick_mode()).traffic(20).after(secs(300));
            (0..15).fold(all_up, |told, number| told.delete_ipsec(Side::Responder, number)).quiet(secs(60)).capture()
        }),
        how: "deletes without new SAs beside them",
    },
    Trial {
        id: "L-REKEY-COLLISION",
        positive: Crafted("both sides ask for a new child SA within five milliseconds", || {
            let story = ikev2_gcm().traffic(10).after(secs(30));
            let (ours, theirs) = (new_child(&story, Side::Initiator), new_child(&story, Side::Responder));
            story
                .create_child_request(Side::Initiator, &ours)
                .after(ms(5))
                .create_child_request(Side::Responder, &theirs)
                .create_child_response(Side::Initiator, &ours)
                .create_child_response(Side::Responder, &theirs)
                .traffic_on(NEW_SPIS, 1..=4, ms(100))
                .capture()
        }),
        near_miss: Crafted("both do, one after the other", || {
            let story = ikev2_gcm().traffic(10).after(secs(30));
            let (ours, theirs) = (new_child(&story, Side::Initiator), new_child(&story, Side::Responder));
            story
                .create_child_request(Side::Initiator, &ours)
                .create_child_response(Side::Responder, &theirs)
                .create_child_request(Side::Responder, &theirs)
                .create_child_response(Side::Initiator, &ours)
                .traffic_on(NEW_SPIS, 1..=4, ms(100))
                .capture()
        }),
        how: "each request is answered before the next",
    },
    Trial {
        id: "L-SIMULT-INIT",
        positive: Lab("v1-simultaneous-initiation"),
        near_miss: Crafted("both sides initiate, a minute apart", || {
            main_mode_psk().quick_mode().after(secs(60)).swap_roles().main_mode().quick_mode().traffic(4).capture()
        }),
        how: "the first negotiation is complete when the second begins",
    },
    Trial {
        id: "L-DUP-SA",
        positive: Crafted("after a re-key one side changes to the new SA and the other never does", || {
            rekeyed(|told, [there, _], [_, new_back]| told.traffic_on([there, new_back], 151..=300, ms(985)))
        }),
        near_miss: Crafted("after a re-key both sides change over", || {
            rekeyed(|told, _, new| told.traffic_on(new, 1..=150, ms(985)))
        }),
        how: "both use the new SAs",
    },
    Trial {
        id: "L-STALE-SA",
        positive: Crafted("INVALID-COOKIE in clear answers a liveness check", || {
            asked_when_idle(|told| told.informational_clear(Side::Responder, v1::notify(v1::INVALID_COOKIE)))
        }),
        near_miss: Crafted("R-U-THERE-ACK does", || asked_when_idle(|told| told.dpd_ack(Side::Responder, 1))),
        how: "the peer knows the SA",
    },
    Trial {
        id: "L-RETRY-LOOP",
        positive: Lab("lsw-ss-v2-psk-mismatch"),
        near_miss: Crafted("every second of five negotiations is refused", || {
            (0..2)
                .fold(refused(Scenario::new()), |told, _| {
                    let up = told.after(secs(30)).new_attempt().main_mode().quick_mode().traffic(4);
                    refused(up.after(secs(30)).new_attempt())
                })
                .capture()
        }),
        how: "the others succeed",
    },
];

/// The usual transform, with this lifetime in seconds.
fn lasting(seconds: u16) -> v1::Transform {
    let mut transform = usual_transform();
    transform.attributes.retain(|attribute| !matches!(attribute, Attribute::Tv(12, _)));
    transform.attributes.push(Attribute::Tv(12, seconds));
    transform
}

/// A tunnel that is used for about a minute.
fn life(story: Scenario) -> Scenario {
    let up = story.main_mode().quick_mode();
    let spis = up.esp_spis();
    up.traffic_on(spis, 1..=60, ms(985))
}

/// A new negotiation while the old SAs still carry traffic, numbered from `next` on; then a minute on the new ones.
fn make_before_break(story: Scenario, transform: v1::Transform, next: u32) -> Scenario {
    let old = story.esp_spis();
    let new = story.new_attempt().main_mode_of(&transform).quick_mode();
    let spis = new.esp_spis();
    new.traffic_on(old, next..next + 3, ms(985)).traffic_on(spis, 1..=60, ms(985))
}

/// IKEv2 with traffic, a child SA re-keyed, and `then`, which is told the old SPIs and the new.
fn rekeyed(then: fn(Scenario, [u32; 2], [u32; 2]) -> Scenario) -> Capture {
    let story = ikev2_gcm();
    let old = story.esp_spis();
    let (ours, theirs) = (new_child(&story, Side::Initiator), new_child(&story, Side::Responder));
    let told = story
        .traffic_on(old, 1..=150, ms(985))
        .create_child_request(Side::Initiator, &ours)
        .create_child_response(Side::Responder, &theirs);
    then(told, old, NEW_SPIS).capture()
}

/// What CREATE_CHILD_SA with PFS holds (RFC 7296 §1.3.1).
fn new_child(story: &Scenario, side: Side) -> Vec<Payload> {
    [story.child(side), vec![v2::nonce(32, 1), v2::key_exchange(19, 2)]].concat()
}

/// The SPIs of a child SA that was re-keyed: what the initiator sends on, what the responder does.
const NEW_SPIS: [u32; 2] = [0xc001_0001, 0xc001_0002];

/// A tunnel, half a minute of quiet, a liveness check of the initiator, and `then`.
fn asked_when_idle(then: fn(Scenario) -> Scenario) -> Capture {
    then(main_mode_psk().quick_mode().traffic(10).after(secs(30)).dpd(Side::Initiator, 1)).quiet(secs(30)).capture()
}

fn refused(story: Scenario) -> Scenario {
    story.mm1(&[usual_transform()]).informational_clear(Side::Responder, v1::notify(v1::NO_PROPOSAL_CHOSEN))
}

/// Status of the only pair, and its verdict.
pub fn standing(analysis: &Analysis) -> (PairStatus, Option<&'static str>) {
    let pair = analysis.diagnosis.pairs().last().expect("a pair");
    (pair.status, pair.verdict.map(Verdict::id))
}

/// A tunnel in use.
fn in_use() -> Scenario {
    main_mode_psk().quick_mode().traffic(10).after(secs(10))
}

/// `told`, then four liveness checks of the initiator, ten seconds apart, each followed by `each`.
fn asked_in_vain(told: Scenario, each: impl Fn(Scenario) -> Scenario) -> Scenario {
    (1..=4).fold(told, |told, number| each(told.dpd(Side::Initiator, number)).after(secs(10)))
}

#[test]
fn who_goes_on_with_an_sa_has_not_lost_it_whatever_a_notify_says() {
    let said = in_use().informational_clear(Side::Responder, v1::notify(v1::INVALID_COOKIE)).after(secs(10));
    let spis = said.esp_spis();
    let alive = said.clone().dpd(Side::Initiator, 1).dpd_ack(Side::Responder, 1).traffic_on(spis, 11..=14, ms(500));
    let alive = alive.quiet(secs(30)).capture();
    let analysis = judge(&alive);
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    assert_eq!(find(&analysis, "L-STALE-SA").expect("a remark").severity, Severity::Notice);
    // and whoever says no more has lost it: nothing is up then
    let analysis = judge(&said.dpd(Side::Initiator, 1).quiet(secs(60)).capture());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("L-STALE-SA")));
    assert!(find(&analysis, "OK-UP").is_none());
}

#[test]
fn a_peer_that_died_is_not_called_alive() {
    let dead = asked_in_vain(in_use(), |told| told).new_attempt().mm1(&[usual_transform()]);
    let analysis = judge(&dead.repeat(4, &[4.0, 7.2, 13.0, 23.3]).quiet(secs(30)).capture());
    assert_eq!(standing(&analysis).1, Some("L-DPD-TIMEOUT"));
    let silent = find(&analysis, "P1-NO-REPLY").expect("it is found");
    assert_eq!((silent.severity, silent.consequence_of), (Severity::Notice, Some("L-DPD-TIMEOUT")));
    assert!(
        silent.seen.contains("was last heard") && silent.seen.contains("and a tunnel had been up"),
        "{}",
        silent.seen
    );
}

/// A port that is refused for a while and then takes what comes: somebody listens again, and knows nothing of the SA.
#[test]
fn a_service_that_was_down_for_a_while_has_lost_its_sas() {
    let used = Scenario::new().nat().ikev2(&v2::ike_cbc(14)).traffic(10);
    let ([_, spi], host) = (used.esp_spis(), used.address(Side::Responder));
    let refused = (11..=15)
        .fold(used, |told, number| told.esp(Side::Initiator, spi, [number], 120, ms(500)).icmp_unreachable(host, 3));
    let down = judge(&refused.clone().quiet(secs(20)).capture());
    assert_eq!(standing(&down).1, Some("N-ICMP-PORT"));
    let again = judge(&refused.esp(Side::Initiator, spi, 16..=50, 120, ms(500)).capture());
    assert_eq!(standing(&again).1, Some("L-STALE-SA"));
    let found = find(&again, "L-STALE-SA").expect("a finding");
    assert!(found.means.contains(&format!("the IKE service of {host} was down for a while")), "{}", found.means);
    assert_eq!(find(&again, "N-ICMP-PORT").expect("a remark").severity, Severity::Notice);
}

#[test]
fn who_sends_esp_and_does_not_answer_a_delete_was_not_gone() {
    let used = Scenario::new().ikev2(&v2::ike_cbc(14)).traffic(10);
    let spis = used.esp_spis();
    let asked = used.informational_request(Side::Initiator, &[v2::delete_ike()]).repeat(3, &[4.0, 7.2, 13.0]);
    let told = |told: Scenario| find(&judge(&told.quiet(secs(40)).capture()), "V2-CHILD-NO-REPLY").expect("a finding");
    assert!(told(asked.clone()).means.contains("it was gone before"));
    let there = told(asked.traffic_on(spis, 11..=14, ms(500)));
    assert!(there.means.contains("is there, as its ESP shows"), "{}", there.means);
    assert_eq!(there.severity, Severity::Notice);
}

/// Whoever hears traffic again has no more need to ask (RFC 3706 §5.5): an outage that is over raises no alarm.
#[test]
fn an_outage_after_which_traffic_goes_on_under_the_same_sas_is_over() {
    let asked = asked_in_vain(in_use(), |told| told);
    let spis = asked.esp_spis();
    let back = asked.after(secs(2)).traffic_on(spis, 100..140, ms(500));
    let analysis = judge(&back.capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    let found = find(&analysis, "L-DPD-TIMEOUT").expect("a remark");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.means.starts_with("the path was gone for a while"), "{}", found.means);
}

#[test]
fn what_a_router_says_of_a_silent_peer_is_the_reason() {
    let refused = |told: Scenario| told.icmp_unreachable("203.0.113.254".parse().expect("an address"), 1);
    let analysis = judge(&asked_in_vain(in_use(), refused).quiet(secs(60)).capture());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("N-ICMP-HOST")));
    let said = find(&analysis, "N-ICMP-HOST").expect("it is found");
    assert_eq!(said.severity, Severity::Error);
    let down = said.checks().find(|check| check.text.contains("up and connected")).expect("a check");
    assert_eq!(said.place(down), Where::Responder);
    let silent = find(&analysis, "L-DPD-TIMEOUT").expect("it is found");
    assert_eq!(silent.consequence_of, Some("N-ICMP-HOST"));
    assert!(!silent.means.contains("the host is there"), "{}", silent.means);
}

/// Who sends on and hears nothing has a tunnel still; who has closed its port for ESP in UDP since has none.
#[test]
fn who_closed_its_port_after_its_last_packet_goes_on_no_more() {
    let used = Scenario::new().nat().captured_inside().main_mode().quick_mode().traffic(20);
    let ([there, _], host) = (used.esp_spis(), "192.168.1.10".parse().expect("an address"));
    let asked = (1..=6).fold(used, |told, number| {
        let asked = told.after(secs(5)).dpd(Side::Initiator, number);
        asked.esp(Side::Initiator, there, [20 + number], 120, ms(500))
    });
    let heard = asked.after(secs(1)).keepalive(Side::Responder);
    assert_eq!(standing(&judge(&heard.clone().capture())), (PairStatus::UpNoIke, Some("L-DPD-TIMEOUT")));
    let closed = judge(&heard.icmp_unreachable(host, 3).capture());
    assert_eq!(standing(&closed), (PairStatus::Down, Some("L-DPD-TIMEOUT")));
}

/// A daemon that was started again: its port is closed for the first check and open for the others, which it cannot read.
#[test]
fn a_daemon_that_is_back_is_not_dead() {
    let closed = in_use().dpd(Side::Initiator, 9);
    let host = closed.address(Side::Responder);
    let told = asked_in_vain(closed.icmp_unreachable(host, 3).after(secs(10)), |told| told);
    let found = find(&judge(&told.quiet(secs(60)).capture()), "L-DPD-TIMEOUT").expect("it is found");
    assert!(found.seen.ends_with("the last nothing any more"), "{}", found.seen);
    assert!(found.causes.first().is_some_and(|cause| cause.text.starts_with("the peer restarted")), "{found:?}");
}

/// Its port was closed for every check, and it answers what is begun anew: it is known what became of it.
#[test]
fn a_daemon_that_is_back_and_negotiates_was_away() {
    let host = in_use().address(Side::Responder);
    let closed = asked_in_vain(in_use(), |told| told.icmp_unreachable(host, 3)).after(secs(5));
    let anew = |told: Scenario| told.new_attempt().main_mode().quick_mode().traffic(10);
    let found = find(&judge(&anew(closed).capture()), "L-DPD-TIMEOUT").expect("it is found");
    assert!(found.means.starts_with("the IKE daemon of the peer was gone; it is back"), "{}", found.means);
    assert!(found.causes[0].text.starts_with("the peer restarted"), "{found:?}");
    let silent = find(&judge(&anew(asked_in_vain(in_use(), |told| told)).capture()), "L-DPD-TIMEOUT");
    assert!(silent.expect("it is found").means.ends_with("what became of it at the peer does not show"));
}

/// Where NAT detection finds none, no mapping was forgotten.
#[test]
fn a_mapping_takes_a_nat() {
    let asked = Scenario::new().ikev2(&v2::ike_cbc(14)).traffic(6).after(secs(5)).liveness(Side::Initiator);
    let again = |told: Scenario, gap: f64| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.02])
    };
    let told = [2.0, 3.6, 6.5, 11.7].into_iter().fold(asked, again).after(secs(20)).new_attempt();
    let analysis = judge(&told.sa_init_request(&[v2::ike_cbc(14)]).repeat(3, &[2.0]).quiet(secs(20)).capture());
    let found = find(&analysis, "L-DPD-TIMEOUT").expect("it is found");
    assert!(found.causes.iter().all(|cause| !cause.text.contains("mapping")), "{:?}", found.causes);
    assert!(found.checks().all(|check| !check.text.contains("keepalive")), "{found:?}");
}

#[test]
fn traffic_of_the_next_tunnel_does_not_show_that_the_silent_peer_lived() {
    let back = asked_in_vain(in_use(), |told| told).new_attempt().main_mode().quick_mode().traffic(20);
    let analysis = judge(&back.quiet(secs(30)).capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    let silent = find(&analysis, "L-DPD-TIMEOUT").expect("it is found");
    assert_eq!(silent.severity, Severity::Notice);
    assert!(!silent.seen.contains("goes on"), "{}", silent.seen);
}

#[test]
fn a_tunnel_that_was_taken_down_is_down_whatever_else_was_wrong_with_it() {
    let story = main_mode_psk().quick_mode();
    let [there, _] = story.esp_spis();
    let one_way = story.esp(Side::Initiator, there, 1..=60, 120, ms(985)).delete_isakmp(Side::Initiator);
    let analysis = judge(&one_way.quiet(secs(90)).capture());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("T-ONEWAY")));
}

#[test]
fn the_last_quick_mode_gone_is_the_tunnel_gone() {
    let told = in_use();
    let [there, _] = told.esp_spis();
    let gone = told.delete_ipsec(Side::Initiator, there).after(secs(5)).dpd(Side::Initiator, 1);
    let analysis = judge(&gone.dpd_ack(Side::Responder, 1).quiet(secs(30)).capture());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("OK-DELETE")));
    assert!(find(&analysis, "OK-UP").is_none());
}

/// A tunnel whose keys are replaced twice: the IPsec SA under the same phase 1, then phase 1 and the IPsec SA. Both sides delete
/// the old one when its time is up.
fn rekeyed_twice(pads: v1::Padding) -> Capture {
    let story = Scenario::new().pads(Side::Initiator, pads).pads(Side::Responder, pads).main_mode().quick_mode();
    let (first, second) = (story.esp_spis(), [0xc100_0001, 0xc100_0002]);
    let gone = |told: Scenario, [there, back]: [u32; 2]| {
        told.delete_ipsec(Side::Initiator, back).delete_ipsec(Side::Responder, there)
    };
    let story = story.traffic_on(first, 1..=40, ms(985)).quick_mode().traffic_on(second, 1..=15, ms(985));
    let story = gone(story, first).traffic_on(second, 16..=40, ms(985));
    let story = story.new_attempt().main_mode().quick_mode();
    let third = story.esp_spis();
    gone(story.traffic_on(third, 1..=15, ms(985)), second).capture()
}

#[test]
fn a_re_key_takes_no_tunnel_down_whenever_the_capture_ends() {
    for pads in [v1::Padding::Min, v1::Padding::Always] {
        let whole = rekeyed_twice(pads);
        let count = whole.packets().count();
        for ends in (12..count).step_by(7).chain(count - 6..=count) {
            let analysis = judge(&rekeyed_twice(pads).first(ends));
            assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")), "{ends} of {count} frames");
            assert_eq!(alarms(&analysis), [""; 0], "{ends} of {count} frames");
        }
        let analysis = judge(&whole);
        let seen = find(&analysis, "OK-UP").expect("it is up").seen.clone();
        assert!(seen.starts_with("negotiated anew while the one before was up; 95 packets"), "{seen}");
        let deleted = find(&analysis, "OK-DELETE").expect("they are seen");
        assert!(deleted.seen.contains("the tunnel goes on"), "{}", deleted.seen);
    }
}

#[test]
fn who_takes_the_tunnel_down_after_a_re_key_is_heard() {
    let down = |told: Scenario| {
        let spi = told.esp_spi(Side::Initiator);
        told.after(secs(1)).delete_ipsec(Side::Responder, spi).delete_isakmp(Side::Responder).quiet(secs(60)).capture()
    };
    let story = main_mode_psk().quick_mode().traffic(10).after(secs(60)).quick_mode();
    let analysis = judge(&down(story.traffic_on([0xc100_0001, 0xc100_0002], 1..=10, ms(500))));
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("OK-DELETE")));
    assert!(find(&analysis, "OK-DELETE").expect("it is found").means.starts_with("the responder"));
}

#[test]
fn the_delete_of_an_ike_sa_that_was_re_keyed_takes_no_tunnel_down() {
    for traffic in [0, 20] {
        let story = ikev2_gcm().traffic(traffic).after(secs(30));
        let keys = new_child(&story, Side::Initiator);
        let rekeyed = story.create_child_request(Side::Initiator, &keys).create_child_response(Side::Responder, &keys);
        let deleted = rekeyed.informational_request(Side::Initiator, &[v2::delete_ike()]);
        let analysis = judge(&deleted.informational_response(Side::Responder, &[]).capture());
        let (status, verdict) = standing(&analysis);
        let expected = if traffic > 0 { PairStatus::UpActive } else { PairStatus::UpIdle };
        assert_eq!(status, expected);
        assert_ne!(verdict, Some("OK-DELETE"));
    }
}

/// The initiator re-keys the IKE SA, and deletes the one that it made; `both`: the responder re-keys it too, before it has the
/// answer (RFC 7296 §2.8.1).
fn ike_sa_made_and_deleted(both: bool) -> Scenario {
    let story = ikev2_gcm().traffic(10).after(secs(30));
    let (ours, theirs) = (new_child(&story, Side::Initiator), new_child(&story, Side::Responder));
    let asked = story.create_child_request(Side::Initiator, &ours);
    let crossing = |told: Scenario| {
        told.create_child_request(Side::Responder, &theirs).create_child_response(Side::Initiator, &ours)
    };
    let asked = if both { crossing(asked) } else { asked };
    let made = asked.create_child_response(Side::Responder, &theirs).rekeyed_ike_sa();
    made.informational_request(Side::Initiator, &[v2::delete_ike()])
}

#[test]
fn of_two_ike_sas_that_took_the_place_of_one_the_other_stays() {
    let cut = ike_sa_made_and_deleted(true);
    assert_eq!(standing(&judge(&cut.clone().capture())).0, PairStatus::UpActive);
    let answered = cut.informational_response(Side::Responder, &[]);
    assert_eq!(standing(&judge(&answered.quiet(secs(30)).capture())).0, PairStatus::UpActive);
    // and where there is no other one nothing stays
    assert_eq!(standing(&judge(&ike_sa_made_and_deleted(false).capture())).0, PairStatus::Down);
}

#[test]
fn a_tunnel_taken_up_and_down_by_hand_is_one_warning_about_who_did_it() {
    let session = |told: Scenario| {
        let up = told.main_mode().quick_mode().traffic(2).after(ms(700));
        let spi = up.esp_spi(Side::Initiator);
        up.delete_ipsec(Side::Initiator, spi).delete_isakmp(Side::Initiator)
    };
    let told = (0..7).fold(session(Scenario::new()), |told, _| session(told.after(secs(2)).new_attempt()));
    let whole = told.clone().quiet(secs(20)).capture();
    let analysis = judge(&whole);
    assert_eq!(alarms(&analysis), ["T-SHORT-SESSION"]);
    let deleted = find(&analysis, "OK-DELETE").expect("it is found");
    assert!(deleted.seen.ends_with("the same on 8 attempts"), "{}", deleted.seen);
    // and so it is while the next one comes up
    for (frames, status) in
        [(4, PairStatus::DownNegotiating), (7, PairStatus::DownNegotiating), (13, PairStatus::UpActive)]
    {
        let next = told.clone().after(secs(2)).new_attempt().main_mode().quick_mode().traffic(2);
        let analysis = judge(&next.capture().first(whole.packets().count() - 1 + frames));
        assert_eq!(alarms(&analysis), ["T-SHORT-SESSION"], "{frames} frames of the next one");
        assert_eq!(standing(&analysis).0, status, "{frames} frames of the next one");
    }
}

#[test]
fn a_tunnel_on_demand_does_not_flap() {
    let session = |told: Scenario| {
        let up = told.ikev2_init(&v2::ike_cbc(14)).ikev2_auth();
        let spis = up.esp_spis();
        let idle = up.traffic_on(spis, 1..=100, ms(985)).after(secs(300));
        idle.informational_request(Side::Initiator, &[v2::delete_ike()]).informational_response(Side::Responder, &[])
    };
    let told = (0..3).fold(session(Scenario::new()), |told, _| session(told.after(secs(900)).new_attempt()));
    let analysis = judge(&told.quiet(secs(60)).capture());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("OK-DELETE")));
    assert_eq!(alarms(&analysis), [""; 0]);
    let deleted = find(&analysis, "OK-DELETE").expect("it is found");
    assert!(deleted.causes[0].text.starts_with("idle timeout"), "{:?}", deleted.causes);
}

#[test]
fn traffic_that_never_pauses_is_not_interrupted_by_a_slow_re_key() {
    let first = main_mode_psk().quick_mode();
    let spis = first.esp_spis();
    let told = (0..3).fold((first.traffic_on(spis, 1..=60, ms(985)), spis), |(told, old), _| {
        let phase1 = told.new_attempt().main_mode();
        let told = phase1.traffic_on(old, 61..=80, ms(985)).quick_mode();
        let new = told.esp_spis();
        (told.traffic_on(new, 1..=60, ms(985)), new)
    });
    let analysis = judge(&told.0.capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    assert_eq!(alarms(&analysis), [""; 0]);
}

#[test]
fn what_never_had_a_child_sa_was_not_up() {
    let refused = |told: Scenario| {
        let told = told.ikev2_init(&v2::ike_gcm(19));
        let asked = [told.psk_proof(Side::Initiator), told.child(Side::Initiator)].concat();
        let granted = [told.psk_proof(Side::Responder), vec![v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])]].concat();
        let told = told.auth_request(&asked).auth_response(&granted).after(secs(40));
        told.informational_request(Side::Initiator, &[v2::delete_ike()]).informational_response(Side::Responder, &[])
    };
    let twice = refused(refused(Scenario::new()).after(secs(20)).new_attempt()).after(secs(20)).new_attempt();
    let analysis = judge(&twice.ikev2(&v2::ike_gcm(19)).traffic(60).capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    assert!(find(&analysis, "L-FLAP").is_none());
}

#[test]
fn of_one_direction_nobody_can_say_that_something_was_deleted() {
    let told = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4();
    let responder = told.address(Side::Responder);
    let told = (0..4).fold(told, |told, _| {
        told.mm5().informational(Side::Responder, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]).after(secs(8))
    });
    let analysis = judge(&told.quiet(secs(60)).capture().only_from(responder));
    assert!(find(&analysis, "OK-DELETE").is_none());
    assert_eq!(standing(&analysis).0, PairStatus::Unknown);
}

#[test]
fn a_client_that_leaves_is_not_asking_for_life() {
    let transform = v1::transform(v1::AES_CBC, 128, v1::SHA1, 1, 2);
    let up = Scenario::new().main_mode_of(&transform).quick_mode();
    let contact = up.isakmp_notify(v1::INITIAL_CONTACT, &[]);
    let spi = up.esp_spi(Side::Initiator);
    let told = up.informational(Side::Initiator, &[contact]).after(secs(8));
    let left = told.delete_ipsec(Side::Initiator, spi).after(ms(1)).delete_isakmp(Side::Initiator);
    // many captures end with the client
    for end in [left.clone().capture(), left.quiet(secs(5)).capture()] {
        assert_eq!(standing(&judge(&end)), (PairStatus::Down, Some("OK-DELETE")));
    }
}

/// Who deletes one of two IPsec SAs and asks for life at once has the other one.
#[test]
fn a_check_behind_the_delete_of_a_replaced_sa_is_no_farewell() {
    let transform = v1::transform(v1::AES_CBC, 128, v1::SHA1, 1, 2);
    let up = Scenario::new().main_mode_of(&transform).quick_mode();
    let old = up.esp_spis();
    let anew = up.traffic_on(old, 1..=10, ms(985)).quick_mode();
    let new = [0xc100_0001, 0xc100_0002];
    let cleaned = anew.traffic_on(new, 1..=5, ms(985)).delete_ipsec(Side::Initiator, old[1]);
    let analysis = judge(&cleaned.after(ms(1)).dpd(Side::Initiator, 1).capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
}

#[test]
fn a_heartbeat_deletes_nothing() {
    let story = Scenario::new().pads(Side::Initiator, v1::Padding::Min).pads(Side::Responder, v1::Padding::Min);
    let up = story.main_mode().quick_mode();
    let spis = up.esp_spis();
    let told = (0..30).fold(up, |told, round| {
        let beat = told.isakmp_notify(40_501, &[]);
        told.traffic_on(spis, round * 10 + 1..=round * 10 + 10, ms(985)).informational(Side::Initiator, &[beat])
    });
    let analysis = judge(&told.capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    assert!(find(&analysis, "OK-DELETE").is_none());
}

#[test]
fn a_tunnel_that_is_taken_down_refuses_nothing() {
    let up = main_mode_psk().quick_mode().traffic(10).after(secs(2));
    let spi = up.esp_spi(Side::Initiator);
    let down = up.delete_ipsec(Side::Responder, spi).after(ms(200)).qm1(0).delete_isakmp(Side::Responder);
    let again = down.new_attempt().main_mode().quick_mode().traffic(10);
    let analysis = judge(&again.capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    assert_eq!(alarms(&analysis), [""; 0]);
    assert!(find(&analysis, "P2-SELECTOR").is_none());
}

#[test]
fn a_re_key_that_is_refused_is_no_matter_of_networks_alone() {
    // Nobody renews an SA so soon.
    for (after, cause) in [(90, "was changed since"), (20, "the protected networks")] {
        let told = main_mode_psk().quick_mode().traffic(10).after(secs(after)).qm1(0);
        let refused = told.informational(Side::Responder, &[v1::notify_about(v1::PROTO_ESP, &[0; 4], 14, &[])]);
        let analysis = judge(&refused.quiet(secs(30)).capture());
        let found = find(&analysis, "P2-REJECT").expect("it is found");
        assert!(found.seen.contains("before was accepted"), "{}", found.seen);
        assert!(found.causes[0].text.contains(cause), "{:?}", found.causes);
        assert!(find(&analysis, "P2-SELECTOR").is_none());
    }
}

#[test]
fn who_starts_anew_in_vain_while_the_other_goes_on_lost_its_sas() {
    let up = main_mode_psk().quick_mode();
    let [there, back] = up.esp_spis();
    let told = up.traffic_on([there, back], 1..=30, ms(985));
    let told = told.esp(Side::Initiator, there, 31..=40, 120, secs(1)).swap_roles().mm1(&[usual_transform()]);
    let told = (0..4).fold(told, |told, round| {
        let sequences = 41 + round * 10..=50 + round * 10;
        told.esp(Side::Responder, there, sequences, 120, secs(1)).repeat_from(Side::Initiator, 1, &[0.01])
    });
    let analysis = judge(&told.capture());
    assert_eq!(standing(&analysis), (PairStatus::UpNoIke, Some("L-STALE-SA")));
    assert_eq!(find(&analysis, "L-STALE-SA").expect("it is found").severity, Severity::Error);
    assert!(find(&analysis, "OK-UP").is_none());
}

#[test]
fn what_has_just_come_up_is_not_down_and_who_gave_up_is() {
    assert_eq!(standing(&judge(&main_mode_psk().capture())).0, PairStatus::DownNegotiating);
    // A side that announces itself has not gone on yet, either.
    let told = main_mode_psk();
    let notify = told.isakmp_notify(v1::INITIAL_CONTACT, &[]);
    let announced = judge(&told.after(ms(20)).informational(Side::Responder, &[notify]).capture());
    assert_eq!(standing(&announced).0, PairStatus::DownNegotiating);
    let asked = |quiet| Scenario::new().mm1(&[usual_transform()]).repeat(4, &[8.0; 4]).quiet(secs(quiet)).capture();
    assert_eq!(standing(&judge(&asked(6))).0, PairStatus::DownNegotiating);
    assert_eq!(standing(&judge(&asked(20))).0, PairStatus::Down);
}

#[test]
fn a_peer_that_talks_under_another_ike_sa_is_not_dead() {
    let answered = || in_use().dpd(Side::Initiator, 9).dpd_ack(Side::Responder, 9).after(secs(10));
    let silent = asked_in_vain(answered(), |told| told).quiet(secs(20)).capture();
    let other = Scenario::new().seed(7).main_mode().quick_mode().after(secs(25));
    let talks = other.dpd(Side::Responder, 1).dpd_ack(Side::Initiator, 1).after(secs(20)).dpd(Side::Responder, 2);
    let talks = talks.dpd_ack(Side::Initiator, 2).capture();
    let analysis = judge(&silent.merge(&talks).start_after(secs(5)));
    let found = find(&analysis, "L-DPD-TIMEOUT").expect("it is found");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.causes[0].text.contains("uses another one"), "{:?}", found.causes);
    // the same without the other one
    let silent = asked_in_vain(answered(), |told| told).quiet(secs(20)).capture();
    let found = judge(&silent.start_after(secs(5)));
    let found = find(&found, "L-DPD-TIMEOUT").expect("it is found");
    assert_eq!(found.severity, Severity::Error);
    assert!(found.causes.iter().all(|cause| !cause.text.contains("uses another one")), "{:?}", found.causes);
}

#[test]
fn traffic_on_sas_from_before_the_capture_shows_a_tunnel() {
    let story = main_mode_psk().quick_mode();
    let spis = story.esp_spis();
    let told = story.traffic_on(spis, 1..=10, ms(985)).new_attempt().main_mode().traffic_on(spis, 11..=20, ms(985));
    let analysis = judge(&told.capture().start_after(secs(3)));
    assert_eq!(standing(&analysis).0, PairStatus::UpActive);
}

#[test]
fn a_delete_that_traffic_outlives_to_the_end_of_the_capture_takes_nothing_down() {
    let story = ikev2_gcm().traffic(20).after(secs(10));
    let spis = story.esp_spis();
    let deleted = story.informational_request(Side::Initiator, &[v2::delete_ike()]);
    let deleted = deleted.informational_response(Side::Responder, &[]);
    let analysis = judge(&deleted.traffic_on(spis, 21..=23, ms(400)).capture().start_after(secs(5)));
    assert_eq!(standing(&analysis).0, PairStatus::UpActive);
}

#[test]
fn sas_that_one_side_deletes_and_then_the_other_are_counted_each() {
    // The initiator deletes what it replaced, under the next phase 1 too; in the end the responder takes down what is left.
    let story = main_mode_psk().quick_mode();
    let first = story.esp_spis();
    let second = [0xc100_0001, 0xc100_0002];
    let story = story.traffic_on(first, 1..=10, ms(985)).quick_mode().traffic_on(second, 1..=5, ms(985));
    let story = story.delete_ipsec(Side::Initiator, first[1]).traffic_on(second, 6..=10, ms(985)).quick_mode();
    let third = [0xc200_0001, 0xc200_0002];
    let story = story.traffic_on(third, 1..=5, ms(985)).new_attempt().main_mode().after(secs(5));
    let story = story.delete_ipsec(Side::Initiator, second[1]).traffic_on(third, 6..=10, ms(985)).quick_mode();
    let fourth = story.esp_spis();
    let down = story.traffic_on(fourth, 1..=5, ms(985)).after(secs(3)).delete_ipsec(Side::Responder, fourth[0]);
    let down = down.after(ms(1)).delete_ipsec(Side::Responder, third[0]).after(ms(1)).delete_isakmp(Side::Responder);
    for end in [down.clone().capture(), down.quiet(secs(60)).capture()] {
        let analysis = judge(&end);
        assert_eq!(standing(&analysis), (PairStatus::Down, Some("OK-DELETE")));
        assert!(find(&analysis, "OK-DELETE").expect("it is found").means.starts_with("the responder"));
    }
}

#[test]
fn a_child_sa_that_was_just_created_and_is_deleted_is_no_re_key() {
    let story = ikev2_gcm().traffic(10).after(secs(6));
    let old = story.esp_spis();
    let gone = story.informational_request(Side::Initiator, &[v2::delete_esp(&[old[1]])]);
    let gone = gone.informational_response(Side::Responder, &[v2::delete_esp(&[old[0]])]).after(secs(8));
    let keys = new_child(&gone, Side::Initiator);
    let anew = gone.create_child_request(Side::Initiator, &keys).create_child_response(Side::Responder, &keys);
    let anew = anew.traffic_on(NEW_SPIS, 1..=4, ms(300)).after(secs(5));
    let gone = anew.informational_request(Side::Initiator, &[v2::delete_esp(&[NEW_SPIS[1]])]);
    let gone = gone.informational_response(Side::Responder, &[v2::delete_esp(&[NEW_SPIS[0]])]);
    assert_eq!(standing(&judge(&gone.capture())), (PairStatus::Down, Some("OK-DELETE")));
}

#[test]
fn a_child_sa_that_was_replaced_may_be_named_anywhere_in_the_request() {
    let story = ikev2_gcm().traffic(10).after(secs(30));
    let old = story.esp_spis();
    let keys = new_child(&story, Side::Initiator);
    let anew = story.create_child_request(Side::Initiator, &keys).create_child_response(Side::Responder, &keys);
    let gone = anew.informational_request(Side::Initiator, &[v2::delete_esp(&[old[1]])]);
    let gone = gone.informational_response(Side::Responder, &[v2::delete_esp(&[old[0]])]);
    assert_eq!(standing(&judge(&gone.capture())), (PairStatus::UpActive, Some("OK-UP")));
}

#[test]
fn a_session_that_lives_is_not_short() {
    let story = ikev2_gcm().traffic(10).after(secs(2));
    let down = story.informational_request(Side::Initiator, &[v2::delete_ike()]);
    let down = down.informational_response(Side::Responder, &[]).after(secs(3)).new_attempt();
    let up = down.ikev2_init(&v2::ike_gcm(19)).ikev2_auth().traffic(10).after(secs(5)).liveness(Side::Responder);
    let analysis = judge(&up.capture());
    assert_eq!(standing(&analysis), (PairStatus::UpActive, Some("OK-UP")));
    assert_eq!(alarms(&analysis), [""; 0]);
}

#[test]
fn a_delete_that_is_never_answered_is_in_no_good_order() {
    let story = ikev2_gcm().traffic(10).after(secs(10));
    let deleted = story.informational_request(Side::Initiator, &[v2::delete_ike()]).repeat(4, &[2.0, 4.0, 8.0, 16.0]);
    let analysis = judge(&deleted.quiet(secs(30)).capture());
    assert!(find(&analysis, "OK-DELETE").is_none());
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("V2-CHILD-NO-REPLY")));
    let found = find(&analysis, "V2-CHILD-NO-REPLY").expect("a finding");
    assert!(found.severity == Severity::Notice && found.seen.ends_with("it begins with a Delete"), "{found:?}");
    // the same on an SA that has just come from a re-key, under which nothing else was said
    let gone = ike_sa_made_and_deleted(false).repeat(4, &[2.0, 4.0, 8.0, 16.0]).quiet(secs(30));
    assert_eq!(standing(&judge(&gone.capture())), (PairStatus::Down, Some("V2-CHILD-NO-REPLY")));
}

/// Who begins from nothing, in vain, and says nothing under the SAs from before, has none.
#[test]
fn a_tunnel_whose_user_begins_anew_in_vain_is_up_no_more() {
    let told = ikev2_gcm();
    let spis = told.esp_spis();
    let refused = |told: Scenario| {
        let again = told.after(secs(6)).new_attempt().ikev2_init(&v2::ike_cbc(14));
        let ask = [again.psk_proof(Side::Initiator), again.child(Side::Initiator)].concat();
        again.auth_request(&ask).auth_response(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])])
    };
    let used = told.traffic_on(spis, 1..20, ms(500));
    let judged = |told: Scenario| {
        let analysis = judge(&told.capture());
        let pair = analysis.diagnosis.pairs().last().expect("a pair");
        (pair.status, pair.verdict.map(Verdict::id), find(&analysis, "OK-UP").is_some())
    };
    let anew = (0..4).fold(used.clone(), |told, _| refused(told));
    assert_eq!(judged(anew), (PairStatus::DownNegotiating, Some("V2-AUTH-FAIL"), false));
    // traffic goes on under the SAs from before
    let beside = (2..6_u32).fold(used, |told, step| refused(told).traffic_on(spis, step * 10..step * 10 + 5, ms(500)));
    assert_eq!(judged(beside), (PairStatus::UpActive, Some("V2-AUTH-FAIL"), true));
}

/// Who takes part in dead peer detection says so (RFC 3706 §5.1).
#[test]
fn a_peer_that_announced_no_liveness_checks_need_not_answer_any() {
    let story = Scenario::new().vendor_ids(Side::Responder, &[v1::vid_nat_t()]).main_mode().quick_mode().traffic(20);
    let spis = story.esp_spis();
    let asked = asked_in_vain(story, |told| told).traffic_on(spis, 21..60, secs(1));
    let found = find(&judge(&asked.capture()), "L-DPD-TIMEOUT").expect("it is found");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.seen.contains("it had sent no dead peer detection vendor id"), "{}", found.seen);
    assert!(found.causes.first().is_some_and(|cause| cause.text.contains("does not support")), "{found:?}");
}

/// During an outage one side asks until it gives up, and the other one comes again and does not know. Where nothing of the other one
/// was lost, its daemon is at fault.
#[test]
fn who_gave_up_during_an_outage_has_no_sa_for_who_comes_again() {
    let after = |lost: u32| {
        let story = ikev2_psk();
        let spis = story.esp_spis();
        let asked = story.traffic_on(spis, 1..=20, secs(1)).informational_request(Side::Responder, &[]);
        let given_up = asked.repeat(3, &[2.0, 4.0, 8.0]).after(secs(16));
        judge(&given_up.esp(Side::Initiator, spis[0], (21 + lost)..(51 + lost), 120, secs(1)).capture())
    };
    let analysis = after(30);
    assert_eq!(alarms(&analysis), ["L-STALE-SA"]);
    assert_eq!(standing(&analysis), (PairStatus::UpNoIke, Some("L-STALE-SA")));
    let found = find(&analysis, "L-STALE-SA").expect("a finding");
    let gave_up = ikev2_psk().address(Side::Responder).to_string();
    assert!(found.means.contains(&format!("{gave_up} gave this SA up")), "{}", found.means);
    assert_eq!(find(&analysis, "L-DPD-TIMEOUT").expect("it follows").consequence_of, Some("L-STALE-SA"));
    assert_eq!(standing(&after(0)).1, Some("L-DPD-TIMEOUT"));
}

/// Where the answers come back after an outage and then stop for good, they have stopped.
#[test]
fn answers_that_stop_after_an_outage_have_stopped() {
    let story = ikev2_psk();
    let spis = story.esp_spis();
    let alone = |told: Scenario, numbers| told.esp(Side::Initiator, spis[0], numbers, 120, secs(1));
    let back = alone(story.traffic_on(spis, 1..=4, secs(1)), 5..45).traffic_on(spis, 45..=46, secs(1));
    assert_eq!(alarms(&judge(&back.clone().capture())), [""; 0]);
    assert_eq!(alarms(&judge(&alone(back, 47..67).capture())), ["T-ONEWAY"]);
}

/// Who gives up asks no more, and begins anew in place of the next copy.
#[test]
fn who_begins_anew_in_place_of_the_next_copy_never_had_the_answer() {
    let asked = ikev2_psk().traffic(4).after(secs(5)).liveness(Side::Initiator);
    let again = |told: Scenario, gap: f64| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.02])
    };
    let told = [4.0, 7.2, 13.0, 23.3].into_iter().fold(asked, again);
    let anew = |pause| told.clone().after(pause).new_attempt().ikev2(&v2::ike_cbc(14)).traffic(8).quiet(secs(30));
    let found = find(&judge(&anew(secs(30)).capture()), "L-DPD-TIMEOUT").expect("a finding");
    assert!(found.means.ends_with("which gave up this SA"), "{}", found.means);
    assert!(find(&judge(&anew(secs(300)).capture()), "L-DPD-TIMEOUT").is_none(), "an SA may be renewed");
}

/// An IKEv2 request that names an SA is for a re-key, however young that SA is; another one is for networks more.
#[test]
fn an_old_sa_that_one_side_goes_on_with_is_found_soon_after_it_came_up() {
    let story = ikev2_psk();
    let [there, back] = story.esp_spis();
    let replaced = |asked: Vec<Payload>| {
        let told = (1..=30).fold(story.clone(), |told, number| told.traffic_on([there, back], [number], ms(985)));
        let told = told.create_child_request(Side::Initiator, &asked);
        let told = told.create_child_response(Side::Responder, &child_keys(&story, Side::Responder));
        let both = |told: Scenario, number: u32| told.traffic_on([there + 1, back], [number], ms(985));
        let told = (31..=150).fold(told, both);
        judge(&told.capture())
    };
    assert_eq!(alarms(&replaced(child_rekey(&story, Side::Initiator))), ["L-DUP-SA"]);
    assert!(find(&replaced(child_keys(&story, Side::Initiator)), "L-DUP-SA").is_none());
}

/// What a daemon leaves in the kernel goes on when it dies. Where the ESP of its host stopped as well, its SAs went with it.
#[test]
fn a_host_that_refuses_the_port_and_has_no_sas_either_restarted() {
    let first_cause = |both: bool| {
        let story = main_mode_psk().quick_mode();
        let [there, back] = story.esp_spis();
        let told = story.traffic_on([there, back], 1..=20, ms(500));
        let told = (21..=60).fold(told, |told, number| {
            let sent = told.esp(Side::Initiator, there, [number], 120, ms(500));
            if both { sent.esp(Side::Responder, back, [number], 120, ms(15)) } else { sent }
        });
        let host = told.address(Side::Responder);
        let told = (1..=4)
            .fold(told, |told, number| told.dpd(Side::Initiator, number).icmp_unreachable(host, 3).after(secs(4)));
        let found = find(&judge(&told.quiet(secs(20)).capture()), "L-DPD-TIMEOUT").expect("it is found");
        found.causes[0].text.to_string()
    };
    assert!(first_cause(false).starts_with("the peer restarted"));
    assert!(first_cause(true).starts_with("the IKE daemon of the peer is dead"));
}

/// Child SAs go on under the IKE SA that takes the place of theirs: what went before is the same tunnel's.
#[test]
fn a_re_keyed_tunnel_counts_what_it_carried_before() {
    let story = ikev2_gcm().traffic(20).after(secs(30));
    let spis = story.esp_spis();
    let (ours, theirs) = (new_child(&story, Side::Initiator), new_child(&story, Side::Responder));
    let asked = story.create_child_request(Side::Initiator, &ours).create_child_response(Side::Responder, &theirs);
    let gone =
        asked.informational_request(Side::Initiator, &[v2::delete_ike()]).informational_response(Side::Responder, &[]);
    let goes_on = gone.rekeyed_ike_sa().liveness(Side::Initiator).traffic_on(spis, 21..=30, secs(1));
    let found = find(&judge(&goes_on.capture()), "OK-UP").expect("it is up");
    assert!(found.seen.contains("30 packets from 203.0.113.10, 30 from"), "{}", found.seen);
}

/// The last child SA is deleted, and another one is asked for: nothing is up till that is granted.
#[test]
fn a_child_sa_that_is_asked_for_after_the_last_was_deleted_is_not_up_yet() {
    let story = ikev2_gcm().traffic(20);
    let ([there, back], child) = (story.esp_spis(), story.child(Side::Initiator));
    let asked = story.informational_request(Side::Initiator, &[v2::delete_esp(&[back])]);
    let deleted = asked.informational_response(Side::Responder, &[v2::delete_esp(&[there])]).after(secs(2));
    let wanted = deleted.create_child_request(Side::Initiator, &child);
    assert_eq!(standing(&judge(&wanted.clone().capture())).0, PairStatus::DownNegotiating);
    let granted = wanted.clone().create_child_response(Side::Responder, &wanted.child(Side::Responder));
    assert_ne!(standing(&judge(&granted.capture())).0, PairStatus::DownNegotiating);
    // nor is nothing left where traffic goes on
    let goes_on = wanted.traffic_on([there, back], 21..=30, secs(1));
    assert_eq!(standing(&judge(&goes_on.capture())).0, PairStatus::UpActive);
}
