//! Trials: Fragments and packet sizes.

use std::net::Ipv4Addr;

use ikescope::diagnose::{Confidence, Severity};

use crate::path::{find, says};
use crate::support::story::main_mode_psk;
use crate::support::{Capture, Payload, Scenario, Side, ms, secs, v1, v2};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "F-IKE-FRAG-LOST",
        positive: Lab("v2-cert-ipfrag-dropped"),
        near_miss: Lab("v1-ipv6-rsa-ipfrag"),
        how: "all fragments arrive, and the message is answered",
    },
    Trial {
        id: "F-IKE-BIG",
        positive: Lab("v1-rsa-ipfrag-dropped-all"),
        near_miss: Lab("v1-main-rsa-healthy-ikefrag"),
        how: "IKE cuts its messages itself",
    },
    Trial {
        id: "F-SKF-INCOMPLETE",
        positive: Crafted("the second of IKE_AUTH's fragments never comes, in three tries", || {
            second_skf_lost().repeat(2, &[4.0, 8.0]).quiet(secs(30)).capture()
        }),
        near_miss: Crafted("it comes with the repeat, and IKE_AUTH is answered", || {
            let told = second_skf_lost().losing(&[]).repeat(1, &[4.0]);
            let response = proof(&told, Side::Responder);
            told.auth_response(&response).traffic(4).capture()
        }),
        how: "the exchange goes on",
    },
    Trial {
        id: "F-V1FRAG-INCOMPLETE",
        positive: Crafted("the second fragment of message 5 never comes, in three tries", || {
            second_v1_fragment_lost().repeat(2, &[4.0, 8.0]).quiet(secs(30)).capture()
        }),
        near_miss: Crafted("it comes with the repeat, and message 6 answers", || {
            second_v1_fragment_lost()
                .losing(&[])
                .repeat(1, &[4.0])
                .mm6_certificate(1200)
                .quick_mode()
                .traffic(4)
                .capture()
        }),
        how: "the exchange goes on",
    },
    Trial {
        id: "F-ESP-FRAG",
        positive: Crafted("packets of ESP come in IP fragments, and some never become whole", || {
            let story = main_mode_psk().quick_mode().mtu(1400);
            let spi = story.esp_spi(Side::Responder);
            long_packets(story.losing(&[2]).esp(Side::Initiator, spi, 1..=5, 1440, ms(50)).losing(&[]))
        }),
        near_miss: Crafted("the path takes them whole", || long_packets(main_mode_psk().quick_mode())),
        how: "no IP fragments",
    },
    Trial {
        id: "F-PMTU",
        positive: Crafted("a router asks for smaller packets for five seconds", || {
            let router = Ipv4Addr::new(192, 0, 2, 254).into();
            let story = main_mode_psk().quick_mode().traffic(4);
            let spi = story.esp_spi(Side::Responder);
            (5..11)
                .fold(story, |told, number| {
                    told.esp(Side::Initiator, spi, [number], 1440, secs(1)).icmp_too_big(router, 1400)
                })
                .capture()
        }),
        near_miss: Lab("v1-esp-large-dropped"),
        how: "large packets vanish, and no router says so",
    },
    Trial {
        id: "F-PMTU-BLACKHOLE",
        positive: Lab("v1-esp-large-dropped"),
        near_miss: Lab("v1-esp-blocked-oneway"),
        how: "small packets vanish too",
    },
];

/// IKEv2 with certificates, up to an IKE_AUTH request of which the second fragment is lost.
fn second_skf_lost() -> Scenario {
    skf_request(&[2])
}

/// The same, with these fragments lost.
pub fn skf_request(lost: &[usize]) -> Scenario {
    let story = Scenario::new().ike_fragments(576).ikev2_init(&v2::ike_cbc(14));
    let request = proof(&story, Side::Initiator);
    story.losing(lost).auth_request(&request)
}

/// Certificate and child SA of `side`.
fn proof(story: &Scenario, side: Side) -> Vec<Payload> {
    [story.certificate_proof(side, 1200), story.child(side)].concat()
}

/// The same of Main Mode and its message 5.
fn second_v1_fragment_lost() -> Scenario {
    message_5(&[2])
}

pub fn message_5(lost: &[usize]) -> Scenario {
    let signatures = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    Scenario::new()
        .ike_fragments(576)
        .mm1(std::slice::from_ref(&signatures))
        .mm2(&signatures)
        .mm3()
        .mm4()
        .losing(lost)
        .mm5_certificate(1200)
}

/// A snap length of 96 octets leaves the numbers of IKEv1 fragments, and none of what they hold; a shorter one not even those.
/// Either way they are messages 5 and 6, which nobody sends in clear.
#[test]
fn fragments_that_the_capture_cut_are_messages_5_and_6() {
    let fragmented = || Scenario::new().ike_fragments(576);
    for length in [96, 78, 77, 74, 73, 70] {
        let up = fragmented().main_mode_certificates(1200).quick_mode().traffic(4).capture();
        assert_eq!(alarms(&judge(&up.snap(length))), [""; 0], "{length}");
        let idle = fragmented().main_mode_certificates(1200).quiet(secs(60)).capture().snap(length);
        let unanswered = second_v1_fragment_lost().losing(&[]).repeat(4, &[4.0, 7.2, 13.0, 23.3]);
        for told in [idle, unanswered.quiet(secs(60)).capture().snap(length)] {
            let analysis = judge(&told);
            for wrong in ["P1-PSK", "P1-MM4-NO-MM5", "M-ENC-BIT", "F-V1FRAG-INCOMPLETE"] {
                assert!(find(&analysis, wrong).is_none(), "{wrong} {length}");
            }
        }
    }
    let lost = second_v1_fragment_lost().repeat(2, &[4.0, 8.0]).quiet(secs(30)).capture();
    assert!(find(&judge(&lost.snap(96)), "F-V1FRAG-INCOMPLETE").is_some());
}

/// Where the capture cut off the method, the length of message 5 tells that no pre-shared key is in play.
#[test]
fn a_long_message_5_holds_a_certificate_though_the_method_was_not_captured() {
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    let begun = Scenario::new().mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4().mm5_certificate(1200);
    let gaps = [10.0, 10.0, 10.0];
    let silent = begun.repeat_from(Side::Responder, 1, &[10.0]).repeat_from(Side::Initiator, 3, &gaps);
    let whole = silent.quiet(secs(60)).capture();
    for told in [whole.clone(), whole.snap(96)] {
        let analysis = judge(&told);
        let found = find(&analysis, "P1-AUTH-SILENT").expect("a finding");
        assert!(found.causes.iter().all(|cause| !cause.text.contains("keys")), "{:?}", found.causes);
    }
}

fn long_packets(story: Scenario) -> Capture {
    let [there, back] = story.esp_spis();
    (6..=25)
        .fold(story, |told, number| {
            told.esp(Side::Initiator, there, [number], 1440, ms(500)).esp(Side::Responder, back, [number], 1440, ms(50))
        })
        .capture()
}

/// What comes in fragments, whole, and is answered, is no alarm; what loses fragments is told by its direction.
#[test]
fn fragments_that_arrive_are_no_alarm() {
    let answered = judge(&long_packets(main_mode_psk().quick_mode().mtu(1400)));
    assert_eq!(alarms(&answered), [""; 0]);
    assert_eq!(find(&answered, "F-ESP-FRAG").expect("a remark").severity, Severity::Notice);

    let story = main_mode_psk().quick_mode().traffic(4).mtu(1400);
    let (spi, sender) = (story.esp_spi(Side::Initiator), story.address(Side::Responder));
    let story = story.losing(&[2]);
    let ends = story.clone().esp(Side::Responder, spi, [5], 1440, ms(500));
    assert_eq!(alarms(&judge(&ends.capture())), [""; 0], "the rest may be under way");
    let mut begins = long_packets(main_mode_psk().quick_mode().mtu(1400));
    let second = begins.frames.iter().rposition(|frame| frame.octets.len() < 200).expect("a last fragment");
    begins.frames.drain(..second - 20);
    assert_eq!(alarms(&judge(&begins)), [""; 0], "the first fragment may have come before");
    let lost = story.esp(Side::Responder, spi, 5..=24, 1440, ms(500));
    let found = find(&judge(&lost.capture()), "F-ESP-FRAG").expect("a finding");
    assert_eq!(found.severity, Severity::Warning);
    let all = format!("20 fragmented packets from {sender} never became whole here: the first fragment came");
    assert!(found.seen.starts_with(&all), "{}", found.seen);
}

/// Only the last of three fragments gets through, again and again, on UDP 4500.
#[test]
fn a_lone_last_fragment_is_not_called_a_blocked_port() {
    let story = Scenario::new().floats().ike_fragments(576).ikev2_init(&v2::ike_cbc(14));
    let request = proof(&story, Side::Initiator);
    let lone = story.losing(&[1, 2]).auth_request(&request).repeat(5, &[4.0, 7.2, 13.0, 23.3, 42.0]);
    let analysis = judge(&lone.quiet(secs(50)).capture());
    assert!(find(&analysis, "N-PORT4500").is_none());
    let found = find(&analysis, "F-SKF-INCOMPLETE").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
    assert!(found.seen.contains("the message was sent 6 times"), "{}", found.seen);
}

/// Of IKEv1 too.
#[test]
fn copies_of_a_message_in_part_are_counted() {
    let analysis = judge(&second_v1_fragment_lost().repeat(7, &[4.0]).quiet(secs(40)).capture());
    let found = find(&analysis, "F-V1FRAG-INCOMPLETE").expect("a finding");
    assert_eq!(found.confidence, Confidence::Inferred);
    assert!(found.seen.contains("the message was sent 8 times"), "{}", found.seen);
    // the first one passes, which is no smaller
    assert!(found.causes[0].text.contains("drops this one"), "{:?}", found.causes);
}

/// Connections open and hang with their first large packet: of what opens them, half is answered.
#[test]
fn connections_that_hang_with_large_packets_are_found() {
    let story = main_mode_psk().quick_mode().traffic(5);
    let [there, back] = story.esp_spis();
    let connection = |told: Scenario, number: u32| {
        let (first, answer) = (6 + 10 * number, 6 + number);
        told.esp(Side::Initiator, there, [first], 92, ms(500))
            .esp(Side::Responder, back, [answer], 92, ms(15))
            .esp(Side::Initiator, there, [first + 1], 84, ms(1))
            .esp(Side::Initiator, there, first + 2..first + 10, 1464, secs(3))
    };
    let analysis = judge(&(0..3).fold(story, connection).capture());
    assert_eq!(alarms(&analysis), ["F-PMTU-BLACKHOLE"]);
}

/// The receiver says that fragments did not arrive: then the message did not.
#[test]
fn what_did_not_arrive_is_not_said_to_be_unanswered() {
    let analysis = judge(&Lab("v2-cert-ipfrag-dropped").captures()[0]);
    let found = find(&analysis, "F-IKE-FRAG-LOST").expect("a finding");
    assert!(!says(&found, "the message arrives"), "{:?}", found.causes);
}

/// A router asks for smaller packets each time the message is sent: that is what stops the negotiation.
#[test]
fn a_message_that_a_router_asks_to_be_smaller_each_time_is_stopped_by_that() {
    let router = std::net::IpAddr::from([198, 51, 100, 77]);
    let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let proof = [story.certificate_proof(Side::Initiator, 1100), story.child(Side::Initiator)].concat();
    let asked = story.auth_request(&proof).icmp_too_big(router, 1300);
    let again = [4.0, 7.2, 13.0]
        .iter()
        .fold(asked, |told, &gap| told.repeat_from(Side::Initiator, 1, &[gap]).icmp_too_big(router, 1300));
    let analysis = judge(&again.quiet(secs(60)).capture());
    let found = find(&analysis, "F-PMTU").expect("a finding");
    assert_eq!(found.severity, Severity::Error);
    let follows = find(&analysis, "V2-AUTH-NO-REPLY").expect("a finding");
    assert_eq!(follows.consequence_of, Some("F-PMTU"));
    assert!(!follows.means.contains("without a word"), "{}", follows.means);
    // One that is sent smaller then goes on.
    let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let healed = story.auth_request(&proof).icmp_too_big(router, 1300).repeat_from(Side::Initiator, 1, &[4.0]);
    let answer = [healed.psk_proof(Side::Responder), healed.child(Side::Responder)].concat();
    let analysis = judge(&healed.auth_response(&answer).traffic(4).capture());
    assert!(alarms(&analysis).is_empty());
}

#[test]
fn a_first_request_in_fragments_names_them_as_the_first_cause() {
    let offer: Vec<v2::Proposal> = vec![v2::ike_cbc(14); 40];
    let asked = Scenario::new().mtu(1400).sa_init_request(&offer).repeat(4, &[4.0, 7.2, 13.0, 23.3]);
    let analysis = judge(&asked.quiet(secs(60)).capture());
    let found = find(&analysis, "V2-NO-REPLY").expect("a finding");
    assert!(found.causes[0].text.starts_with("IP fragments of the request"), "{:?}", found.causes);
}

/// Large packets without an answer, and small ones answered before and after: a suspicion.
#[test]
fn large_packets_that_are_lost_between_small_ones_are_named() {
    let between = |large: usize, skipped: u32| {
        let story = main_mode_psk().quick_mode();
        let [there, back] = story.esp_spis();
        let told = story.traffic_on([there, back], 1..=5, secs(1));
        let told = told.esp(Side::Initiator, there, 6..=17, large, ms(500));
        let small = |told: Scenario, number| {
            let told = told.esp(Side::Initiator, there, [number + 12], 120, secs(1));
            told.esp(Side::Responder, back, [number + skipped], 120, ms(15))
        };
        judge(&(6..=10).fold(told, small).capture())
    };
    let analysis = between(1376, 0);
    assert_eq!(alarms(&analysis), ["F-PMTU-BLACKHOLE"]);
    let found = find(&analysis, "F-PMTU-BLACKHOLE").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert!(found.seen.contains("12 packets of 1376"), "{}", found.seen);
    assert!(says(&found, "the other end stopped answering for its own reasons"));
    assert!(find(&between(600, 0), "F-PMTU-BLACKHOLE").is_none());
    // the numbers of the other side tell that it answered
    let answered = find(&between(1376, 12), "F-PMTU-BLACKHOLE").expect("a finding");
    assert!(answered.means.starts_with("the large packets arrive and are answered"), "{}", answered.means);
    assert!(!says(&answered, "the other end stopped answering for its own reasons"));
}

/// The last IKE fragment is no longer than those that pass.
#[test]
fn the_last_fragment_is_not_lost_for_its_size() {
    let missing = |number: usize| {
        let story = Scenario::new().ike_fragments(576).ikev2_init(&v2::ike_cbc(14));
        let proof = [story.certificate_proof(Side::Initiator, 700), story.child(Side::Initiator)].concat();
        let told = story.auth_request(&proof).repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60)).capture();
        let pieces = (told.packets().count() - 3) / 4;
        let lost: Vec<usize> = (0..4).map(|copy| 3 + copy * pieces + number.min(pieces - 1)).collect();
        find(&judge(&told.without(&lost)), "F-SKF-INCOMPLETE").expect("a finding")
    };
    assert!(missing(0).causes[0].text.contains("larger than the path takes"), "{:?}", missing(0).causes);
    assert!(missing(usize::MAX).causes[0].text.contains("drops this one"), "{:?}", missing(usize::MAX).causes);
}

/// One copy of message 5 came whole and was answered; all that the initiator sends after it goes in fragments, the first two of
/// which do not get here.
#[test]
fn fragments_that_no_later_copy_brings_are_told() {
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    let told = Scenario::new().mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
    let told = told.mm5_certificate(1800).mm6_certificate(900).ike_fragments(576).losing(&[1, 2]);
    let again = (0..4).fold(told, |told, _| told.after(secs(10)).mm5_certificate(1800));
    let found = find(&judge(&again.quiet(secs(20)).capture()), "F-V1FRAG-INCOMPLETE").expect("a finding");
    assert!(found.seen.contains("it was sent 4 times in IKE fragments of which number 1 of"), "{}", found.seen);
}

/// The answer to message 5 has a certificate, too: near its sender nothing tells which of the two is lost.
#[test]
fn fragments_of_message_5_or_of_its_answer_are_lost() {
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    let told = Scenario::new().mtu(1400).mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
    let lost = told.mm5_certificate(1800).repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60));
    let found = find(&judge(&lost.capture()), "F-IKE-FRAG-LOST").expect("a finding");
    assert!(found.means.contains("or those of its answer"), "{}", found.means);
}
