//! Trials: NAT, ports and ICMP.

use std::net::{IpAddr, Ipv4Addr};

use ikescope::diagnose::{Confidence, Finding, Severity, Where};
use ikescope::pipeline::Analysis;
use md5::{Digest, Md5};

use crate::support::story::{ikev2_gcm, usual_transform};
use crate::support::{Capture, Payload, Scenario, Side, ms, secs, v1, v2};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "N-NAT-DETECTED",
        positive: Lab("v1-main-nat-healthy"),
        near_miss: Crafted("IKEv2 in TCP from port 51234, without NAT detection", || {
            Scenario::new().without_nat_t().over_tcp().ikev2(&v2::ike_gcm(19)).traffic(4).capture()
        }),
        how: "a TCP connection begins at any port",
    },
    Trial {
        id: "N-PORT4500",
        positive: Lab("v1-nat-udp4500-blocked"),
        near_miss: Lab("v1-mm5-lost"),
        how: "there is no NAT, and message 5 stays on UDP 500",
    },
    Trial {
        id: "N-NATT-MISSING",
        positive: Crafted("a NAT rewrites the initiator's port, nobody knows NAT traversal, ESP goes one way", || {
            let story = behind_nat_without_nat_t();
            let spi = story.esp_spi(Side::Responder);
            story.esp(Side::Initiator, spi, 1..=6, 120, secs(1)).capture()
        }),
        near_miss: Crafted("the same, and ESP goes both ways", || behind_nat_without_nat_t().traffic(6).capture()),
        how: "a helper in the NAT lets ESP through",
    },
    Trial {
        id: "N-WIN-NAT-SERVER",
        positive: Crafted("a Windows client stops after Main Mode message 4 of a server behind a NAT", || {
            stops_before_server_behind_nat(&[windows(), v1::vid_nat_t()])
        }),
        near_miss: Crafted("another client does", || stops_before_server_behind_nat(&[v1::vid_nat_t(), v1::vid_dpd()])),
        how: "no vendor id of Windows",
    },
    Trial {
        id: "N-WRONG-ADDR",
        positive: Crafted("message 1 is asked of one address and answered by another, again and again", || {
            answered_from(Ipv4Addr::new(198, 51, 100, 8))
        }),
        near_miss: Crafted("the answers come from the address that was asked", || {
            answered_from(Ipv4Addr::new(198, 51, 100, 7))
        }),
        how: "the address of message 2",
    },
    Trial {
        id: "N-NAT-AH",
        positive: Crafted("the initiator is behind a NAT and sends AH", || {
            let story = behind_nat();
            let spi = story.esp_spi(Side::Responder);
            story.ah(Side::Initiator, spi, 1..=6, 100, secs(1)).capture()
        }),
        near_miss: Crafted("the same, with ESP in UDP", || behind_nat().traffic(6).capture()),
        how: "AH protects the addresses that the NAT changes, ESP does not",
    },
    Trial {
        id: "N-PRIVATE-OUTER",
        positive: Lab("v1-nat-idle"),
        near_miss: Lab("v1-nat-idle.rside"),
        how: "outside the NAT both addresses are public",
    },
    Trial {
        id: "N-KEEPALIVE",
        positive: Crafted("after 40 s in which the side behind the NAT was quiet, nothing gets in to it", || {
            asked_from_outside(|told| told.after(secs(40)))
        }),
        near_miss: Crafted("the same, with a keepalive every 20 s", || {
            asked_from_outside(|told| told.after(secs(20)).keepalive(Side::Initiator).after(secs(20)))
        }),
        how: "keepalives hold the mapping open",
    },
    Trial {
        id: "N-MAPPING-CHANGED",
        positive: Crafted("the initiator's port changes while the tunnel is up", || {
            behind_nat()
                .traffic(4)
                .after(secs(60))
                .mapping_changes()
                .dpd(Side::Initiator, 1)
                .after(secs(10))
                .dpd(Side::Initiator, 2)
                .quiet(secs(20))
                .capture()
        }),
        near_miss: Lab("v2-mobike-move-healthy"),
        how: "the initiator announces that it moves (MOBIKE)",
    },
    Trial {
        id: "N-PORT-FILTER",
        positive: Crafted("silence on UDP 500; another attempt on UDP 4500 is answered", || {
            on_4500_after_silence(|told| told.main_mode().quick_mode().traffic(4))
        }),
        near_miss: Crafted("silence on both ports", || {
            on_4500_after_silence(|told| told.mm1(&[usual_transform()]).repeat(3, &[4.0, 7.2, 13.0]))
        }),
        how: "nothing answers on UDP 4500 either",
    },
    Trial {
        id: "N-ICMP-PORT",
        positive: Lab("v1-no-responder-icmp-port-unreach"),
        near_miss: Lab("v1-udp500-admin-prohibited"),
        how: "the ICMP code tells of a filter",
    },
    Trial {
        id: "N-ICMP-PROHIB",
        positive: Lab("v1-udp500-admin-prohibited"),
        near_miss: Lab("v1-no-responder-icmp-port-unreach"),
        how: "the ICMP code tells of a closed port",
    },
    Trial {
        id: "N-ICMP-HOST",
        positive: Lab("v1-host-unreachable-icmp"),
        near_miss: Lab("v1-udp500-drop"),
        how: "nobody says why there is no answer",
    },
    Trial {
        id: "N-TCP-ENCAP",
        positive: Crafted("IKEv2 and ESP in TCP", || {
            Scenario::new().over_tcp().ikev2(&v2::ike_gcm(19)).traffic(4).capture()
        }),
        near_miss: Crafted("IKEv2 and ESP in UDP", || ikev2_gcm().traffic(4).capture()),
        how: "the transport",
    },
    Trial {
        id: "N-NAT-MULTI",
        positive: Crafted("a second client comes up behind the same NAT, and the first is answered no more", || {
            two_clients(|told| told.after(secs(10)))
        }),
        near_miss: Crafted("the same, and the first is answered", || {
            two_clients(|told| told.dpd_ack(Side::Responder, 1).after(secs(10)))
        }),
        how: "both clients are served",
    },
];

fn behind_nat() -> Scenario {
    Scenario::new().nat().main_mode().quick_mode()
}

fn behind_nat_without_nat_t() -> Scenario {
    Scenario::new().nat().without_nat_t().main_mode().quick_mode()
}

/// The vendor id of Windows: a hash and the version.
fn windows() -> Payload {
    v1::vendor_id(&[&Md5::digest(b"MS NT5 ISAKMPOAKLEY")[..], &[0, 0, 0, 9]].concat())
}

fn stops_before_server_behind_nat(vendor_ids: &[Payload]) -> Capture {
    Scenario::new()
        .responder_nat()
        .vendor_ids(Side::Initiator, vendor_ids)
        .mm1(&[usual_transform()])
        .mm2(&usual_transform())
        .mm3()
        .mm4()
        .repeat(2, &[4.0, 8.0])
        .quiet(secs(30))
        .capture()
}

/// Where IKE is answered on UDP 4500 that is forwarded; a client that deletes its tunnel in the end had no use for it all the same.
#[test]
fn a_windows_client_that_sends_nothing_into_its_tunnel_is_told_of() {
    let windows = [windows(), v1::vid_nat_t()];
    let up = Scenario::new().responder_nat().vendor_ids(Side::Initiator, &windows).main_mode().quick_mode();
    let leaves = judge(&up.clone().after(secs(35)).delete_isakmp(Side::Initiator).capture());
    let found = find(&leaves, "N-WIN-NAT-SERVER").expect("a finding");
    assert!(found.seen.ends_with("the client sent no ESP in the 35.0 s since"), "{}", found.seen);
    assert!(!says(&found, "forward"), "{found:?}");
    assert!(find(&judge(&up.clone().quiet(secs(5)).capture()), "N-WIN-NAT-SERVER").is_none());
    assert!(find(&judge(&up.traffic(20).quiet(secs(60)).capture()), "N-WIN-NAT-SERVER").is_none());
}

fn answered_from(address: Ipv4Addr) -> Capture {
    let story = Scenario::new();
    let asked: IpAddr = story.address(Side::Responder);
    let answer = |told: Scenario| told.responder_moves(address.into()).mm2(&usual_transform()).responder_moves(asked);
    let told = answer(story.mm1(&[usual_transform()])).repeat_from(Side::Initiator, 1, &[4.0]);
    answer(told).repeat_from(Side::Initiator, 1, &[8.0]).quiet(secs(30)).capture()
}

/// A tunnel with traffic, `quietly` for some time, then three questions from outside that nobody answers.
fn asked_from_outside(quietly: fn(Scenario) -> Scenario) -> Capture {
    (1..=3)
        .fold(quietly(behind_nat().traffic(4)), |told, number| told.dpd(Side::Responder, number).after(secs(10)))
        .quiet(secs(10))
        .capture()
}

fn on_4500_after_silence(then: fn(Scenario) -> Scenario) -> Capture {
    Scenario::new()
        .mm1(&[usual_transform()])
        .repeat(3, &[4.0, 7.2, 13.0])
        .after(secs(30))
        .new_attempt()
        .ike_port(4500)
        .with_marker(then)
        .quiet(secs(30))
        .capture()
}

/// Two clients behind one NAT, the second half a minute after the first, which asks three times after that; `then` is
/// what follows each question.
fn two_clients(then: fn(Scenario) -> Scenario) -> Capture {
    let second = Scenario::new().seed(2).nat().mapping_changes().after(secs(30)).main_mode().quick_mode().traffic(4);
    let first = behind_nat().traffic(4).after(secs(60));
    (0..3).fold(first, |told, _| then(told.dpd(Side::Initiator, 1))).quiet(secs(10)).capture().merge(&second.capture())
}

/// The first finding with this id.
pub fn find(analysis: &Analysis, id: &str) -> Option<Finding> {
    analysis.diagnosis.findings(&analysis.facts).find(|finding| finding.id() == id)
}

/// Whether one of the finding's causes, or one of its checks, says this.
pub fn says(finding: &Finding, words: &str) -> bool {
    finding.causes.iter().any(|cause| cause.text.contains(words))
        || finding.checks().any(|check| check.text.contains(words))
}

/// Whether it tells the initiator, or the responder, to check something.
pub fn tells_a_side(finding: &Finding) -> bool {
    finding.checks().any(|check| matches!(check.side, Where::Initiator | Where::Responder))
}

/// The side behind the NAT is told to keep its mapping alive, whichever side of the IKE SA it is.
/// Aggressive Mode behind a NAT, up to message 2; then `then` on UDP 4500, while the responder goes on with message 2 on UDP 500.
fn aggressive_on_4500(then: fn(Scenario) -> Scenario) -> Capture {
    let story = Scenario::new().nat().am1(&[usual_transform()]).am2(&usual_transform());
    let again = story.clone().repeat_from(Side::Responder, 3, &[10.0]).quiet(secs(40)).capture();
    again.merge(&then(story).capture().skip(2))
}

#[test]
fn message_3_of_aggressive_mode_is_the_first_on_4500() {
    let lost = judge(&aggressive_on_4500(|told| told.am3().repeat(3, &[10.1])));
    assert_eq!(alarms(&lost), ["N-PORT4500"]);
    let found = find(&lost, "N-PORT4500").expect("a finding");
    // it was sent because the responder's proof was right
    assert!(found.causes[0].text.starts_with("UDP 4500 is filtered"), "{:?}", found.causes);
    let follows = find(&lost, "P1-AGGR-AUTH").and_then(|found| found.consequence_of);
    assert_eq!(follows, Some("N-PORT4500"));
    // an Informational asks for no answer
    let refused = judge(&aggressive_on_4500(|told| {
        let error = [v1::notify(v1::INVALID_ID_INFORMATION)];
        told.ike_port(4500).with_marker(|told| told.informational(Side::Initiator, &error))
    }));
    assert_eq!(alarms(&refused), ["P1-AGGR-AUTH"]);
}

/// Aggressive Mode with XAUTH behind a NAT, up to message 3; then `then`, while message 3 comes again and again.
fn xauth_on_4500(then: fn(Scenario) -> Scenario) -> Scenario {
    let xauth = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::XAUTH_INIT_PSK, 14);
    let story = Scenario::new().nat().am1(std::slice::from_ref(&xauth)).am2(&xauth).am3();
    let again = |told: Scenario, gap| told.repeat_from(Side::Initiator, 1, &[gap]);
    [2.0, 4.0, 8.0].into_iter().fold(then(story), again)
}

/// The gateway has to ask as soon as phase 1 is complete: who sends message 3 on UDP 4500 again and again has not heard that.
#[test]
fn a_question_that_does_not_come_back_from_4500_is_a_blocked_port() {
    let question = |told: Scenario| told.transaction(Side::Responder, v1::attributes(1, 1, &[]));
    let before = judge(&xauth_on_4500(|told| told).capture());
    assert_eq!(alarms(&before), ["N-PORT4500"]);
    assert_eq!(find(&before, "P1-XAUTH").and_then(|found| found.consequence_of), Some("N-PORT4500"));
    let beyond = judge(&xauth_on_4500(question).capture());
    assert_eq!(alarms(&beyond), ["N-PORT4500"]);
    let found = find(&beyond, "N-PORT4500").expect("a finding");
    assert!(found.means.contains("not back to the initiator"), "{}", found.means);
    // who answers has heard it, and who comes up later too
    let answered = xauth_on_4500(question).transaction_reply(Side::Initiator, v1::attributes(2, 1, &[]));
    assert!(find(&judge(&answered.capture()), "N-PORT4500").is_none());
    let later = xauth_on_4500(|told| told).after(secs(3)).new_attempt().main_mode().quick_mode().traffic(10);
    assert_eq!(alarms(&judge(&later.capture())), [""; 0]);
}

/// A question that is asked again and again, and the message before it too: it does not arrive, whatever its port.
#[test]
fn a_question_that_does_not_arrive_waits_for_no_user() {
    let xauth = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::XAUTH_INIT_PSK, 14);
    let story = Scenario::new().am1(std::slice::from_ref(&xauth)).am2(&xauth).am3();
    let asked = story.transaction(Side::Responder, v1::attributes(1, 1, &[]));
    let again = |told: Scenario, gap| told.repeat_from(Side::Initiator, 1, &[gap]);
    let analysis = judge(&[2.0, 4.0, 8.0].into_iter().fold(asked, again).capture());
    assert_eq!(alarms(&analysis), ["P1-XAUTH"]);
    let found = find(&analysis, "P1-XAUTH").expect("a finding");
    assert_eq!(found.causes.len(), 1);
    assert!(found.means.contains("its question does not reach the client"), "{}", found.means);
}

/// Beyond the NAT nothing is left of a large message whose fragments are lost.
#[test]
fn a_message_that_is_due_on_4500_may_be_large() {
    let waits = |more: &[Payload]| {
        let suite = v2::ike_cbc(14);
        let story = Scenario::new().nat().sa_init_request(std::slice::from_ref(&suite));
        let analysis = judge(&story.sa_init_response_with(&suite, more).quiet(secs(20)).capture());
        says(&find(&analysis, "N-PORT4500").expect("a finding"), "a fragment of it, of IP or of IKE, is lost")
    };
    assert!(waits(&[v2::certificate_request(1, 1)]));
    assert!(!waits(&[]));
}

/// With signatures no pre-shared key has a part in it.
#[test]
fn what_is_refused_in_silence_on_4500_depends_on_the_method() {
    let silent = |method| {
        let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, method, 14);
        let told = Scenario::new().nat().mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4().mm5();
        let analysis = judge(&told.repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60)).capture());
        let found = find(&analysis, "N-PORT4500").expect("a finding");
        ["pre-shared keys", "certificate"].map(|word| found.causes.iter().any(|cause| cause.text.contains(word)))
    };
    assert_eq!(silent(v1::PSK), [true, false]);
    assert_eq!(silent(v1::RSA_SIG), [false, true]);
}

/// The initiator behind its NAT.
const WITHIN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 10));

/// The port that a client came from is closed behind it: it goes on from UDP 4500, and no service has ended.
#[test]
fn a_client_that_moved_to_4500_has_not_gone() {
    let story = Scenario::new().nat().captured_inside().am1(&[usual_transform()]).am2(&usual_transform());
    let refused =
        (0..3).fold(story.clone(), |told, _| told.repeat_from(Side::Responder, 1, &[10.0]).icmp_unreachable(WITHIN, 3));
    let moved = story.am3().repeat(3, &[10.1]).capture().skip(2);
    let analysis = judge(&refused.quiet(secs(40)).capture().merge(&moved));
    assert_eq!(alarms(&analysis), ["N-PORT4500"]);
    let found = find(&analysis, "N-ICMP-PORT").expect("a remark");
    assert_eq!(found.severity, Severity::Info);
    assert!(found.means.starts_with("the host has moved to UDP 4500"), "{}", found.means);
}

/// Behind the NAT's outside nothing comes on UDP 4500, and nothing on 500: that is one silence.
#[test]
fn what_should_come_on_4500_is_missed_once() {
    let main_mode = Scenario::new().nat().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4();
    let ikev2 = Scenario::new().nat().ikev2_init(&v2::ike_cbc(14));
    // Who asks again in spite of the answer has not got it, and moves nowhere.
    let unheard = ikev2.clone().repeat_from(Side::Initiator, 3, &[4.0, 7.2, 13.0]);
    assert_eq!(alarms(&judge(&unheard.quiet(secs(60)).capture())), ["V2-INIT-NO-AUTH"]);
    for (told, follows) in [(main_mode.repeat(3, &[4.0, 7.2, 13.0]), "P1-MM4-NO-MM5"), (ikev2, "V2-INIT-NO-AUTH")] {
        let analysis = judge(&told.quiet(secs(60)).capture());
        assert_eq!(alarms(&analysis), ["N-PORT4500"]);
        assert_eq!(find(&analysis, follows).and_then(|found| found.consequence_of), Some("N-PORT4500"));
        // A filter for UDP 500 alone leaves the same picture of a tunnel that works.
        let found = find(&analysis, "N-PORT4500").expect("a finding");
        assert!(found.causes.iter().any(|cause| cause.text.starts_with("the capture leaves UDP 4500 out")));
    }
}

#[test]
fn a_responder_that_repeats_itself_on_4500_got_the_message_there() {
    let told = Scenario::new().nat().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let again = [4.0, 7.2, 13.0]
        .iter()
        .fold(told, |told, &gap| told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.03]));
    assert_eq!(alarms(&judge(&again.quiet(secs(60)).capture())), ["P1-AUTH-SILENT"]);
}

/// ESP of a tunnel that worked, checks and a new message 5 go unanswered since one moment, and UDP 500 answers: one port is closed.
#[test]
fn what_falls_silent_on_4500_alone_has_one_cause() {
    let told = Scenario::new().nat().main_mode().quick_mode();
    let spis = told.esp_spis();
    let told = told.traffic_on(spis, 1..=10, ms(500));
    let in_use = told.dpd(Side::Initiator, 1).dpd_ack(Side::Responder, 1).traffic_on(spis, 11..=12, ms(500));
    let asked = (0..4).fold(in_use, |told, number| {
        let sent = told.esp(Side::Initiator, spis[0], 13 + number * 5..=17 + number * 5, 120, ms(600));
        sent.dpd(Side::Initiator, 2 + number)
    });
    let anew = |told: Scenario| told.new_attempt().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let analysis = judge(&anew(asked.clone()).repeat(4, &[2.0, 4.0]).quiet(secs(20)).capture());
    let found = find(&analysis, "P1-AUTH-SILENT").expect("a finding");
    assert!(found.causes[0].text.starts_with("UDP 4500 is blocked"), "{:?}", found.causes);
    assert!(found.seen.contains("its UDP 4500 answered ESP until"), "{}", found.seen);
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert!(found.causes[0].text.starts_with("ESP in UDP is lost on its way"), "{:?}", found.causes);
    let found = find(&analysis, "L-DPD-TIMEOUT").expect("a finding");
    assert!(found.means.starts_with("the peer lives"), "{}", found.means);
    assert!(!says(&found, "the IKE daemon of the peer is dead"));
    // what comes from there in between had another reason to be missed
    let answers = asked.dpd_ack(Side::Responder, 5);
    let analysis = judge(&anew(answers).repeat(4, &[2.0, 4.0]).quiet(secs(20)).capture());
    let found = find(&analysis, "P1-AUTH-SILENT").expect("a finding");
    assert!(!found.causes[0].text.starts_with("UDP 4500 is blocked"), "{:?}", found.causes);
}

#[test]
fn an_initiator_that_takes_the_answer_of_an_address_it_did_not_ask_is_told_of() {
    let story = Scenario::new();
    let asked: IpAddr = story.address(Side::Responder);
    let story = story.sa_init_request(&[v2::ike_cbc(14)]).responder_moves(Ipv4Addr::new(198, 51, 100, 8).into());
    let story = story.sa_init_response(&v2::ike_cbc(14)).responder_moves(asked).ikev2_auth();
    let analysis = judge(&story.quiet(secs(30)).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    let found = find(&analysis, "N-WRONG-ADDR").expect("a finding");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.seen.contains("198.51.100.8"), "{}", found.seen);
    assert!(find(&analysis, "C-MIDSTREAM").is_none());
    assert!(find(&analysis, "C-ONE-DIR").is_none());
}

/// It takes the first answer from elsewhere, and the next one not: no direction is missing, and what stops it is the address.
#[test]
fn who_takes_one_answer_of_another_address_and_not_the_next_gets_no_further() {
    let story = Scenario::new();
    let asked = story.address(Side::Responder);
    let answers = |told: Scenario, answer: fn(Scenario) -> Scenario| {
        answer(told.responder_moves(Ipv4Addr::new(198, 51, 100, 8).into())).responder_moves(asked)
    };
    let told = answers(story.mm1(&[usual_transform()]), |told| told.mm2(&usual_transform()));
    let told = answers(told.mm3(), |told| told.mm4().repeat(4, &[10.0]));
    let analysis = judge(&told.quiet(secs(30)).capture());
    assert_eq!(alarms(&analysis), ["N-WRONG-ADDR"]);
    let found = find(&analysis, "N-WRONG-ADDR").expect("a finding");
    assert!(found.means.ends_with("but got no further"), "{}", found.means);
}

/// The capture begins after the set-up, and both ends go on from addresses of the other family (MOBIKE).
#[test]
fn an_answer_from_the_address_that_was_asked_is_no_wrong_address() {
    let analysis = judge(&both_move_to_ipv6().traffic(4).capture().skip(4));
    assert_eq!(alarms(&analysis), [""; 0]);
    assert!(find(&analysis, "N-WRONG-ADDR").is_none());
}

#[test]
fn a_responder_behind_a_nat_is_told_to_send_keepalives() {
    let story = Scenario::new().responder_nat().ikev2(&v2::ike_cbc(14)).traffic(4).after(secs(200));
    let responder = story.address(Side::Responder).to_string();
    let told = story.informational_request(Side::Initiator, &[]).repeat(5, &[4.0, 7.2, 13.0, 23.3, 42.0]);
    let found = find(&judge(&told.quiet(secs(60)).capture()), "N-KEEPALIVE").expect("a finding");
    assert!(found.seen.contains(&format!("the responder ({responder}) is behind a NAT")), "{}", found.seen);
    assert!(!tells_a_side(&found) && says(&found, "on the side behind the NAT"));
}

/// What the peer asks is answered from the new place: it sends there.
#[test]
fn an_answer_from_the_new_place_shows_that_the_peer_follows() {
    let up = Scenario::new().nat().ikev2(&v2::ike_cbc(14)).traffic(4).after(secs(60));
    let asked = up.informational_request(Side::Responder, &[]).mapping_changes();
    let told = asked.repeat(1, &[4.0]).informational_response(Side::Initiator, &[]).quiet(secs(9));
    let analysis = judge(&told.capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert!(find(&analysis, "N-MAPPING-CHANGED").is_some_and(|found| found.means.contains("follows")));
}

/// ESP in UDP from another port is another mapping (RFC 3948 §3): whether the peer follows shows in where its own goes.
#[test]
fn esp_in_udp_from_another_port_is_another_mapping() {
    let up = || Scenario::new().nat().ikev2(&v2::ike_cbc(14)).traffic(10);
    let spis = up().esp_spis();
    let follows = judge(&up().mapping_changes().traffic_on(spis, 11..60, ms(200)).capture());
    let found = find(&follows, "N-MAPPING-CHANGED").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Info, Confidence::Stated));
    assert!(found.means.contains("sends to the new port"), "{}", found.means);
    assert_eq!(alarms(&follows), [""; 0]);
    // One stray packet is none.
    let stray = up().mapping_changes().esp(Side::Initiator, spis[0], [11], 120, ms(200));
    assert!(find(&judge(&stray.quiet(secs(30)).capture()), "N-MAPPING-CHANGED").is_none());
}

/// The host answered on UDP 500 a moment before: its service runs, and only the other port is closed.
#[test]
fn a_host_that_refuses_udp_4500_alone_has_its_service_on() {
    let asked = Scenario::new().ikev2_init(&v2::ike_cbc(14)).ike_port(4500).with_marker(|told| {
        let proof = told.psk_proof(Side::Initiator);
        told.auth_request(&proof)
    });
    let host = asked.address(Side::Responder);
    let analysis = judge(&asked.icmp_unreachable(host, 3).repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60)).capture());
    let found = find(&analysis, "N-ICMP-PORT").expect("a finding");
    assert!(found.means.contains("answers on UDP 500"), "{}", found.means);
    assert!(found.causes[0].text.starts_with("NAT traversal is off"), "{:?}", found.causes);
    assert!(!says(&found, "its service is down") && !says(&found, "start the service"));
}

/// An Informational that deletes asks for no answer (RFC 2409 §5.7), how long the side behind the NAT may have been quiet before.
#[test]
fn a_delete_that_nobody_answers_says_nothing_of_a_nat() {
    let up = Scenario::new().responder_nat().main_mode().quick_mode().traffic(4).after(secs(90));
    let spis = up.esp_spis();
    let gone = up.delete_ipsec(Side::Initiator, spis[1]).delete_isakmp(Side::Initiator);
    let analysis = judge(&gone.quiet(secs(60)).capture());
    assert!(find(&analysis, "N-KEEPALIVE").is_none());
    assert_eq!(alarms(&analysis), [""; 0]);
}

/// An initiator listens where it asked from, for who it asked (RFC 7296 §2.11): an answer from another port is none.
#[test]
fn an_answer_from_another_port_that_is_asked_for_again_is_not_taken() {
    let asked = |port: u16| {
        let story = Scenario::new().ikev2_init(&v2::ike_cbc(14)).repeat_from(Side::Initiator, 3, &[4.0, 7.2, 13.0]);
        let IpAddr::V4(responder) = story.address(Side::Responder) else { panic!("IPv4") };
        let mut capture = story.quiet(secs(30)).capture();
        for frame in capture
            .frames
            .iter_mut()
            .filter(|frame| frame.octets[23] == 17 && frame.octets[26..30] == responder.octets())
        {
            frame.octets[34..36].copy_from_slice(&port.to_be_bytes());
        }
        judge(&capture)
    };
    let found = find(&asked(1027), "N-WRONG-ADDR").expect("a finding");
    assert!(found.seen.starts_with("SA_INIT-RSP came from port 1027, and port 500 was asked"), "{}", found.seen);
    assert_eq!(alarms(&asked(1027)), ["N-WRONG-ADDR"]);
    assert_eq!(alarms(&asked(500)), ["V2-INIT-NO-AUTH"]);
}

/// Who answers pings is there (RFC 792): that is what the report would ask next.
#[test]
fn a_silent_peer_that_answers_pings_is_there() {
    let told = |pings: bool| {
        let asked = Scenario::new().sa_init_request(&[v2::ike_cbc(14)]).repeat(3, &[4.0, 7.2, 13.0]);
        let told = if pings { asked.ping(Side::Initiator) } else { asked };
        find(&judge(&told.quiet(secs(60)).capture()), "V2-NO-REPLY").expect("a finding")
    };
    let (pinged, silent) = (told(true), told(false));
    assert!(pinged.means.starts_with("the host is there"), "{}", pinged.means);
    assert!(!silent.means.starts_with("the host is there"), "{}", silent.means);
    let asks = |found: &Finding| found.settle.as_deref().is_some_and(|settle| settle.contains("such as a ping"));
    assert!(asks(&silent) && !asks(&pinged));
}

/// Who sends keepalives is there, though it does not answer (RFC 3948 §4).
#[test]
fn a_silent_peer_that_sends_keepalives_is_there() {
    let asked = || Scenario::new().sa_init_request(&[v2::ike_cbc(14)]).repeat(3, &[4.0, 7.2, 13.0]);
    let meanwhile = find(&judge(&asked().keepalive(Side::Responder).quiet(secs(60)).capture()), "V2-NO-REPLY");
    let meanwhile = meanwhile.expect("a finding");
    assert!(meanwhile.seen.contains("sends NAT keepalives meanwhile"), "{}", meanwhile.seen);
    assert!(meanwhile.means.starts_with("the responder is there"), "{}", meanwhile.means);
    let before = Scenario::new().keepalive(Side::Responder).after(secs(60)).sa_init_request(&[v2::ike_cbc(14)]);
    let before = judge(&before.repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60)).capture());
    assert!(!find(&before, "V2-NO-REPLY").expect("a finding").means.starts_with("the responder is there"));
}

/// On its own side of the NAT there is little that could lose what the initiator sends.
#[test]
fn who_does_not_move_to_port_4500_may_have_stopped_by_itself() {
    let told = |told: Scenario| find(&judge(&told.quiet(secs(60)).capture()), "N-PORT4500").expect("a finding");
    let stopped = "the initiator stopped by itself";
    let inside = told(Scenario::new().nat().captured_inside().ikev2_init(&v2::ike_cbc(14)));
    assert!(inside.causes[0].text.starts_with(stopped), "{:?}", inside.causes);
    let outside = told(Scenario::new().nat().ikev2_init(&v2::ike_cbc(14)));
    assert!(!outside.causes[0].text.starts_with(stopped) && says(&outside, stopped), "{:?}", outside.causes);
}

/// Of a tunnel that was up before the capture, a single packet that found its port closed is no more than a remark.
#[test]
fn one_refused_packet_of_a_tunnel_in_use_is_no_alarm() {
    let sent = Scenario::new().nat().esp_in_udp(Side::Responder, 0xb118_4393, [19], 120, ms(20));
    let host = sent.address(Side::Initiator);
    let both = |told: Scenario, number: u32| {
        let asked = told.esp_in_udp(Side::Responder, 0xb118_4393, [number], 120, ms(480));
        asked.esp_in_udp(Side::Initiator, 0xc383_2d51, [number], 120, ms(20))
    };
    let goes_on = (20..=40).fold(sent.icmp_unreachable(host, 3), both);
    assert_eq!(alarms(&judge(&goes_on.capture())), [""; 0]);
}

/// What came before a message was sent again and again shows nothing of that time.
#[test]
fn a_peer_that_was_heard_just_before_is_not_alive_all_the_while() {
    let used = Scenario::new().ikev2(&v2::ike_cbc(14)).traffic(10);
    let left = used.informational_request(Side::Initiator, &[v2::delete_ike()]);
    let left = left.informational_response(Side::Responder, &[]).after(secs(4)).new_attempt();
    let asked = left.sa_init_request(&[v2::ike_cbc(14)]);
    let told = |told: Scenario| find(&judge(&told.quiet(secs(40)).capture()), "V2-NO-REPLY").expect("a finding");
    let often = told(asked.clone().repeat(3, &[2.0, 3.6, 6.5]));
    assert!(often.seen.contains("was last heard 4.0 s before that"), "{}", often.seen);
    assert_eq!(often.confidence, Confidence::Suspected);
    let once = told(asked);
    assert!(once.seen.contains("it sent other IKE, ESP or AH shortly before"), "{}", once.seen);
}

/// A client that ends at the refusal leaves a closed port; the refusal is what counts.
#[test]
fn the_closed_port_of_who_was_refused_is_no_error() {
    let story = Scenario::new().sa_init_request(&[v2::ike_cbc(14)]);
    let client = story.address(Side::Initiator);
    let refused = story.sa_init_notify(v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])).icmp_unreachable(client, 3);
    assert_eq!(alarms(&judge(&refused.quiet(secs(30)).capture())), ["V2-PROPOSAL"]);
}

/// A client leaves in good order, and a packet that was under way finds its port closed.
#[test]
fn a_late_packet_to_a_client_that_left_is_no_alarm() {
    let story = Scenario::new().floats().ikev2(&v2::ike_cbc(14)).traffic(30);
    let (client, spi) = (story.address(Side::Initiator), story.esp_spi(Side::Initiator));
    let delete = [v2::delete_ike()];
    let left = story.informational_request(Side::Initiator, &delete).informational_response(Side::Responder, &[]);
    let late = left.esp(Side::Responder, spi, [31], 120, ms(20)).icmp_unreachable(client, 3).quiet(secs(50));
    let analysis = judge(&late.capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    let found = find(&analysis, "N-ICMP-PORT").expect("a remark");
    assert_eq!(found.severity, Severity::Info);
    assert!(found.seen.contains("the tunnel had been taken down before"), "{}", found.seen);
    assert!(!says(&found, "IKE is not enabled on the responder") && !says(&found, "enable IKE"));
}

/// Without a farewell it is the initiator whose service is gone, not the responder's.
#[test]
fn a_refusal_by_the_initiator_is_not_laid_on_the_responder() {
    let story = Scenario::new().floats().ikev2(&v2::ike_cbc(14)).traffic(30);
    let (client, spi) = (story.address(Side::Initiator), story.esp_spi(Side::Initiator));
    let refused =
        |told: Scenario, number| told.esp(Side::Responder, spi, [number], 120, secs(1)).icmp_unreachable(client, 3);
    let analysis = judge(&(31..40).fold(story, refused).quiet(secs(5)).capture());
    let found = find(&analysis, "N-ICMP-PORT").expect("a finding");
    assert_eq!(found.severity, Severity::Error);
    assert!(!says(&found, "responder") && says(&found, "the initiator ended its IKE service"));
}

/// Who had a tunnel had IKE enabled.
#[test]
fn a_port_that_is_closed_after_a_tunnel_had_its_service_stop() {
    let up = Scenario::new().main_mode().quick_mode().traffic(4).after(secs(30));
    let host = up.address(Side::Responder);
    let asked = up.new_attempt().mm1(&[usual_transform()]).icmp_unreachable(host, 3);
    let told = [4.0, 7.2]
        .into_iter()
        .fold(asked, |told, gap| told.repeat_from(Side::Initiator, 1, &[gap]).icmp_unreachable(host, 3));
    let found = find(&judge(&told.quiet(secs(20)).capture()), "N-ICMP-PORT").expect("a finding");
    assert!(found.causes[0].text.contains("has stopped since the tunnel was up"), "{:?}", found.causes);
    assert!(!says(&found, "not enabled") && found.checks().all(|check| !check.text.contains("enable IKE")));
}

/// On the client's side of the NAT its word is its own.
#[test]
fn a_client_that_refuses_within_its_nat_is_no_nat() {
    let refused = |story: Scenario, client| {
        let up = story.ikev2(&v2::ike_cbc(14)).traffic(30);
        let spi = up.esp_spi(Side::Initiator);
        let gone = (31..40).fold(up, |told, number| {
            told.esp(Side::Responder, spi, [number], 120, secs(1)).icmp_unreachable(client, 3)
        });
        find(&judge(&gone.quiet(secs(20)).capture()), "N-ICMP-PORT").expect("a finding")
    };
    let outside = Scenario::new().nat();
    let seen = outside.address(Side::Initiator);
    assert!(says(&refused(outside, seen), "has no mapping"));
    let inside = refused(Scenario::new().nat().captured_inside(), WITHIN);
    assert!(!says(&inside, "has no mapping") && inside.means.starts_with("the host is there"), "{inside:?}");
}

/// A router that cannot reach a host says so of IKE and of ESP: one cause, one finding.
#[test]
fn a_host_that_cannot_be_reached_is_one_finding() {
    let router = Ipv4Addr::new(192, 0, 2, 254).into();
    let story = Scenario::new().main_mode().quick_mode().traffic(10);
    let spi = story.esp_spi(Side::Responder);
    let refused = |told: Scenario, number| {
        let told = told.esp(Side::Initiator, spi, [number], 120, secs(1)).icmp_unreachable(router, 1);
        told.dpd(Side::Initiator, number).icmp_unreachable(router, 1)
    };
    let analysis = judge(&(11..20).fold(story, refused).quiet(secs(5)).capture());
    let all: Vec<_> =
        analysis.diagnosis.findings(&analysis.facts).filter(|finding| finding.id() == "N-ICMP-HOST").collect();
    assert_eq!(all.len(), 1);
    assert!(all[0].seen.contains("about ESP to") && all[0].seen.contains("about IKE on UDP 500"), "{}", all[0].seen);
}

/// "Port unreachable" by a router is a filter's word; by the host itself, the host's.
#[test]
fn a_port_that_is_refused_on_the_path_says_nothing_of_the_peer() {
    let refused = |from: fn(&Scenario) -> IpAddr| {
        let transform = usual_transform();
        let asked = Scenario::new().mm1(std::slice::from_ref(&transform));
        let from = from(&asked);
        let told = [4, 7, 13].into_iter().fold(asked.icmp_unreachable(from, 3), |told, gap| {
            told.after(secs(gap)).repeat_from(Side::Initiator, 1, &[0.0]).icmp_unreachable(from, 3)
        });
        let analysis = judge(&told.quiet(secs(30)).capture());
        find(&analysis, "N-ICMP-PORT").expect("a finding")
    };
    let by_router = refused(|_| Ipv4Addr::new(192, 0, 2, 254).into());
    assert!(by_router.causes[0].text.starts_with("a firewall"), "{:?}", by_router.causes);
    assert!(by_router.means.contains("nothing is said of the peer"), "{}", by_router.means);
    let by_host = refused(|story| story.address(Side::Responder));
    assert!(by_host.causes[0].text.starts_with("IKE is not enabled"), "{:?}", by_host.causes);
}

/// What a router said of a peer is over when the peer answers, or has gone elsewhere.
#[test]
fn an_error_that_is_over_is_no_alarm() {
    let router = Ipv4Addr::new(192, 0, 2, 254).into();
    let transform = usual_transform();
    let asked = Scenario::new().mm1(std::slice::from_ref(&transform)).icmp_unreachable(router, 1);
    let answered = asked.after(secs(4)).repeat_from(Side::Initiator, 1, &[0.0]).mm2(&transform).mm3().mm4();
    let analysis = judge(&answered.capture());
    assert_eq!(find(&analysis, "N-ICMP-HOST").map(|found| found.severity), Some(Severity::Info));

    let story = Scenario::new().floats().ikev2(&v2::ike_cbc(14)).traffic(10);
    let spi = story.esp_spi(Side::Initiator);
    let lost = (11..14)
        .fold(story, |told, number| told.esp(Side::Responder, spi, [number], 120, ms(1)).icmp_unreachable(router, 1));
    let update = [v2::notify(v2::UPDATE_SA_ADDRESSES, &[])];
    let moved = lost.after(secs(2)).initiator_moves(Ipv4Addr::new(198, 51, 100, 77).into());
    let moved = moved.informational_request(Side::Initiator, &update).informational_response(Side::Responder, &[]);
    let analysis = judge(&moved.traffic(10).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(find(&analysis, "N-ICMP-HOST").map(|found| found.severity), Some(Severity::Info));
}

/// Before IKE_AUTH nothing depends on keys, and IKEv2 has NAT traversal built in.
#[test]
fn keys_are_not_blamed_before_they_are_used() {
    let story = || Scenario::new().floats().ikev2_init(&v2::ike_cbc(14));
    let asks = |told: Scenario| told.request(Side::Initiator, 43, &[v2::nonce(600, 1)]).repeat(3, &[4.0, 7.2, 13.0]);
    let intermediate = story().ike_port(4500).with_marker(asks);
    let found = find(&judge(&intermediate.quiet(secs(60)).capture()), "N-PORT4500").expect("a finding");
    assert!(!says(&found, "keys") && !says(&found, "NAT traversal"), "{:?}", found.causes);
    let proof = story().psk_proof(Side::Initiator);
    let auth = story().auth_request(&proof).repeat(3, &[4.0, 7.2, 13.0]);
    let found = find(&judge(&auth.quiet(secs(60)).capture()), "N-PORT4500").expect("a finding");
    assert!(says(&found, "keys") && !says(&found, "NAT traversal"), "{:?}", found.causes);
    // nor is a pre-shared key where a certificate proves who it is
    let auth = story().auth_request(&story().certificate_proof(Side::Initiator, 1000)).repeat(3, &[4.0, 7.2, 13.0]);
    let found = find(&judge(&auth.quiet(secs(60)).capture()), "N-PORT4500").expect("a finding");
    assert!(!says(&found, "keys"), "{:?}", found.causes);
}

/// A client behind a NAT is quiet; then a liveness check of the server goes unanswered until the client sends again.
#[test]
fn a_mapping_that_comes_back_with_the_inner_side_is_found() {
    let quiet_client = |copies: usize| {
        let story = Scenario::new().nat().ikev2(&v2::ike_cbc(14)).traffic(20).after(secs(240));
        let spis = story.esp_spis();
        let asked = story.informational_request(Side::Responder, &[]).repeat(copies, &[4.0, 7.2, 13.0, 23.3]);
        asked.informational_response(Side::Initiator, &[]).traffic_on(spis, 21..40, ms(100)).capture()
    };
    let analysis = judge(&quiet_client(4));
    assert_eq!(alarms(&analysis), ["N-KEEPALIVE"]);
    let found = find(&analysis, "N-KEEPALIVE").expect("a finding");
    assert!(found.seen.contains("was sent 5 times, and no IKE of it came for 47.5 s"), "{}", found.seen);
    assert_eq!(alarms(&judge(&quiet_client(1))), [""; 0], "one repeat is bad luck");
}

/// A client moves from IPv4 to IPv6 and asks the gateway's other address, which answers from there.
#[test]
fn a_peer_that_answers_where_it_is_asked_has_not_moved() {
    let analysis = judge(&moves_to_ipv6());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert!(find(&analysis, "N-MAPPING-CHANGED").is_none());
    assert!(find(&analysis, "V2-MOBIKE").is_some(), "its traffic goes on there");
}

/// A tunnel with traffic that moves from IPv4 to IPv6 on both ends.
pub fn moves_to_ipv6() -> Capture {
    let six = |text: &str| text.parse::<IpAddr>().expect("an address");
    let story = Scenario::new().floats().ikev2(&v2::ike_cbc(14)).traffic(30);
    let spis = story.esp_spis();
    let moved = story.initiator_moves(six("2001:db8:1::5")).responder_moves(six("2001:db8:2::7"));
    moved.liveness(Side::Initiator).traffic_on(spis, 31..90, ms(500)).capture()
}

/// Two clients behind a NAT that keeps their ports: what comes back to the first stops when the second is up.
#[test]
fn a_client_that_loses_its_answers_to_another_is_found_on_equal_ports() {
    let client = |seed, pause| Scenario::new().seed(seed).nat().after(secs(pause)).main_mode().quick_mode();
    let second = client(2, 40);
    let second = {
        let spis = second.esp_spis();
        second.traffic_on(spis, 1..80, ms(985))
    }
    .capture();
    let served = |until: u32| {
        let first = client(1, 0);
        let [there, back] = first.esp_spis();
        let first = first.traffic_on([there, back], 1..until, ms(985));
        first.esp(Side::Initiator, there, until..121, 120, secs(1)).capture().merge(&second)
    };
    let analysis = judge(&served(40));
    assert_eq!(alarms(&analysis), ["N-NAT-MULTI"]);
    assert!(find(&judge(&served(118)), "N-NAT-MULTI").is_none(), "both are served");
    // eight questions in vain, as long as those that were answered, are enough
    assert_eq!(alarms(&judge(&served(40).cut_after(secs(58)))), ["N-NAT-MULTI"]);
    assert!(alarms(&judge(&served(118).cut_after(secs(58)))).is_empty());
}

/// A gateway may send a wrong hash of its own address on purpose.
#[test]
fn a_wrong_hash_of_its_own_is_no_proof_of_a_nat() {
    let found = find(&judge(&Lab("v1-libipsec-healthy").captures()[0]), "N-NAT-DETECTED").expect("a remark");
    assert!(found.seen.contains("or sends a wrong hash on purpose"), "{}", found.seen);
    assert_ne!(found.confidence, Confidence::Stated);
}

/// Both hashes of one side are wrong, and both of its peer's right: nobody translates both ends and leaves one side's word true.
#[test]
fn hashes_that_only_one_side_gets_wrong_are_wrong_on_purpose() {
    // message 3 ends in two hashes of SHA2-256
    let falsify = |octets: &mut Vec<u8>| {
        for back in [1, 37] {
            let at = octets.len() - back;
            octets[at] ^= 1;
        }
    };
    let forced = |story: Scenario| {
        let told = story.mm1(&[usual_transform()]).mm2(&usual_transform()).tampered(falsify, Scenario::mm3);
        judge(&told.mm4().mm5().mm6().quick_mode().traffic(8).capture())
    };
    let found = find(&forced(Scenario::new().floats()), "N-NAT-DETECTED").expect("a remark");
    assert_eq!(found.confidence, Confidence::Inferred);
    assert!(found.means.contains("the initiator sends wrong hashes, most likely on purpose"), "{}", found.means);
    assert!(found.causes[0].text.contains("on purpose"), "{:?}", found.causes);
    // beside a peer with a private address the capture may stand inside its NAT
    let inside = Scenario::between(address("203.0.113.10"), address("10.0.0.7")).floats();
    let found = find(&forced(inside), "N-NAT-DETECTED").expect("a remark");
    assert!(found.means.starts_with("both sides are behind NAT, or one sends"), "{}", found.means);
    assert!(
        found.seen.starts_with("both sides are behind a NAT, or the initiator sends wrong hashes"),
        "{}",
        found.seen
    );
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A NAT answers for a port that it no longer maps: the client behind it is alive, and its IKE service with it.
#[test]
fn a_port_that_a_nat_no_longer_maps_is_no_service_that_is_gone() {
    let up = || behind_nat().traffic(20).after(secs(40));
    let [there, back] = up().esp_spis();
    let client = up().address(Side::Initiator);
    let refused =
        |told: Scenario, number| told.esp(Side::Responder, back, [number], 120, secs(1)).icmp_unreachable(client, 3);
    let comes_back = (21..31).fold(up(), refused).after(secs(2)).traffic_on([there, back], 31..50, ms(500));
    let analysis = judge(&comes_back.capture());
    assert_eq!(alarms(&analysis), ["N-KEEPALIVE"]);
    let found = find(&analysis, "N-KEEPALIVE").expect("a finding");
    assert!(found.seen.contains("10 times in 9.") && found.means.contains("forgotten"), "{found:?}");

    // a mapping that was used a moment ago is lost by no timer
    let used = || behind_nat().traffic(20);
    let flushed = refused(used(), 21).after(ms(300)).traffic_on([there, back], 22..50, ms(500));
    let analysis = judge(&flushed.capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    let found = find(&analysis, "N-KEEPALIVE").expect("a remark");
    assert!(found.causes[0].text.starts_with("the NAT lost its state"), "{:?}", found.causes);
    assert!(!says(&found, "raise the NAT's timer"));

    let sends_on =
        (21..60).fold(up(), |told, number| refused(told, number).esp(Side::Initiator, there, [number], 120, ms(10)));
    let analysis = judge(&sends_on.capture());
    assert_eq!(alarms(&analysis), ["N-MAPPING-CHANGED"]);
    assert!(find(&analysis, "N-MAPPING-CHANGED").expect("a finding").means.contains("does not follow"));

    let gone = judge(&(21..31).fold(up(), refused).quiet(secs(20)).capture());
    let found = find(&gone, "N-ICMP-PORT").expect("a finding");
    assert!(found.means.starts_with("the NAT in front of the host"), "{}", found.means);
}

/// A tunnel over IPv4 whose ends try IPv6, and move there.
pub fn both_move_to_ipv6() -> Scenario {
    let ip = |text: &str| text.parse::<IpAddr>().expect("an IPv6 address");
    let told = tries_ipv6();
    let hash = [7; 20];
    let update = [
        v2::notify(v2::UPDATE_SA_ADDRESSES, &[]),
        v2::notify(v2::NAT_DETECTION_SOURCE_IP, &hash),
        v2::notify(v2::NAT_DETECTION_DESTINATION_IP, &hash),
    ];
    let there = told.initiator_moves(ip("2001:db8:1::10")).responder_moves(ip("2001:db8:2::7"));
    there.informational_request(Side::Initiator, &update).informational_response(Side::Responder, &[])
}

/// A tunnel over IPv4 whose initiator tries another path, and gets an answer there.
pub fn tries_ipv6() -> Scenario {
    let ip = |text: &str| text.parse::<IpAddr>().expect("an IPv6 address");
    let up = Scenario::new().floats().ikev2(&v2::ike_cbc(14)).traffic(4).liveness(Side::Initiator);
    let home = [Side::Initiator, Side::Responder].map(|side| up.address(side));
    let there = up.after(secs(5)).initiator_moves(ip("2001:db8:1::10")).responder_moves(ip("2001:db8:2::7"));
    let tried = there.informational_request(Side::Initiator, &[]).informational_response(Side::Responder, &[]);
    tried.initiator_moves(home[0]).responder_moves(home[1])
}

/// Message 1 that ICMP answers is not met with silence, whatever is heard from there later.
#[test]
fn an_error_that_is_history_breaks_the_silence_of_its_time() {
    for quote in [28, 548] {
        let story = Scenario::new();
        let host = story.address(Side::Responder);
        let told = story.mm1(&[usual_transform()]).icmp_error(host, (3, 3), 0, quote);
        let again = |told: Scenario, gap| told.repeat(1, &[gap]).icmp_error(host, (3, 3), 0, quote);
        let told = [4.0, 7.2, 13.0].into_iter().fold(told, again).after(secs(60));
        let analysis = judge(&told.new_attempt().main_mode().quick_mode().traffic(4).quiet(secs(30)).capture());
        assert!(find(&analysis, "P1-NO-REPLY").is_none(), "{quote}");
        assert!(find(&analysis, "N-ICMP-PORT").is_some_and(|found| found.severity == Severity::Info), "{quote}");
    }
}

/// An SA that was up before goes on on UDP 4500, and UDP 500 is not answered.
#[test]
fn what_goes_on_on_4500_is_told_beside_silence_on_500() {
    let up = behind_nat();
    let frames = up.clone().capture().frames.len();
    let checked = |told: Scenario, number| told.after(secs(10)).dpd(Side::Initiator, number);
    let asks = |answered: bool| {
        let goes_on = (1..=6).fold(up.clone(), |told, number| {
            let told = checked(told, number);
            if answered { told.dpd_ack(Side::Responder, number) } else { told }
        });
        let silent = Scenario::new().seed(3).after(secs(5)).mm1(&[usual_transform()]).repeat(3, &[4.0, 7.2, 13.0]);
        judge(&goes_on.quiet(secs(30)).capture().skip(frames).merge(&silent.capture()))
    };
    assert!(find(&asks(true), "N-PORT-FILTER").is_some());
    assert!(find(&asks(false), "N-PORT-FILTER").is_none(), "nothing is heard on 4500 either");
}

/// Seen before the NAT: a private address, a peer without NAT traversal, and native ESP that nothing answers.
#[test]
fn a_missing_nat_traversal_shows_on_the_inside_too() {
    let inside = |answered: bool, packets: u32| {
        let story = Scenario::between(address("192.168.1.10"), address("198.51.100.7")).without_nat_t();
        let story = story.main_mode().quick_mode();
        let [there, back] = story.esp_spis();
        let told = (1..=packets).fold(story, |told, number| {
            let sent = told.esp(Side::Initiator, there, [number], 120, secs(1));
            if answered { sent.esp(Side::Responder, back, [number], 120, ms(15)) } else { sent }
        });
        judge(&told.capture())
    };
    let missing = inside(false, 20);
    assert_eq!(alarms(&missing), ["N-NATT-MISSING"]);
    assert_eq!(find(&missing, "T-ONEWAY").and_then(|found| found.consequence_of), Some("N-NATT-MISSING"));
    assert_eq!(alarms(&inside(true, 20)), [""; 0]);
    // the first answers may be under way
    assert!(find(&inside(false, 4), "N-NATT-MISSING").is_none());
}
