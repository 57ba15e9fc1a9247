//! Trials: ESP and AH.

use std::net::Ipv4Addr;

use ikescope::diagnose::{Confidence, Finding, Severity};
use ikescope::pipeline::Analysis;
use ikescope::report::{Report, text};

use crate::ikev2::two_child_sas;
use crate::path::{find, says, tells_a_side};
use crate::support::story::path::inner_packet;
use crate::support::story::{ikev2_psk, main_mode_psk};
use crate::support::{Capture, Scenario, Side, ms, secs, v1, v2};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, is_up, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "T-NONE",
        positive: Crafted("four negotiations in five minutes and never a packet of ESP", || {
            (0..3)
                .fold(up(), |told, _| told.after(secs(80)).new_attempt().main_mode().quick_mode())
                .quiet(secs(60))
                .capture()
        }),
        near_miss: Crafted("one negotiation, then nothing for two seconds", || up().quiet(secs(2)).capture()),
        how: "too soon to say so",
    },
    Trial {
        id: "T-ONEWAY",
        positive: Lab("v1-esp-oneway-no-return-route"),
        near_miss: Crafted("a tunnel with traffic both ways, captured where only one direction passes", || {
            let story = up().traffic(30);
            let initiator = story.address(Side::Initiator);
            story.capture().only_from(initiator)
        }),
        how: "of IKE too only one direction is there",
    },
    Trial {
        id: "T-ESP-BLOCKED",
        positive: Crafted("a router refuses ESP with ICMP protocol unreachable", || {
            let router = Ipv4Addr::new(192, 0, 2, 254).into();
            let story = up();
            let [there, _] = story.esp_spis();
            (1..=5)
                .fold(story, |told, number| {
                    told.esp(Side::Initiator, there, [number], 120, secs(1)).icmp_unreachable(router, 2)
                })
                .capture()
        }),
        near_miss: Crafted("ESP in UDP goes one way, and liveness checks are answered", || {
            let story = Scenario::new().floats().nat().main_mode().quick_mode();
            let [there, _] = story.esp_spis();
            story
                .esp(Side::Initiator, there, 1..=6, 120, secs(1))
                .dpd(Side::Initiator, 1)
                .dpd_ack(Side::Responder, 1)
                .quiet(secs(20))
                .capture()
        }),
        how: "what passes for IKE passes for ESP in UDP",
    },
    Trial {
        id: "T-ENCAP-MISMATCH",
        positive: Crafted("one side sends ESP in UDP, the other directly over IP", || in_two_forms(3)),
        near_miss: Crafted("both sides change from ESP over IP to ESP in UDP when they negotiate anew", || {
            up().traffic(10).new_attempt().floats().main_mode().quick_mode().traffic(10).capture()
        }),
        how: "at any one time both use the same form",
    },
    Trial {
        id: "T-SPI-UNKNOWN",
        positive: Crafted("INVALID-SPI in clear answers ESP", || refuses_esp(v1::PROTO_ESP, v1::INVALID_SPI)),
        near_miss: Crafted("INVALID-COOKIE in clear does", || refuses_esp(v1::PROTO_ISAKMP, v1::INVALID_COOKIE)),
        how: "the notify speaks of IKE's own SA",
    },
    Trial {
        id: "T-SEQ-GAP",
        positive: Crafted("one packet in twenty never comes by", one_in_twenty_lost),
        near_miss: Crafted("one packet in ten comes late", one_in_ten_late),
        how: "all numbers come in the end",
    },
    Trial {
        id: "T-REORDER",
        positive: Crafted("one packet in ten comes late", one_in_ten_late),
        near_miss: Crafted("one packet in twenty never comes by", one_in_twenty_lost),
        how: "what is missing never comes, and nothing comes out of order",
    },
    Trial {
        id: "T-REPLAY",
        positive: Crafted("one packet in twenty comes again a second later", || {
            let story = up();
            let [there, back] = story.esp_spis();
            (1..=200)
                .fold(story, |told, number| {
                    let told = told.traffic_on([there, back], [number], ms(100));
                    if number % 20 == 0 { told.esp(Side::Initiator, there, [number - 10], 120, ms(20)) } else { told }
                })
                .capture()
        }),
        near_miss: Crafted("a mirror port records every packet twice", || {
            up().traffic(60).capture().double_every_frame()
        }),
        how: "the second copy is the same frame, microseconds later",
    },
    Trial {
        id: "T-SEQ-RESET",
        positive: Crafted("the numbers of both SAs begin again at 1", || {
            let story = up();
            let spis = story.esp_spis();
            story.traffic_on(spis, 10_000..10_060, ms(100)).traffic_on(spis, 1..60, ms(100)).capture()
        }),
        near_miss: Crafted("new SAs are negotiated, and their numbers begin at 1", || {
            let story = up();
            let spis = story.esp_spis();
            story.traffic_on(spis, 10_000..10_060, ms(100)).new_attempt().main_mode().quick_mode().traffic(60).capture()
        }),
        how: "the SPIs are new, too",
    },
    Trial {
        id: "T-SEQ-WRAP",
        positive: Crafted("the numbers come near the end of 32 bits", || numbered_from(0xff00_0000)),
        near_miss: Crafted("the numbers are half way there", || numbered_from(0x7fff_fff0)),
        how: "there is room for a re-key",
    },
    Trial {
        id: "T-PROTO-MIX",
        positive: Crafted("ESP one way, AH the other", || in_two_protocols(3)),
        near_miss: Lab("v1-main-psk-ah-healthy"),
        how: "AH both ways",
    },
    Trial {
        id: "T-SHORT-SESSION",
        positive: Crafted("the tunnel comes up twice, and each time it is deleted after five seconds", || {
            two_sessions(5)
        }),
        near_miss: Crafted("the same, after two minutes", || two_sessions(120)),
        how: "the tunnel is used for longer",
    },
    Trial {
        id: "T-NULL",
        positive: Crafted("ESP whose inside is a readable IP packet", || in_the_open(&inner_packet(64))),
        near_miss: Crafted("ESP of the same size whose inside is none", || in_the_open(&[0x5a; 92])),
        how: "ciphertext has no checksum that is right",
    },
];

fn up() -> Scenario {
    main_mode_psk().quick_mode()
}

/// ESP in UDP one way; every `nth` packet is followed by one directly over IP.
fn in_two_forms(nth: u32) -> Capture {
    let [there, back] = up().esp_spis();
    let told = (1..=30).fold(up(), |told, number| {
        let sent = told.esp_in_udp(Side::Initiator, there, [number], 120, secs(1));
        if number % nth > 0 { sent } else { sent.esp_native(Side::Responder, back, [number / nth], 120, ms(15)) }
    });
    told.capture()
}

/// The same with ESP one way and AH the other.
fn in_two_protocols(nth: u32) -> Capture {
    let [there, back] = up().esp_spis();
    let told = (1..=30).fold(up(), |told, number| {
        let sent = told.esp(Side::Initiator, there, [number], 120, secs(1));
        if number % nth > 0 { sent } else { sent.ah(Side::Responder, back, [number / nth], 100, ms(15)) }
    });
    told.capture()
}

/// Each packet has its answer at once: whatever the two ends use, they take it (RFC 4301 §4.1, RFC 7296 §2.23).
#[test]
fn what_is_answered_is_not_dropped() {
    for (id, answered) in [("T-ENCAP-MISMATCH", in_two_forms(1)), ("T-PROTO-MIX", in_two_protocols(1))] {
        let analysis = judge(&answered);
        assert_eq!(find(&analysis, id).map(|found| found.severity), Some(Severity::Notice), "{id}");
        assert_eq!((alarms(&analysis), is_up(&analysis)), (vec![], true), "{id}");
    }
}

/// What to let pass depends on what carries the traffic.
#[test]
fn one_way_traffic_in_udp_is_not_looked_for_as_protocol_50() {
    let one_way = |told: Scenario| {
        let [there, _] = told.esp_spis();
        let sent = told.esp(Side::Initiator, there, 1..=20, 120, secs(1)).quiet(secs(20));
        find(&judge(&sent.capture()), "T-ONEWAY").expect("a finding")
    };
    let native = one_way(up());
    assert!(says(&native, "IP protocol 50") && !says(&native, "UDP 4500"));
    let in_udp = one_way(Scenario::new().nat().main_mode().quick_mode());
    assert!(says(&in_udp, "UDP 4500") && !says(&in_udp, "IP protocol 50"));
}

/// A tunnel with traffic; then the responder answers a packet with this notify in clear.
fn refuses_esp(protocol: u8, message_type: u16) -> Capture {
    let story = up().traffic(6).after(secs(30));
    let [there, _] = story.esp_spis();
    let spi = there.to_be_bytes();
    let about: &[u8] = if protocol == v1::PROTO_ESP { &spi } else { &[] };
    story
        .esp(Side::Initiator, there, [7], 120, ms(100))
        .informational_clear(Side::Responder, v1::notify_about(protocol, about, message_type, &[]))
        .quiet(secs(20))
        .capture()
}

fn one_in_twenty_lost() -> Capture {
    let story = up();
    let [there, back] = story.esp_spis();
    (1..=200)
        .fold(story, |told, number| {
            let told = if number % 20 == 0 { told } else { told.esp(Side::Initiator, there, [number], 120, ms(100)) };
            told.esp(Side::Responder, back, [number], 120, ms(15))
        })
        .capture()
}

fn one_in_ten_late() -> Capture {
    let story = up();
    let [there, back] = story.esp_spis();
    (0..20)
        .fold(story, |told, ten| {
            let in_order = (2..=9).chain([1, 10]).map(|number| ten * 10 + number);
            told.esp(Side::Initiator, there, in_order, 120, ms(100)).esp(
                Side::Responder,
                back,
                (1..=10).map(|number| ten * 10 + number),
                120,
                ms(15),
            )
        })
        .capture()
}

fn numbered_from(first: u32) -> Capture {
    let story = up();
    let spis = story.esp_spis();
    story.traffic_on(spis, first..first + 60, ms(100)).capture()
}

/// A minute of packets whose numbers run over 2^32 in the middle, of which the first `answered` are answered.
fn runs_over(answered: u32) -> Analysis {
    let story = up();
    let [there, back] = story.esp_spis();
    let told = (1..=60).fold(story, |told, number: u32| {
        let sent = told.esp(Side::Initiator, there, [(u32::MAX - 30).wrapping_add(number)], 120, secs(1));
        if number <= answered { sent.esp(Side::Responder, back, [number], 120, ms(15)) } else { sent }
    });
    judge(&told.capture())
}

/// Whether extended sequence numbers are in use shows in what is answered after the numbers ran over (RFC 4303 §3.4.3).
#[test]
fn what_the_peer_does_when_the_numbers_run_over_tells_whether_they_are_extended() {
    let dead = runs_over(30);
    assert_eq!(alarms(&dead), ["T-SEQ-WRAP"]);
    let found = find(&dead, "T-SEQ-WRAP").expect("a finding");
    assert!(found.seen.contains("30 packets from") && found.seen.ends_with("none in the 29.0 s since"), "{found:?}");
    assert!(found.means.contains("drops all that came since") && !says(&found, "all is well"), "{found:?}");
    let alive = runs_over(60);
    let found = find(&alive, "T-SEQ-WRAP").expect("a remark");
    assert_eq!((found.severity, found.confidence), (Severity::Info, Confidence::Inferred), "{found:?}");
    // who stopped before has another reason
    let before = runs_over(20);
    assert_eq!(find(&before, "T-SEQ-WRAP").map(|found| found.severity), Some(Severity::Notice));
    assert!(find(&before, "T-ONEWAY").is_some());
}

/// Of two SAs whose numbers come to their end the one is told whose numbers last for less time, and how long that is.
#[test]
fn how_long_the_numbers_of_an_sa_last_is_told() {
    let story = up();
    let [there, back] = story.esp_spis();
    let told = (1..=60).fold(story, |told, number| {
        let sent = told.esp(Side::Initiator, there, [0xff00_0000 + number], 120, secs(1));
        sent.esp(Side::Responder, back, [0xf100_0000 + number], 120, ms(15))
    });
    let found = find(&judge(&told.capture()), "T-SEQ-WRAP").expect("a finding");
    assert!(found.seen.contains("16777155 are left, enough for 197 days"), "{}", found.seen);
}

/// What is dropped because the numbers began again is not said to be lost on the way.
#[test]
fn what_is_no_longer_answered_since_the_numbers_began_again_follows_from_that() {
    let story = up();
    let [there, back] = story.esp_spis();
    let told = (1..=40).fold(story, |told, number| {
        let sent = told.esp(Side::Initiator, there, [10_000 + number], 120, secs(1));
        sent.esp(Side::Responder, back, [number], 120, ms(15))
    });
    let analysis = judge(&told.esp(Side::Initiator, there, 1..=40, 120, secs(1)).capture());
    assert_eq!(alarms(&analysis), ["T-SEQ-RESET"]);
    assert_eq!(find(&analysis, "T-ONEWAY").and_then(|found| found.consequence_of), Some("T-SEQ-RESET"));
}

/// Twice a tunnel that is used once a second for `seconds`, then deleted by the initiator.
fn two_sessions(seconds: u32) -> Capture {
    sessions(seconds, |number| 100 + number as usize % 3 * 16)
}

/// The same, with packets as long as `length` makes them of their number.
fn sessions(seconds: u32, length: fn(u32) -> usize) -> Capture {
    let session = |told: Scenario| {
        let told = told.main_mode().quick_mode();
        let [there, back] = told.esp_spis();
        let spis = [there, back];
        let told = (1..=seconds).fold(told, |told, number| {
            let asked = told.esp(Side::Initiator, there, [number], length(number), ms(985));
            asked.esp(Side::Responder, back, [number], length(number), ms(15))
        });
        told.delete_ipsec(Side::Initiator, spis[1]).delete_isakmp(Side::Initiator)
    };
    session(session(Scenario::new()).after(secs(60)).new_attempt()).quiet(secs(60)).capture()
}

/// A tunnel, and eight packets each way around `inside`.
fn in_the_open(inside: &[u8]) -> Capture {
    (1..=8)
        .fold(up(), |told, sequence| {
            told.esp_around(Side::Initiator, 0x1111_1111, sequence, inside).esp_around(
                Side::Responder,
                0x2222_2222,
                sequence,
                inside,
            )
        })
        .capture()
}

/// Only the responder sends ESP: nobody is told what to do by the part it has in IKE.
#[test]
fn the_silent_side_is_not_taken_for_the_responder() {
    let story = up();
    let [_, back] = story.esp_spis();
    let analysis = judge(&asked_and_answered(story, |told, ten| {
        told.esp(Side::Responder, back, ten * 10 + 1..ten * 10 + 11, 120, secs(1))
    }));
    for id in ["T-ONEWAY", "T-ESP-BLOCKED"] {
        assert!(!tells_a_side(&find(&analysis, id).expect(id)), "{id}");
    }
}

/// A story that goes on for a minute, with a liveness check each ten seconds that the responder answers.
fn asked_and_answered(story: Scenario, goes_on: impl Fn(Scenario, u32) -> Scenario) -> Capture {
    let checked =
        |told: Scenario, ten| goes_on(told, ten).dpd(Side::Initiator, ten + 1).dpd_ack(Side::Responder, ten + 1);
    (0..6).fold(story, checked).capture()
}

/// Numbers that fall by a few hundred look like doubles: that they may have begun again is said, too.
#[test]
fn doubles_may_be_numbers_that_began_again() {
    let story = up();
    let spis = story.esp_spis();
    let analysis = judge(&story.traffic_on(spis, 1..400, ms(20)).traffic_on(spis, 1..200, ms(20)).capture());
    let found = find(&analysis, "T-REPLAY").expect("a finding");
    assert!(says(&found, "began again at a low value"), "{:?}", found.causes);
}

/// The capture begins after the tunnel came up: ESP one way for a minute, and liveness checks that are answered.
#[test]
fn one_way_traffic_is_suspected_in_a_late_capture() {
    let late = |goes_on: fn(Scenario, u32) -> Scenario| {
        let story = up();
        let frames = story.clone().capture().frames.len();
        judge(&asked_and_answered(story, goes_on).skip(frames))
    };
    let analysis = late(|told, ten| {
        let spi = told.esp_spi(Side::Responder);
        told.esp(Side::Initiator, spi, ten * 10 + 40..ten * 10 + 50, 120, secs(1))
    });
    // it may never have been meant to be answered: no alarm
    assert_eq!(alarms(&analysis), [""; 0]);
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Notice, Confidence::Suspected));
    assert!(found.seen.contains("the tunnel came up before the capture began"), "{}", found.seen);
    assert!(found.means.contains("what "), "{}", found.means);
    let few = late(|told, ten| {
        let spi = told.esp_spi(Side::Responder);
        told.esp(Side::Initiator, spi, ten + 40..ten + 41, 120, secs(10))
    });
    assert_eq!(alarms(&few), [""; 0]);
    let both = late(|told, ten| told.clone().traffic_on(told.esp_spis(), ten * 10 + 40..ten * 10 + 50, secs(1)));
    assert_eq!(alarms(&both), [""; 0]);
}

/// A person who tries the tunnel with a ping, or opens and closes it in IKEv2, means it: no login fails inside.
#[test]
fn who_opens_and_closes_a_tunnel_on_purpose_raises_no_alarm() {
    let pinged = judge(&sessions(5, |_| 120));
    assert_eq!(alarms(&pinged), [""; 0]);
    let found = find(&pinged, "T-SHORT-SESSION").expect("a remark");
    assert!(found.causes.iter().all(|cause| !cause.text.contains("login")), "{:?}", found.causes);
    let session = |told: Scenario| {
        let used = told.ikev2(&v2::ike_cbc(14)).traffic(2).after(secs(1));
        let closed = used.informational_request(Side::Initiator, &[v2::delete_ike()]);
        closed.informational_response(Side::Responder, &[])
    };
    let again = session(session(Scenario::new()).after(secs(20)).new_attempt());
    let analysis = judge(&again.quiet(secs(20)).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(find(&analysis, "T-SHORT-SESSION").map(|found| found.severity), Some(Severity::Notice));
}

/// After an outage the tunnel comes up again; what ends each part of its traffic is no delete.
#[test]
fn a_liveness_check_ends_no_session() {
    let session = |told: Scenario| told.traffic(8).after(secs(4)).liveness(Side::Responder);
    let again = session(ikev2_psk()).after(secs(30)).new_attempt().ikev2(&v2::ike_cbc(14));
    let analysis = judge(&session(again).capture());
    assert!(find(&analysis, "T-SHORT-SESSION").is_none());
}

/// A packet that comes late at a re-key is refused once, and traffic goes on under the new SAs.
#[test]
fn one_late_packet_at_a_re_key_is_no_alarm() {
    let story = up();
    let new = [0x7777_0001, 0x7777_0002];
    let rekeyed = story.clone().traffic_on(story.esp_spis(), 1..30, ms(500)).quick_mode();
    let refusal = v1::notify_about(v1::PROTO_ESP, &story.esp_spis()[0].to_be_bytes(), v1::INVALID_SPI, &[]);
    let told = rekeyed.traffic_on(new, 1..5, ms(500)).informational_clear(Side::Responder, refusal);
    let analysis = judge(&told.traffic_on(new, 5..40, ms(500)).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(find(&analysis, "T-SPI-UNKNOWN").expect("a remark").severity, Severity::Info);
}

/// The old SA was deleted after a re-key, and the peer goes on sending on it.
#[test]
fn an_sa_that_was_deleted_and_goes_on_is_found() {
    // The responder sends on the old SA, or on the new one; so many packets go each way between re-key and delete.
    let rekeyed = |old_goes_on: bool, before_delete: u32| {
        let story = Scenario::new().ikev2(&v2::ike_cbc(14)).traffic(30).after(secs(20));
        let [_, old] = story.esp_spis();
        let new = [0x7777_0001, 0x7777_0002];
        let (back, first) = if old_goes_on { (old, 31) } else { (new[1], 1) };
        let both = |told: Scenario, number: u32| {
            let told = told.esp(Side::Initiator, new[0], [number], 120, secs(1));
            told.esp(Side::Responder, back, [first + number - 1], 120, ms(15))
        };
        let child = |side| [story.child(side), vec![v2::nonce(32, 5)]].concat();
        let (ask, answer) = (child(Side::Initiator), child(Side::Responder));
        let told = story.create_child_request(Side::Initiator, &ask).create_child_response(Side::Responder, &answer);
        let told = (1..=before_delete).fold(told, both);
        let told = told.informational_request(Side::Initiator, &[v2::delete_esp(&[old])]);
        let told = told.informational_response(Side::Responder, &[v2::delete_esp(&[old])]);
        judge(&(before_delete + 1..60).fold(told, both).capture())
    };
    let found = find(&rekeyed(true, 0), "T-SPI-UNKNOWN").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert!(found.causes[0].text.starts_with("a delete was lost"), "{:?}", found.causes);
    for before_delete in [0, 1, 2, 5] {
        assert_eq!(alarms(&rekeyed(false, before_delete)), [""; 0], "{before_delete} packets before the delete");
    }
}

/// The side that deleted the old SA itself goes on sending on it; for some seconds only, it is a re-key like any other.
#[test]
fn who_goes_on_with_an_sa_that_it_deleted_is_found_and_stragglers_are_not() {
    let rekeyed = |stragglers: u32| {
        let story = Scenario::new().ikev2(&v2::ike_cbc(14));
        let [old, theirs] = story.esp_spis();
        let new = [0x7777_0001, 0x7777_0002];
        let told = story.traffic_on([old, theirs], 1..=60, ms(985));
        let child = |side| [told.child(side), vec![v2::nonce(32, 5)]].concat();
        let (ask, answer) = (child(Side::Initiator), child(Side::Responder));
        let told = told.create_child_request(Side::Initiator, &ask).create_child_response(Side::Responder, &answer);
        let told = told.informational_request(Side::Initiator, &[v2::delete_esp(&[theirs])]);
        let told = told.informational_response(Side::Responder, &[v2::delete_esp(&[old])]);
        let told = told.traffic_on([old, new[1]], 61..=60 + stragglers, ms(985));
        judge(&told.traffic_on(new, 61 + stragglers..=180, ms(985)).capture())
    };
    let found = find(&rekeyed(120), "T-SPI-UNKNOWN").expect("a finding");
    assert!(found.seen.starts_with("203.0.113.10 went on"), "{}", found.seen);
    let healthy = rekeyed(5);
    assert_eq!(alarms(&healthy), [""; 0]);
    assert!(find(&healthy, "V2-TS-NARROW").is_none());
}

/// What a router refuses for a while and lets pass again, answers and all, is a word about the past.
#[test]
fn what_passes_again_is_not_blocked() {
    let router = std::net::Ipv4Addr::new(192, 0, 2, 254).into();
    let told = |answers: std::ops::RangeInclusive<u32>, back: bool| {
        let story = up().traffic(20);
        let [there, here] = story.esp_spis();
        let refused = (21..=30).fold(story, |told, number| {
            told.esp(Side::Initiator, there, [number], 120, secs(1)).icmp_unreachable(router, 13)
        });
        judge(
            &answers
                .fold(refused, |told, number| {
                    let told = told.esp(Side::Initiator, there, [number], 120, secs(1));
                    if back { told.esp(Side::Responder, here, [number - 10], 120, ms(20)) } else { told }
                })
                .capture(),
        )
    };
    let over = told(31..=50, true);
    assert_eq!(alarms(&over), [""; 0]);
    let found = find(&over, "N-ICMP-PROHIB").expect("a finding");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.words.means.starts_with("that is over"), "{}", found.words.means);
    // not where nothing comes back, nor as soon as the router is silent for a moment
    for stands in [told(31..=50, false), told(31..=33, true)] {
        assert!(alarms(&stands).contains(&"T-ESP-BLOCKED"), "{:?}", alarms(&stands));
    }
}

/// A router says that ESP is refused: that traffic goes one way follows from it.
#[test]
fn traffic_that_is_refused_does_not_lack_a_route_back() {
    let router = std::net::Ipv4Addr::new(192, 0, 2, 254).into();
    let refused = |from, code| {
        let story = up();
        let [there, _] = story.esp_spis();
        judge(&asked_and_answered(story, |told, ten| {
            (1..=10).fold(told, |told, number| {
                told.esp(Side::Initiator, there, [ten * 10 + number], 120, secs(1)).icmp_unreachable(from, code)
            })
        }))
    };
    let analysis = refused(router, 13);
    assert_eq!(alarms(&analysis), ["N-ICMP-PROHIB", "T-ESP-BLOCKED"]);
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.causes[0].text.starts_with("ESP (IP protocol 50) or AH (51) is blocked"), "{:?}", found.causes);
    // a router says nothing about the SA of the host behind it
    let found = find(&analysis, "T-ESP-BLOCKED").expect("a finding");
    assert!(!says(&found, "no SA in its kernel"));
    // where there is no NAT, none handles ESP
    assert!(!says(&found, "a NAT or pass-through device"));
    // and a host that does not know the protocol is no filter on the path
    let analysis = refused(up().address(Side::Responder), 2);
    assert_eq!(alarms(&analysis), ["T-ESP-BLOCKED"]);
    let found = find(&analysis, "T-ESP-BLOCKED").expect("a finding");
    assert!(found.causes[0].text.starts_with("the receiving host"), "{:?}", found.causes);
}

/// Packets of one size that were answered one for one, and go on without an answer. An application that sends one way only
/// has other sizes, or another pace.
#[test]
fn traffic_that_is_no_longer_answered_is_suspected() {
    let after_pings = |packets: u32, length: usize, gap| {
        let story = up();
        let [there, back] = story.esp_spis();
        let pinged = story.traffic_on([there, back], 1..=10, secs(1));
        judge(&pinged.esp(Side::Initiator, there, 11..=10 + packets, length, gap).capture())
    };
    let analysis = after_pings(30, 120, secs(1));
    assert_eq!(alarms(&analysis), ["T-ONEWAY"]);
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert!(found.seen.contains("30 more of that size and pace"), "{}", found.seen);
    assert_eq!(alarms(&after_pings(30, 200, secs(1))), [""; 0], "another size");
    assert_eq!(alarms(&after_pings(300, 120, ms(40))), [""; 0], "a stream");
    let few = after_pings(8, 120, secs(1));
    assert_eq!(alarms(&few), [""; 0], "a few");
    // which is no alarm, and says nothing of what the tunnel does now
    let found = find(&few, "OK-UP").expect("it was up");
    assert!(found.seen.contains("the last 8 packets of"), "{}", found.seen);
    assert!(found.means.ends_with("whether it still does is open"), "{}", found.means);
    for works in [after_pings(2, 120, secs(1)), after_pings(8, 200, secs(1))] {
        let found = find(&works, "OK-UP").expect("it is up");
        assert_eq!(found.means, "the tunnel works as far as the outside can see");
    }

    let rekeyed = |back_goes_on: bool| {
        let story = up();
        let told = story.clone().traffic_on(story.esp_spis(), 1..=30, secs(1)).quick_mode();
        let told = (1..=30).fold(told, |told, number| {
            let told = told.esp(Side::Initiator, 0x7777_0001, [number], 120, secs(1));
            if back_goes_on { told.esp(Side::Responder, 0x7777_0002, [number], 120, ms(15)) } else { told }
        });
        judge(&told.capture())
    };
    assert_eq!(alarms(&rekeyed(false)), ["T-ONEWAY"]);
    assert_eq!(alarms(&rekeyed(true)), [""; 0]);
}

/// The first packets on a new tunnel get their answers late, or are lost while far hosts wake up.
#[test]
fn a_few_packets_on_a_new_tunnel_state_nothing() {
    let one_way = |packets: u32, quiet| {
        let story = up();
        let spi = story.esp_spi(Side::Responder);
        find(&judge(&story.esp(Side::Initiator, spi, 1..=packets, 120, secs(1)).quiet(quiet).capture()), "T-ONEWAY")
    };
    let confidence = |packets, quiet| one_way(packets, quiet).expect("a finding").confidence;
    assert_eq!(confidence(4, ms(10)), Confidence::Suspected);
    assert_eq!(confidence(8, ms(10)), Confidence::Suspected);
    assert_eq!(confidence(12, ms(10)), Confidence::Stated);
    assert_eq!(confidence(4, secs(20)), Confidence::Stated);
}

/// The numbers of one side fall by a hundred after a pause, and go on from there.
#[test]
fn numbers_that_begin_again_after_a_pause_are_no_doubles() {
    let begins_again = |pause, again: u32| {
        let story = up();
        let [there, back] = story.esp_spis();
        let told = story.traffic_on([there, back], 1..=100, ms(100)).after(pause);
        let both = |told: Scenario, number| {
            let told = told.esp(Side::Initiator, there, [number], 120, ms(100));
            told.esp(Side::Responder, back, [100 + number], 120, ms(15))
        };
        judge(&(1..=again).fold(told, both).capture())
    };
    for again in [40, 100, 150] {
        let analysis = begins_again(secs(9), again);
        assert_eq!(alarms(&analysis), ["T-SEQ-RESET"], "{again}");
        assert!(find(&analysis, "T-REPLAY").is_none() && find(&analysis, "T-SEQ-GAP").is_none(), "{again}");
        let flows = &analysis.facts.pairs.get(0).expect("a pair").flows;
        let flow = flows.iter().find(|flow| flow.resets > 0).expect("a flow that began again");
        let counts = (flow.resets, flow.duplicates, flow.lost, flow.last_sequence);
        assert_eq!(counts, (1, 0, 0, again));
    }
    // without a pause it may be copies of what went before
    assert!(find(&begins_again(ms(1), 100), "T-SEQ-RESET").is_none());
}

/// Of one direction each number comes twice, and with another packet: no matter of how it was recorded.
#[test]
fn two_senders_on_one_sa_are_no_matter_of_recording() {
    let story = up();
    let [there, back] = story.esp_spis();
    let twice = |told: Scenario, number| {
        let told = told.traffic_on([there, back], [number], secs(1));
        told.esp(Side::Initiator, there, [number], 136, ms(400))
    };
    let found = find(&judge(&(1..=60).fold(story, twice).capture()), "T-REPLAY").expect("a finding");
    assert_eq!(found.severity, Severity::Warning);
    assert!(found.means.contains("two senders") && !says(&found, "capture recorded packets twice"), "{found:?}");
}

/// Of one direction only each packet comes twice: no capture holds half of a conversation twice.
#[test]
fn doubles_of_one_direction_are_not_laid_to_the_capture() {
    let story = up();
    let (spis, sender) = (story.esp_spis(), story.address(Side::Initiator));
    let whole = story.traffic_on(spis, 1..=60, secs(1)).capture();
    let both = judge(&whole.clone().double_apart(ms(50)));
    assert!(find(&both, "T-REPLAY").expect("a remark").means.contains("the capture holds each packet twice"));
    let copies = whole.clone().double_apart(ms(50)).only_from(sender);
    let one = whole.start_after(ms(0)).only_from(up().address(Side::Responder)).merge(&copies);
    let found = find(&judge(&one), "T-REPLAY").expect("a remark");
    assert!(found.means.starts_with("of one direction nearly every number comes twice"), "{}", found.means);
}

/// A path that copies a packet now and then harms nobody; who sends others under the same numbers does.
#[test]
fn copies_that_come_soon_after_are_no_alarm() {
    let whole = up().traffic(100).capture();
    let set_up = up().capture().frames.len();
    let some = |mut frames: Capture| {
        let mut number = 0;
        frames.frames.retain(|_| {
            number += 1;
            number > set_up && number % 7 == 0
        });
        frames.double_apart(ms(30))
    };
    let copied = judge(&whole.clone().merge(&some(whole)));
    let found = find(&copied, "T-REPLAY").expect("a remark");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.means.contains("the same packets again") && !says(&found, "began again at a low value"), "{found:?}");
    let pair = copied.diagnosis.pairs().last().expect("a pair");
    assert_eq!(pair.verdict.map(|verdict| verdict.id()), Some("OK-UP"));
}

/// Late by more than receivers look back, packets are dropped; late by a few they are not.
#[test]
fn packets_that_come_too_late_for_the_window_are_an_alarm() {
    let late_by = |depth: u32| {
        let story = up();
        let [there, back] = story.esp_spis();
        let numbers = (depth + 1..=depth + 400).flat_map(|number| match number % 20 {
            0 => vec![number, number - depth],
            _ if (number + depth).is_multiple_of(20) => vec![],
            _ => vec![number],
        });
        let told = story.esp(Side::Responder, back, 1..=40, 120, ms(20));
        judge(&told.esp(Side::Initiator, there, numbers, 120, ms(20)).capture())
    };
    let sparse = (1..=2000_u32).flat_map(|number| match number {
        number if number % 50 == 0 => vec![],
        number if number > 150 && number % 50 == 10 => vec![number, number - 110],
        number => vec![number],
    });
    let [there, back] = up().esp_spis();
    let told = up().esp(Side::Responder, back, 1..=40, 120, ms(20)).esp(Side::Initiator, there, sparse, 120, ms(20));
    let analysis = judge(&told.capture());
    assert_eq!(alarms(&analysis), ["T-REORDER"], "few, but all of them are dropped");
    let near = find(&late_by(3), "T-REORDER").expect("a remark");
    assert!(near.seen.ends_with("none of them more than 64 behind it"), "{}", near.seen);
    let deep = late_by(91);
    assert_eq!(alarms(&deep), ["T-REORDER"]);
    let found = find(&deep, "T-REORDER").expect("a finding");
    assert!(found.seen.contains("of them more than 64 behind it"), "{}", found.seen);
    assert_eq!(alarms(&late_by(3)), [""; 0]);
}

/// Thousands of numbers missing at once, where a packet a second comes, were never sent.
#[test]
fn numbers_that_were_skipped_are_not_called_lost() {
    let jump = |by: u32| {
        let story = up();
        let [there, back] = story.esp_spis();
        let both = |told: Scenario, number| {
            let skipped = if number > 30 { number + by } else { number };
            let told = told.esp(Side::Initiator, there, [number], 120, secs(1));
            told.esp(Side::Responder, back, [skipped], 120, ms(15))
        };
        find(&judge(&(1..=60).fold(story, both).capture()), "T-SEQ-GAP").expect("a finding")
    };
    let skipped = jump(16_384);
    assert_eq!(skipped.severity, Severity::Info);
    assert!(skipped.seen.ends_with("16384 of them in a row") && skipped.means.contains("skipped ahead"), "{skipped:?}");
    let gone = jump(16);
    assert_eq!(gone.severity, Severity::Notice);
    assert!(gone.seen.ends_with("16 of them in a row") && gone.means.contains("gone for a while"), "{gone:?}");
    let works = |capture: &Capture| find(&judge(capture), "OK-UP").expect("it is up").means.contains("works");
    let story = up();
    let [there, back] = story.esp_spis();
    let lossy = (1..=30).fold(story, |told, number| {
        let told = told.esp(Side::Initiator, there, [number], 120, secs(1));
        if number % 2 == 0 { told } else { told.esp(Side::Responder, back, [number], 120, ms(15)) }
    });
    assert!(works(&one_in_twenty_lost()) && !works(&lossy.capture()));
    let spread = find(&judge(&one_in_twenty_lost()), "T-SEQ-GAP").expect("a finding");
    assert!(!spread.seen.contains("in a row") && !says(&spread, "skipped numbers"), "{spread:?}");
}

/// One side goes on with new message ids: its questions are answered, and the capture misses the answers, and ESP with them.
#[test]
fn a_direction_that_the_capture_loses_is_not_silent() {
    let lost_later = |answered: bool| {
        let story = ikev2_psk();
        let [there, _] = story.esp_spis();
        let asks = |told: Scenario, ten: u32| {
            let told = told.esp(Side::Initiator, there, ten * 10 + 1..ten * 10 + 11, 120, secs(1));
            let told = told.informational_request(Side::Initiator, &[]);
            if answered { told.informational_response(Side::Responder, &[]) } else { told }
        };
        judge(&(0..6).fold(story, asks).capture())
    };
    assert!(find(&lost_later(false), "T-ONEWAY").is_none());
    assert!(find(&lost_later(true), "T-ONEWAY").is_some_and(|found| found.severity >= Severity::Warning));
}

/// Two tunnels between the same two ends, the older one in use: what was told, and the SPIs of both.
fn two_tunnels() -> (Scenario, [[u32; 2]; 2]) {
    let told = ikev2_psk();
    let older = told.esp_spis();
    let told = told.traffic_on(older, 1..10, ms(500)).new_attempt().ikev2(&v2::ike_cbc(14));
    let newer = told.esp_spis();
    (told, [older, newer])
}

/// The traffic of one of two tunnels is no answer to that of the other.
#[test]
fn one_of_two_tunnels_may_carry_traffic_in_one_direction_only() {
    let (told, [older, newer]) = two_tunnels();
    let both = |answered: bool| {
        (10..40).fold(told.clone(), |told, sequence| {
            let told = told.traffic_on(older, [sequence], ms(500));
            match answered {
                true => told.traffic_on(newer, [sequence - 9], ms(200)),
                false => told.esp(Side::Initiator, newer[0], [sequence - 9], 120, ms(200)),
            }
        })
    };
    let analysis = judge(&both(false).capture());
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert_eq!(found.attempt, Some(1));
    assert_eq!(find(&analysis, "OK-UP").map(|up| up.attempt), Some(Some(0)));
    let analysis = judge(&both(true).capture());
    assert!(alarms(&analysis).is_empty());
    let up = find(&analysis, "OK-UP").expect("both are up");
    assert!(up.count == 2 && up.seen.contains("beside another one"), "{}", up.seen);
}

/// What was answered before, in whatever sizes and at whatever pace, and is not any more; what nobody answers goes on unanswered.
#[test]
fn a_peer_that_answers_no_more_shows_in_traffic_of_any_sizes() {
    let sizes = |step: u32| [104, 232, 136, 872, 104, 488][step as usize % 6];
    let told = ikev2_psk();
    let spis = told.esp_spis();
    let answered = (1..20).fold(told, |told, step| {
        let asked = told.esp(Side::Initiator, spis[0], [step], sizes(step), ms(90 + 40 * u64::from(step)));
        asked.esp(Side::Responder, spis[1], [step], sizes(step), ms(4))
    });
    let goes_on = |length: fn(u32) -> usize| {
        (20..40).fold(answered.clone(), |told, step| told.esp(Side::Initiator, spis[0], [step], length(step), ms(1300)))
    };
    let dead = judge(&goes_on(|step| [104, 488, 232][step as usize % 3]).capture());
    let found = find(&dead, "T-ONEWAY").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    // who was not asked in IKE had nothing to say there
    let gone =
        |found: &Finding| found.causes.iter().find(|cause| cause.text.contains("is down")).map(|it| it.likelihood);
    assert_eq!(gone(&found), Some("possible"), "{:?}", found.causes);
    // a TCP SYN, which was answered by one as long, is sent again
    assert_eq!(alarms(&judge(&goes_on(|_| 136).capture())), ["T-ONEWAY"]);
    // beside a peer that says that it is alive, datagrams of any sizes may need no answer
    let asked = goes_on(|step| [104, 488, 232][step as usize % 3]).liveness(Side::Initiator);
    let alive = judge(&asked.capture());
    assert_eq!(find(&alive, "T-ONEWAY").map(|found| found.severity), Some(Severity::Notice));
    let one_way: [fn(u32) -> usize; 2] = [|_| 260, |step| 104 + 4 * (step as usize % 7)];
    for length in one_way {
        assert!(alarms(&judge(&goes_on(length).capture())).is_empty());
    }
}

/// The tunnel that goes on beside hides nothing.
#[test]
fn one_of_two_tunnels_may_fall_silent() {
    let (told, [older, newer]) = two_tunnels();
    let both = |until: u32| {
        (10..45).fold(told.clone(), |told, step| {
            let told = told.traffic_on(newer, [step], ms(500));
            match step < until {
                true => told.traffic_on(older, [step], ms(200)),
                false => told.esp(Side::Initiator, older[0], [step], 120, ms(200)),
            }
        })
    };
    let analysis = judge(&both(20).capture());
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert!(alarms(&judge(&both(60).capture())).is_empty());
}

/// Of two child SAs side by side one is answered packet by packet, and the other not at all.
#[test]
fn a_child_sa_that_is_never_answered_beside_one_that_is_goes_one_way() {
    let analysis = judge(&two_child_sas(false, |_| 120));
    assert_eq!(alarms(&analysis), ["T-ONEWAY"]);
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert!(found.seen.contains("under other SAs both go on") && !says(&found, "is blocked towards"), "{found:?}");
    assert!(find(&analysis, "V2-TS-NARROW").is_none(), "it is one finding");
    // of another size, it may be log lines
    for others in [two_child_sas(true, |_| 120), two_child_sas(false, |_| 200)] {
        assert_eq!(alarms(&judge(&others)), [""; 0]);
    }
}

/// Of two clients behind one address one is answered, and the other not at all: their ports tell them apart.
#[test]
fn a_client_that_is_never_answered_beside_another_goes_one_way() {
    let client = |told: Scenario| told.after(secs(20)).nat().ikev2(&v2::ike_cbc(14));
    let (first, second) = (client(Scenario::new()), client(Scenario::new().seed(2).mapping_changes().after(secs(1))));
    let (spis, [there, back]) = (first.esp_spis(), second.esp_spis());
    let first = first.after(secs(3)).traffic_on(spis, 1..40, ms(500)).capture();
    let asks = second.clone().after(secs(3)).esp(Side::Initiator, there, 1..20, 120, secs(1));
    let analysis = judge(&first.clone().merge(&asks.capture()));
    assert_eq!(alarms(&analysis), ["T-ONEWAY"]);
    assert!(find(&analysis, "T-ONEWAY").expect("a finding").seen.starts_with("19 packets"));
    let served = second.after(secs(3)).traffic_on([there, back], 1..20, ms(985));
    assert_eq!(alarms(&judge(&first.merge(&served.capture()))), [""; 0]);
}

/// What stands on UDP 4500 without IKE, and with numbers that hardly rise, may be no ESP at all.
#[test]
fn numbers_that_do_not_rise_are_no_alarm_where_there_may_be_no_esp() {
    let stuck = |story: Scenario, in_udp: bool| {
        let told = (1..=40).fold(story, |told, _| {
            let send = if in_udp { Scenario::esp_in_udp } else { Scenario::esp_native };
            send(told, Side::Responder, 0x0400_0000, [0x100], 120, secs(1))
        });
        find(&judge(&told.capture()), "T-REPLAY").map(|found| found.severity)
    };
    assert_eq!(stuck(Scenario::new(), true), Some(Severity::Notice));
    assert_eq!(stuck(Scenario::new(), false), Some(Severity::Warning));
    assert_eq!(stuck(up(), true), Some(Severity::Warning));
}

/// Who chooses an SPI does not choose that of the other side: where both are the same the SA is keyed by hand, for whatever
/// destinations.
#[test]
fn numbers_of_an_sa_for_several_destinations_are_not_lost() {
    let every_second = |spis: [u32; 2]| {
        let sides = [Side::Initiator, Side::Responder].into_iter().zip(spis);
        let told =
            sides.fold(Scenario::new(), |told, (side, spi)| told.esp(side, spi, (1..80).step_by(2), 120, secs(1)));
        judge(&told.capture())
    };
    assert!(find(&every_second([0x100, 0x100]), "T-SEQ-GAP").is_none());
    assert!(find(&every_second([0x100, 0x101]), "T-SEQ-GAP").is_some());
}

/// The report as text.
pub fn page(capture: &Capture) -> String {
    let analysis = judge(capture);
    let report = Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis);
    let mut page = Vec::new();
    text::render(&report, &mut page, &text::Style::default()).expect("memory takes everything");
    String::from_utf8(page).expect("a page is text")
}

/// An SA that a router uses for its neighbour and for all routers at once: what goes to the one is missing in what goes to
/// the others.
#[test]
fn the_table_of_flows_shows_no_losses_of_an_sa_for_groups() {
    let router = Ipv4Addr::new(192, 0, 2, 1);
    let to = |other: [u8; 4], first: u32| {
        let told = Scenario::between(router.into(), Ipv4Addr::from(other).into());
        told.ah(Side::Initiator, 0x100, (first..60).step_by(2), 64, secs(2)).capture()
    };
    let lost = |capture: &Capture| {
        let page = page(capture);
        let rows = page.lines().filter(|line| line.contains("00000100"));
        rows.map(|row| row.contains(" –  ")).collect::<Vec<_>>()
    };
    let neighbour = to([192, 0, 2, 2], 1);
    assert_eq!(lost(&neighbour), [false]);
    assert_eq!(lost(&neighbour.merge(&to([224, 0, 0, 5], 2))), [true, true]);
}
