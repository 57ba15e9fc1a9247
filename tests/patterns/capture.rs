//! Trials: what the capture itself can and cannot show.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ikescope::diagnose::{Confidence, Finding, PairStatus, Severity, Where};
use ikescope::pipeline::Analysis;

use crate::fragments::{message_5, skf_request};
use crate::path::find;
use crate::support::story::{ikev2_psk, main_mode_psk, usual_transform};
use crate::support::{Capture, Scenario, Side, ms, secs, v1, v2};
use crate::trial::Evidence::{Crafted, Lab, Labs};
use crate::trial::{Trial, alarms, judge, judge_together};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "C-NO-IKE",
        positive: Crafted("datagrams on UDP 500 that are not IKE, and nothing else", something_else),
        near_miss: Crafted("ESP both ways without IKE", traffic_alone),
        how: "ESP shows that IKE has done its work elsewhere",
    },
    Trial {
        id: "C-ESP-NO-IKE",
        positive: Crafted("ESP both ways without IKE", traffic_alone),
        near_miss: Lab("v1-main-psk-healthy"),
        how: "IKE is there",
    },
    Trial {
        id: "C-ONE-DIR",
        positive: Crafted("Main Mode of which only the initiator's messages are there", || {
            let story = main_mode_psk();
            let initiator = story.address(Side::Initiator);
            story.quick_mode().capture().only_from(initiator)
        }),
        near_miss: Lab("v1-udp500-drop"),
        how: "only the initiator is heard because nobody answers: it never goes on",
    },
    Trial {
        id: "C-MIDSTREAM",
        positive: Crafted("Main Mode and Quick Mode, captured from message 5 on", || {
            main_mode_psk().quick_mode().traffic(4).capture().skip(4)
        }),
        near_miss: Lab("v1-main-psk-healthy"),
        how: "the capture holds message 1",
    },
    Trial {
        id: "C-TWO-POINT",
        positive: Labs(&["v1-mm4-lost", "v1-mm4-lost.rside"]),
        near_miss: Labs(&["v1-main-psk-healthy", "v1-main-psk-healthy.rside"]),
        how: "both captures hold the same",
    },
    Trial {
        id: "C-CLEAR-INNER",
        positive: Crafted("L2TP in clear between peers that negotiate protection for it", || {
            let story = main_mode_psk().quick_mode();
            let at_1701 = |side| SocketAddr::new(story.address(side), 1701);
            let (from, to) = (at_1701(Side::Initiator), at_1701(Side::Responder));
            story.udp(from, to, &[0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]).capture()
        }),
        near_miss: Crafted("packets between private networks, beside IKE between private addresses", || {
            main_site_leaks(Scenario::between(address("10.9.0.1"), address("10.9.0.2")).mm1(&[usual_transform()]))
        }),
        how: "where the gateways are private themselves, private addresses say nothing",
    },
    Trial {
        id: "C-DNS-FAIL",
        positive: Crafted("a name does not resolve again and again, and no IKE follows", || {
            let server = address("192.0.2.53");
            let asks = |told: Scenario| {
                told.dns_query(server, "vpn.example.com").dns_answer(server, "vpn.example.com", Err(3)).after(secs(30))
            };
            (0..3).fold(Scenario::new(), |told, _| asks(told)).ping(Side::Responder).capture()
        }),
        near_miss: Crafted("a name does not resolve, and IKE starts all the same", || {
            let server = address("192.0.2.53");
            main_mode_psk().dns_query(server, "ntp.example.com").dns_answer(server, "ntp.example.com", Err(3)).capture()
        }),
        how: "whoever starts IKE knows its peer",
    },
];

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn main_site_leaks(story: Scenario) -> Capture {
    let end = |text: &str| text.parse::<SocketAddr>().expect("an address and a port");
    (0..5)
        .fold(story, |told, _| told.after(secs(2)).udp(end("10.1.0.5:40000"), end("10.2.0.9:40001"), b"inner"))
        .capture()
}

fn something_else() -> Capture {
    let story = Scenario::new();
    let at_500 = |side| SocketAddr::new(story.address(side), 500);
    let (from, to) = (at_500(Side::Initiator), at_500(Side::Responder));
    story.udp(from, to, b"not a message of IKE").after(secs(20)).udp(from, to, b"nor is this one").capture()
}

fn traffic_alone() -> Capture {
    Scenario::new().traffic(20).capture()
}

/// The IKE of a tunnel that moved here began between other addresses, and is in the capture.
#[test]
fn traffic_of_a_tunnel_that_moved_has_its_negotiation() {
    assert!(find(&judge(&crate::path::moves_to_ipv6()), "C-ESP-NO-IKE").is_none());
}

fn status(analysis: &Analysis) -> PairStatus {
    analysis.diagnosis.pairs().last().expect("a pair").status
}

/// Keepalives are sent as long as there is an SA: the tunnel is idle, and nothing refuses to start.
#[test]
fn keepalives_alone_are_an_idle_tunnel() {
    let idle = (0..20).fold(Scenario::new().nat(), |told, _| told.after(secs(20)).keepalive(Side::Initiator));
    let analysis = judge(&idle.capture());
    assert_eq!((alarms(&analysis), status(&analysis)), (vec![], PairStatus::Unknown));
    let found = find(&analysis, "C-NO-IKE").expect("a remark");
    assert!(found.seen.starts_with("20 keepalives") && found.means.contains("holds an SA"), "{found:?}");
    assert!(found.causes.iter().all(|cause| !cause.text.contains("trigger")), "{:?}", found.causes);
}

/// Within a few seconds nothing may have been due.
#[test]
fn a_short_capture_without_ike_is_no_alarm() {
    assert_eq!(alarms(&judge(&Scenario::new().ping(Side::Initiator).quiet(secs(3)).capture())), [""; 0]);
    assert_eq!(alarms(&judge(&Scenario::new().ping(Side::Initiator).quiet(secs(30)).capture())), ["C-NO-IKE"]);
}

/// The messages are there, and the capture cut them off before their header ends.
#[test]
fn a_negotiation_that_was_recorded_too_short_does_not_lie_outside_the_capture() {
    let analysis = judge(&main_mode_psk().quick_mode().traffic(20).capture().snap(64));
    assert!(find(&analysis, "C-ESP-NO-IKE").is_none());
    let found = find(&analysis, "C-NO-IKE").expect("a remark");
    assert_eq!(found.severity, Severity::Info);
    assert_eq!(found.seen, "9 datagrams on an IKE port recorded too short to be read");
    assert!(found.causes[0].text.contains("snap length"), "{:?}", found.causes);
}

/// Without a packet of ESP it is the same: nobody knows what was there.
#[test]
fn messages_that_were_cut_off_are_not_said_to_be_something_else() {
    let analysis = judge(&main_mode_psk().quiet(secs(60)).capture().snap(60));
    assert_eq!((alarms(&analysis), status(&analysis)), (vec![], PairStatus::Unknown));
    assert!(find(&analysis, "C-NO-IKE").expect("a remark").means.starts_with("the capture cut the messages"));
}

/// Another protocol on UDP 4500: whatever stands where an SPI would is another one in each packet.
#[test]
fn as_many_spis_as_packets_are_no_tunnel() {
    let story = Scenario::new();
    let (from, to) = (story.address(Side::Initiator), story.address(Side::Responder));
    let (from, to) = (SocketAddr::new(from, 4500), SocketAddr::new(to, 443));
    let packet = |number: u32| [&number.wrapping_mul(0x9e37_79b1).to_be_bytes()[..], &[0x5a; 96]].concat();
    let told = (1..=20).fold(story, |told, number| {
        let told = told.after(ms(500)).udp(from, to, &packet(number));
        told.after(ms(500)).udp(to, from, &packet(number + 1000))
    });
    let analysis = judge(&told.capture());
    assert!(find(&analysis, "C-ESP-NO-IKE").is_none());
    assert_eq!((alarms(&analysis), status(&analysis)), (vec![], PairStatus::Unknown));
    assert!(find(&analysis, "C-NO-IKE").expect("a remark").means.contains("something else than IKE and ESP"));
}

/// Between private networks in clear: beside traffic in the tunnel a mirror of the inside, after the farewell no tunnel, and
/// after the last packet of a tunnel that is up a leak.
#[test]
fn packets_in_clear_are_told_by_when_they_come() {
    let leak = |told: Scenario| {
        let end = |text: &str| text.parse::<SocketAddr>().expect("an address and a port");
        told.after(secs(1)).udp(end("10.1.0.5:40000"), end("10.2.0.9:40001"), b"inner")
    };
    let up = || main_mode_psk().quick_mode().traffic(20);
    let spis = up().esp_spis();
    let beside = (21..40).fold(up(), |told, number| leak(told).traffic_on(spis, [number], ms(1)));
    let analysis = judge(&beside.capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(find(&analysis, "C-CLEAR-INNER").expect("a remark").severity, Severity::Notice);

    let left = up().after(secs(5)).delete_ipsec(Side::Initiator, spis[1]).delete_isakmp(Side::Initiator);
    let analysis = judge(&(0..5).fold(left.after(secs(10)), |told, _| leak(told)).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    let found = find(&analysis, "C-CLEAR-INNER").expect("a remark");
    assert!(found.seen.ends_with("all of them after the tunnel was taken down"), "{}", found.seen);
    assert!(found.causes[0].text.contains("while the tunnel is down"), "{:?}", found.causes);

    let analysis = judge(&(0..30).fold(up(), |told, _| leak(told)).capture());
    let found = find(&analysis, "C-CLEAR-INNER").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
}

/// The same tunnel at two points: what the second one saw, a hop later and by its own clock.
fn second_point(first: &Capture, clock: Duration) -> Capture {
    let mut second = first.clone().double_across_a_hop(clock);
    let copies: Vec<usize> = (1..=first.frames.len()).collect();
    second.frames.sort_by_key(|frame| frame.at);
    let times: Vec<u64> = first.frames.iter().map(|frame| frame.at).collect();
    second.frames.retain(|frame| !times.contains(&frame.at));
    assert_eq!(second.frames.len(), copies.len());
    second
}

/// Nothing is lost between the points and nothing is sent twice, however far apart their clocks are.
#[test]
fn what_two_points_saw_is_neither_repeated_nor_out_of_order() {
    let near = main_mode_psk().quick_mode().traffic(60).quiet(secs(10)).capture();
    for clock in [ms(2), ms(713), ms(3417)] {
        let analysis = judge_together(&[near.clone(), second_point(&near, clock)]);
        assert_eq!(alarms(&analysis), [""; 0], "{clock:?}");
        for id in ["OK-RETRANS", "T-REPLAY", "T-REORDER", "C-TWO-POINT"] {
            assert!(find(&analysis, id).is_none(), "{id}, {clock:?}");
        }
    }
}

/// One of the IKE fragments of a message leaves the first point in every copy and never shows at the second one, whichever clock is
/// ahead. Where one copy comes whole, nothing is lost.
#[test]
fn a_fragment_that_is_lost_between_two_points_is_found() {
    let requests = [(skf_request as fn(&[usize]) -> Scenario, "F-SKF-INCOMPLETE"), (message_5, "F-V1FRAG-INCOMPLETE")];
    for (request, id) in requests {
        let point = |lost: &[usize], last: &[usize]| {
            let told = request(lost).repeat(2, &[4.0, 8.0]).losing(last).repeat(1, &[13.0]);
            told.losing(&[]).quiet(secs(30)).capture()
        };
        let (near, far, late) = (point(&[], &[]), point(&[2], &[2]), point(&[2], &[]));
        for clock in [ms(2), ms(713)] {
            let ahead = [near.clone(), second_point(&far, clock)];
            let behind = [second_point(&near, clock), far.clone()];
            for points in [ahead, behind] {
                let analysis = judge_together(&points);
                assert_eq!(alarms(&analysis), [id], "{clock:?}");
                let found = find(&analysis, id).expect("a finding");
                assert!(found.seen.contains("number 2 is in capture 0"), "{}", found.seen);
                assert_eq!((found.confidence, &found.settle), (Confidence::Inferred, &None), "{clock:?}");
            }
            for points in [[near.clone(), second_point(&late, clock)], [second_point(&near, clock), late.clone()]] {
                assert!(find(&judge_together(&points), id).is_none(), "{id}, {clock:?}");
            }
        }
    }
}

/// Hosts look for a proxy by the name wpad of their own accord: no tunnel waits for that.
#[test]
fn a_name_that_hosts_ask_for_by_themselves_is_no_peers() {
    let server = "203.0.113.53".parse().expect("an address");
    let asks = |told: Scenario, name: &'static str| {
        told.dns_query(server, name).dns_answer(server, name, Err(3)).after(secs(2))
    };
    let found =
        |names: [&'static str; 2]| find(&judge(&names.into_iter().fold(Scenario::new(), asks).capture()), "C-DNS-FAIL");
    assert!(found(["wpad.example.com", "WPAD.example.net"]).is_none());
    let named = found(["wpad.example.com", "vpn.example.com"]).expect("a finding");
    assert!(named.seen.contains("vpn.example.com") && !named.seen.contains("wpad"), "{}", named.seen);
    // who needs a name for a tunnel asks again
    assert_eq!(named.severity, Severity::Notice);
    assert_eq!(found(["vpn.example.com"; 2]).expect("a finding").severity, Severity::Warning);
}

/// ESP of one side leaves the first point and never shows at the second one, which sees all else.
#[test]
fn traffic_that_is_lost_between_two_points_is_found() {
    let story = main_mode_psk().quick_mode();
    let [there, _] = story.esp_spis();
    let near = story.traffic(60).quiet(secs(10)).capture();
    let mut far = second_point(&near, ms(713));
    far.frames.retain(|frame| !frame.octets.windows(4).any(|octets| octets == there.to_be_bytes()));
    let analysis = judge_together(&[near, far]);
    assert_eq!(alarms(&analysis), ["C-TWO-POINT"]);
    let found = find(&analysis, "C-TWO-POINT").expect("a finding");
    assert!(found.seen.starts_with("60 packets of ESP or AH from"), "{}", found.seen);
    assert_eq!(found.severity, Severity::Error);
    assert!(find(&analysis, "OK-UP").is_none());
}

/// Without those frames with ESP under this SPI, counted from 0, of which `lost` says so.
fn without_esp(mut point: Capture, spi: u32, lost: impl Fn(usize) -> bool) -> Capture {
    let mut count = 0;
    point.frames.retain(|frame| {
        let of_sa = frame.octets.windows(4).any(|octets| octets == spi.to_be_bytes()) && frame.octets.len() > 100;
        count += usize::from(of_sa);
        !of_sa || !lost(count - 1)
    });
    point
}

/// Small packets pass between two points, and large ones do not; where large ones pass too, it is not their size.
#[test]
fn large_packets_that_are_lost_between_two_points_are_found() {
    let story = ikev2_psk();
    let spis = story.esp_spis();
    let round = |told: Scenario, number: u32| {
        let told = told.esp(Side::Initiator, spis[0], [3 * number], 120, secs(1));
        let told = told.esp(Side::Responder, spis[1], [number], 120, ms(15));
        told.esp(Side::Initiator, spis[0], [3 * number + 1, 3 * number + 2], 1320, secs(1))
    };
    let told = (1..=20).fold(story, round).esp(Side::Initiator, spis[0], [63], 120, secs(1));
    let near = told.esp(Side::Responder, spis[1], [21], 120, ms(15)).quiet(secs(5)).capture();
    let found = |passes: fn(usize) -> bool| {
        let mut far = second_point(&near, ms(2));
        let mut large = 0;
        far.frames.retain(|frame| {
            large += usize::from(frame.octets.len() > 1200);
            frame.octets.len() <= 1200 || passes(large)
        });
        judge_together(&[near.clone(), far])
    };
    let analysis = found(|_| false);
    assert_eq!(alarms(&analysis), ["F-PMTU-BLACKHOLE"]);
    let hole = find(&analysis, "F-PMTU-BLACKHOLE").expect("a finding");
    assert!(
        hole.seen.contains("40 of 61 packets") && hole.seen.contains("those in both have 120 at most"),
        "{}",
        hole.seen
    );
    assert_eq!(hole.confidence, Confidence::Inferred);
    assert_eq!(alarms(&found(|large| large % 2 == 0)), ["C-TWO-POINT"], "half of the large ones pass");
}

/// What is lost now and then is told by its share, and an outage that is over is no alarm.
#[test]
fn part_of_the_traffic_that_is_lost_between_two_points_is_counted() {
    let story = main_mode_psk().quick_mode();
    let [there, _] = story.esp_spis();
    let near = story.traffic(90).quiet(secs(10)).capture();
    let lossy = |lost: fn(usize) -> bool, clock: (bool, Duration)| {
        let other = second_point(&near, clock.1);
        let [near, far] = if clock.0 { [near.clone(), other] } else { [other, near.clone()] };
        judge_together(&[near, without_esp(far, there, lost)])
    };
    for clock in [(true, ms(1)), (true, ms(713)), (false, ms(1)), (false, ms(713))] {
        let analysis = lossy(|number| number % 3 == 1, clock);
        assert_eq!(alarms(&analysis), ["C-TWO-POINT"], "{clock:?}");
        let found = find(&analysis, "C-TWO-POINT").expect("a finding");
        assert!(found.seen.starts_with("30 of 90 packets of ESP or AH from"), "{}", found.seen);
        assert_eq!(found.severity, Severity::Warning);
        assert_eq!(likely(&found), ["packets are lost between the two points"]);
        for few in [(|number| number % 10 == 1) as fn(usize) -> bool, |number| (30..60).contains(&number)] {
            let analysis = lossy(few, clock);
            assert_eq!(alarms(&analysis), [""; 0], "{clock:?}");
            assert_eq!(find(&analysis, "C-TWO-POINT").expect("a remark").severity, Severity::Notice);
        }
        assert!(find(&lossy(|number| number == 7, clock), "C-TWO-POINT").is_none());
    }
}

/// A capture on all interfaces of a router holds each packet as it comes in and as it goes out.
#[test]
fn a_router_that_passes_one_direction_only_shows_in_what_is_recorded_once() {
    let story = main_mode_psk().quick_mode();
    let initiator = story.address(Side::Initiator);
    let comes_in = story.traffic(200).quiet(secs(10)).capture();
    let goes_out = second_point(&comes_in, ms(1));
    let until = comes_in.frames.len() - 250;
    let before = comes_in.clone().merge(&goes_out.clone().first(until));
    assert_eq!(alarms(&judge(&before)), [""; 0], "both directions are recorded once");
    let analysis = judge(&before.merge(&goes_out.skip(until).only_from(initiator)));
    assert_eq!(alarms(&analysis), ["C-TWO-POINT"]);
    let found = find(&analysis, "C-TWO-POINT").expect("a finding");
    assert!(found.seen.ends_with(&format!("once only, while those from {initiator} go on twice")), "{}", found.seen);
}

/// Where the story's NAT shows the initiator.
const OUTSIDE: [u8; 4] = [203, 0, 113, 10];

/// The same packets within the NAT, under the initiator's own address, by another clock.
fn within_a_nat(outside: &Capture, clock: Duration) -> Capture {
    let mut inside = second_point(outside, clock);
    for frame in &mut inside.frames {
        let packet = &mut frame.octets[14..];
        let place = packet.windows(4).position(|octets| octets == OUTSIDE).expect("its address");
        packet[place..place + 4].copy_from_slice(&[192, 168, 1, 10]);
    }
    inside
}

/// Packets that the NAT lets go as they are belong to the tunnel that the capture shows being set up.
#[test]
fn packets_that_a_nat_did_not_translate_have_their_negotiation() {
    let told = Scenario::new().nat().main_mode().quick_mode().traffic(20).capture();
    let until = told.frames.len() - 10;
    let point = told.clone().first(until).merge(&within_a_nat(&told, ms(1)).skip(until));
    let found = find(&judge(&point), "C-ESP-NO-IKE").expect("a remark");
    assert!(found.means.starts_with("these are packets of the tunnel between"), "{}", found.means);
    assert!(found.causes.len() == 1 && !found.means.contains("before the capture"), "{:?}", found.causes);
}

/// The far side answers, and what it sends is lost on its way back: it lacks no route, and its host answers.
#[test]
fn answers_that_do_not_come_back_through_a_nat_have_left() {
    let story = Scenario::new().nat().main_mode().quick_mode();
    let [there, back] = story.esp_spis();
    let told = (1..=40).fold(story.clone(), |told, number| told.traffic_on([there, back], [number], ms(600)));
    let far = told.dpd(Side::Initiator, 1).after(ms(9)).dpd_ack(Side::Responder, 1).quiet(secs(10)).capture();
    let near = without_esp(within_a_nat(&far, ms(3)), back, |_| true);
    let analysis = judge_together(&[near, far]);
    assert_eq!(alarms(&analysis), ["C-TWO-POINT", "T-ONEWAY"]);
    let found = find(&analysis, "T-ONEWAY").expect("a finding");
    assert!(found.seen.ends_with("beyond a NAT, has them, too, and 40 packets back"), "{}", found.seen);
    assert!(found.means.contains("answers, and what it sends is lost between the two points"), "{}", found.means);
    assert!(found.causes.len() == 1 && found.causes[0].text.starts_with("ESP in UDP is lost"), "{:?}", found.causes);
    assert!(found.checks().all(|check| !check.text.contains("subnet")), "nothing behind the gateways is at fault");
    assert!(find(&analysis, "OK-UP").is_none());
}

/// A responder whose answer to IKE_AUTH the far capture holds neither keeps silent nor lacks the request.
#[test]
fn an_answer_to_ike_auth_that_is_lost_behind_a_nat_has_left() {
    let up = Scenario::new().nat().ikev2(&v2::ike_cbc(14));
    let again = |told: Scenario, gap: f64| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.02])
    };
    let far = [2.0, 4.0, 8.0, 16.0].into_iter().fold(up, again).quiet(secs(60)).capture();
    let near = within_a_nat(&far, ms(3)).without(&[4, 6, 8, 10, 12]);
    let analysis = judge_together(&[near, far]);
    let asked = |finding: &Finding| finding.id() == "V2-AUTH-NO-REPLY" && finding.seen.starts_with("IKE_AUTH was sent");
    let found = analysis.diagnosis.findings(&analysis.facts).find(asked).expect("a finding");
    assert!(found.means.contains("AUTH-RSP is lost on its way"), "{}", found.means);
    for refuted in ["refuses in silence", "the request is lost"] {
        assert!(found.causes.iter().all(|cause| !cause.text.contains(refuted)), "{:?}", found.causes);
    }
}

/// So they are with a NAT between the two points, whichever side sends the large ones.
#[test]
fn large_packets_that_are_lost_behind_a_nat_are_found() {
    let story = Scenario::new().nat().main_mode().quick_mode();
    let spis = story.esp_spis();
    for (side, spi) in [Side::Initiator, Side::Responder].into_iter().zip(spis) {
        let round = |told: Scenario, number: u32| {
            let told = told.traffic_on(spis, [2 * number], secs(1));
            told.esp(side, spi, [2 * number + 1], 1320, secs(1))
        };
        let far = (1..=20).fold(story.clone(), round).traffic_on(spis, [42], secs(1)).quiet(secs(5)).capture();
        let near = within_a_nat(&far, ms(3));
        let without = |mut point: Capture, passes: fn(usize) -> bool| {
            let mut large = 0;
            point.frames.retain(|frame| {
                large += usize::from(frame.octets.len() > 1200);
                frame.octets.len() <= 1200 || passes(large)
            });
            point
        };
        let judged = |passes: fn(usize) -> bool| match side {
            Side::Initiator => judge_together(&[near.clone(), without(far.clone(), passes)]),
            Side::Responder => judge_together(&[without(near.clone(), passes), far.clone()]),
        };
        let analysis = judged(|_| false);
        assert!(alarms(&analysis).iter().all(|&id| id == "F-PMTU-BLACKHOLE"), "{:?}", alarms(&analysis));
        let hole = find(&analysis, "F-PMTU-BLACKHOLE").expect("a finding");
        assert!(
            hole.seen.starts_with("20 of 41 packets") && hole.seen.contains("in one capture only"),
            "{}",
            hole.seen
        );
        assert_eq!((hole.confidence, hole.severity), (Confidence::Inferred, Severity::Error));
        let half = judged(|large| large % 2 == 0);
        assert!(
            find(&half, "F-PMTU-BLACKHOLE").is_none_or(|found| found.severity < Severity::Error),
            "half of them pass"
        );
    }
}

/// A Delete that never gets to the other point says nothing of whether the peer is there.
#[test]
fn a_delete_that_is_lost_between_two_points_is_all_that_is_known() {
    let up = ikev2_psk().traffic(20);
    let until = up.clone().capture().frames.len();
    let told =
        up.after(secs(5)).informational_request(Side::Initiator, &[v2::delete_ike()]).repeat(4, &[2.0, 4.0, 8.0]);
    let near = (0..10).fold(told, |told, _| told.after(secs(2)).ping(Side::Initiator)).capture();
    let mut far = second_point(&near, ms(2));
    let means = |far: Capture| {
        find(&judge_together(&[near.clone(), far]), "V2-CHILD-NO-REPLY").expect("a finding").means.clone()
    };
    assert!(means(far.clone()).contains("it was gone before"));
    far.frames.drain(until..until + 5);
    assert_eq!(means(far), "the Delete is lost between the two points");
}

/// Liveness checks of IKEv1 are answered beyond a NAT, each in an Informational of its own: the peer lives, though the answer to the
/// last check would come after the other capture ends.
#[test]
fn answers_to_liveness_checks_that_are_lost_behind_a_nat_are_answers() {
    let up = Scenario::new().nat().main_mode().quick_mode().traffic(4);
    let until = up.clone().capture().frames.len();
    let asked = |answers: bool| {
        let told = (1..=4).fold(up.clone(), |told, number| {
            let asked = told.after(secs(4)).dpd(Side::Initiator, number);
            if answers { asked.dpd_ack(Side::Responder, number) } else { asked }
        });
        told.capture()
    };
    let far = asked(true);
    let near = within_a_nat(&far, ms(3));
    let checks = near.clone().skip(until).only_from("192.168.1.10".parse().expect("an address"));
    let near = near.first(until).merge(&checks);
    let analysis = judge_together(&[near.clone(), far]);
    let found = find(&analysis, "L-DPD-TIMEOUT").expect("a finding");
    assert!(found.seen.contains("answered, and its answers are in capture 1 only"), "{}", found.seen);
    assert_eq!(found.means, "INF is lost on its way, between the two points");
    assert_eq!(dropped(&found), ("INF", [1, 0]));
    let named = |found: &Finding, text: &str| found.causes.iter().any(|cause| cause.text.contains(text));
    assert!(!named(&found, "restarted") && !named(&found, "the path is gone"), "{:?}", found.causes);
    assert_eq!(likely(&found), ["the answers are lost on their way back: a filter, a NAT or the route"]);
    // where it does not answer, it may have restarted
    let found = find(&judge_together(&[near, asked(false)]), "L-DPD-TIMEOUT").expect("a finding");
    assert!(found.seen.contains("said nothing") && named(&found, "restarted"), "{}", found.seen);
}

/// The answer that asks for a cookie is another message than the one with the choice, though both answer IKE_SA_INIT.
#[test]
fn an_answer_that_asks_again_is_not_the_answer_that_is_missing() {
    let offered = v2::ike_cbc(14);
    let cookie = v2::notify(v2::COOKIE, &[7; 16]);
    let asked = Scenario::new().nat().sa_init_request(std::slice::from_ref(&offered)).sa_init_notify(cookie.clone());
    let asked = asked.after(ms(20)).sa_init_request_with(std::slice::from_ref(&offered), 14, &[cookie]);
    let until = asked.clone().capture().frames.len();
    let answers = [0.5, 1.0, 2.0, 4.0, 8.0].into_iter().fold(asked.clone().sa_init_response(&offered), |told, gap| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.02])
    });
    let far = answers.quiet(secs(30)).capture();
    let near = far.clone().first(until).merge(&far.clone().skip(until).only_from(IpAddr::from(OUTSIDE)));
    let near = within_a_nat(&near, ms(3));
    let analysis = judge_together(&[near, far]);
    for id in ["V2-NO-REPLY", "V2-INIT-NO-AUTH"] {
        let found = find(&analysis, id).expect("a finding");
        assert!(!found.seen.contains("passes both"), "{}", found.seen);
        assert!(found.seen.contains("SA_INIT-RSP of ") && found.means.contains("is lost on its way"), "{found:?}");
        assert_eq!(found.confidence, Confidence::Inferred);
        assert!(found.settle.as_deref().is_some_and(|settle| settle.starts_with("what drops SA_INIT-RSP of ")));
    }
}

/// What a finding infers to be dropped, and on its way from which capture to which.
fn dropped(found: &Finding) -> (&str, [u32; 2]) {
    assert_eq!(found.confidence, Confidence::Inferred);
    let settle =
        found.settle.as_deref().and_then(|settle| settle.strip_prefix("what drops ")).expect("something is lost");
    let (what, captures) = settle.split_once(" between the point of capture ").expect("between two points");
    let (from, to) = captures.split_once(" and that of capture ").expect("another one");
    (what, [from, to].map(|number| number.parse().expect("a number")))
}

/// What gets past both points is dropped by who should answer it, or right before it: its log comes first.
#[test]
fn what_two_points_refute_is_checked_last() {
    let story = ikev2_psk_init();
    let asks = story.clone().auth_request(&story.psk_proof(Side::Initiator)).repeat(4, &[4.0, 7.2, 13.0, 23.3]);
    let aggressive = Scenario::new().am1(&[usual_transform()]).repeat(3, &[4.0, 7.2, 13.0]);
    for (id, told) in [("V2-AUTH-NO-REPLY", asks), ("P1-NO-REPLY", aggressive)] {
        let near = told.quiet(secs(40)).capture();
        let found = find(&judge_together(&[near.clone(), second_point(&near, ms(3))]), id).expect("a finding");
        assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Responder), "{id}");
        let found = find(&judge(&near), id).or_else(|| find(&judge(&near), "N-PORT4500")).expect("a finding");
        assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Path), "{id}");
    }
}

/// The second capture is the one that would settle it, and may have been stopped before.
#[test]
fn a_point_that_ends_before_a_message_says_no_more_than_that() {
    let offered = v2::ike_cbc(14);
    let cookie = v2::notify(v2::COOKIE, &[7; 16]);
    let asked = Scenario::new().sa_init_request(std::slice::from_ref(&offered)).sa_init_notify(cookie.clone());
    let until = asked.clone().capture().frames.len();
    let near = asked
        .sa_init_request_with(std::slice::from_ref(&offered), 14, &[cookie])
        .repeat(4, &[4.0, 7.2, 13.0, 23.3])
        .capture();
    let far = second_point(&near, ms(3)).first(until);
    let found = find(&judge_together(&[near, far]), "V2-NO-REPLY").expect("a finding");
    assert!(found.seen.contains("octets is in capture 0 only, and capture 1 ends before it"), "{}", found.seen);
    assert_eq!(found.confidence, Confidence::Suspected);
    assert!(found.settle.as_deref().is_some_and(|settle| settle.starts_with("whether capture 1 was running then")));
}

/// Another capture that has none of it settles whether UDP 500 is filtered.
#[test]
fn two_points_settle_that_a_port_is_filtered() {
    let asks = Scenario::new().ping(Side::Initiator).after(secs(5)).mm1(&[usual_transform()]);
    let asks = asks.repeat(3, &[4.0, 7.2, 13.0]).after(secs(30)).new_attempt().ike_port(4500);
    let near = asks.with_marker(|told| told.main_mode().quick_mode().traffic(4)).quiet(secs(30)).capture();
    let at_500 = |frame: &[u8]| frame.windows(4).any(|ports| ports == [1, 244, 1, 244]);
    let mut far = second_point(&near, ms(3));
    far.frames.retain(|frame| !at_500(&frame.octets));
    let found = find(&judge_together(&[near, far]), "N-PORT-FILTER").expect("a finding");
    assert!(found.seen.ends_with("it is lost between the two points"), "{}", found.seen);
    assert_eq!(dropped(&found), ("MM1", [0, 1]));
}

/// The path is cut: what either side asks shows at one point only, and answers nobody.
#[test]
fn what_is_lost_between_two_points_answers_no_liveness_check() {
    let up = main_mode_psk().quick_mode().traffic(20).dpd(Side::Initiator, 1).after(ms(9)).dpd_ack(Side::Responder, 1);
    let [initiator, responder] = [Side::Initiator, Side::Responder].map(|side| up.address(side));
    let until = up.clone().capture().frames.len();
    let ask = |told: Scenario, number| {
        told.after(secs(4)).dpd(Side::Initiator, number).after(ms(90)).dpd(Side::Responder, number + 100)
    };
    let whole = (2..6).fold(up, ask).after(secs(30)).ping(Side::Initiator).capture();
    let cut_off = |point: Capture, here| point.clone().first(until).merge(&point.skip(until).only_from(here));
    let far = cut_off(second_point(&whole, ms(3)), responder);
    let analysis = judge_together(&[cut_off(whole, initiator), far]);
    assert_eq!((alarms(&analysis), status(&analysis)), (vec!["L-DPD-TIMEOUT"], PairStatus::Down));
    assert!(find(&analysis, "OK-UP").is_none());
    let found = find(&analysis, "L-DPD-TIMEOUT").expect("a finding");
    assert!(found.seen.ends_with("it is lost between the two points"), "{}", found.seen);
    assert_eq!((likely(&found), dropped(&found)), (vec!["the path is gone"], ("INF", [0, 1])));
}

/// A message that is repeated in vain at one point, while the other one goes on recording something else.
#[test]
fn a_point_that_records_anything_is_recording() {
    let story = ikev2_psk_init();
    let until = story.clone().capture().frames.len();
    let asks = story.clone().auth_request(&story.psk_proof(Side::Initiator)).repeat(4, &[4.0, 7.2, 13.0, 23.3]);
    let near = (0..20).fold(asks, |told, _| told.after(secs(2)).ping(Side::Initiator)).capture();
    let mut far = second_point(&near, ms(713));
    let lost = near.frames.len() - 40;
    far.frames.drain(until..lost);
    let found = find(&judge_together(&[near, far]), "C-TWO-POINT").expect("a finding");
    assert!(found.seen.contains("in one of them only: 1 from the initiator"), "{}", found.seen);
    assert!(found.seen.ends_with("(AUTH-REQ)"), "{}", found.seen);
}

/// What would settle where a message is lost is the other gateway's capture: with it, the message is seen to be lost, or to
/// pass.
#[test]
fn two_points_settle_what_became_of_the_last_message() {
    let analysis = judge_together(&Labs(&["v1-mm4-lost", "v1-mm4-lost.rside"]).captures());
    let found = find(&analysis, "P1-MM4-NO-MM5").expect("a finding");
    assert!(
        found
            .seen
            .ends_with("MM4 is in capture 1 only, and capture 0 was recording: it is lost between the two points")
    );
    assert_eq!(dropped(&found), ("MM4", [1, 0]));
    let causes: Vec<_> = found.causes.iter().map(|cause| cause.text).collect();
    assert_eq!(causes, ["message 4 does not get back to the initiator"]);
    assert!(found.checks().all(|check| check.side == Where::Path), "no end has anything to do with it");

    let story = ikev2_psk_init();
    let asks = story.clone().auth_request(&story.psk_proof(Side::Initiator)).repeat(4, &[4.0, 7.2, 13.0, 23.3]);
    let near = asks.quiet(secs(40)).capture();
    let analysis = judge_together(&[near.clone(), second_point(&near, ms(3))]);
    assert!(find(&analysis, "N-PORT4500").is_none(), "UDP 4500 passes");
    let found = find(&analysis, "V2-AUTH-NO-REPLY").expect("a finding");
    assert!(found.seen.ends_with("AUTH-REQ passes both capture points"), "{}", found.seen);
    assert_eq!(found.settle.as_deref(), Some("the responder's log at that time"));
    assert_eq!(likely(&found), ["the responder refuses in silence, or fails on the message"]);
}

/// A capture that begins with the negotiation, and goes on after the message that it lacks, was recording.
#[test]
fn message_6_that_only_one_point_has_is_lost_between_them() {
    let far = main_mode_psk().repeat_from(Side::Initiator, 4, &[0.5, 1.0, 2.0, 4.0]).capture();
    let near = second_point(&far, ms(3)).without(&[6]);
    let found = find(&judge_together(&[near, far]), "P1-UP-NO-P2").expect("a finding");
    assert!(found.seen.ends_with("was recording: it is lost between the two points"), "{}", found.seen);
    assert_eq!(dropped(&found), ("MM6", [1, 0]));
    assert_eq!(likely(&found), ["message 6 is lost on its way back to the initiator"]);
    // the same with a NAT between them
    let told = Scenario::new().nat().without_nat_t().am1(&[usual_transform()]).am2(&usual_transform()).am3();
    let far = told.repeat_from(Side::Responder, 3, &[4.0, 7.2, 13.0]).quiet(secs(30)).capture();
    let near = within_a_nat(&far, ms(3));
    let found = find(&judge_together(&[near, far.without(&[3])]), "P1-AGGR-AUTH").expect("a finding");
    assert!(found.means.starts_with("AM3 is lost on its way"), "{found:?}");
}

/// Where each copy lacks another fragment, none of them is said to be the one that is lost.
#[test]
fn fragments_that_are_lost_now_and_then_are_not_numbered() {
    // The number of a copy's fragments stands behind the header, with the flag of the last one.
    let numbered = |mut point: Capture| {
        let mut copy = 0;
        for frame in &mut point.frames {
            let ike = frame.octets.get_mut(42..).unwrap_or_default();
            if ike.len() > 36 && ike[16] == 132 {
                copy += u8::from(ike[34] == 1);
                ike[33] = copy;
            }
        }
        point
    };
    let told = |lost: [&[usize]; 3]| {
        let first = message_5(lost[0]).losing(lost[1]).repeat(1, &[4.0]).losing(lost[2]).repeat(1, &[8.0]);
        numbered(first.losing(&[]).quiet(secs(30)).capture())
    };
    let near = told([&[], &[], &[]]);
    let found = |lost| find(&judge_together(&[near.clone(), second_point(&told(lost), ms(2))]), "F-V1FRAG-INCOMPLETE");
    assert!(found([&[2], &[2], &[2]]).expect("a finding").seen.contains("number 2 is in capture 0 only"));
    assert!(found([&[2], &[3], &[2]]).is_none());
}

/// A message in fragments passes where all of them do.
#[test]
fn a_message_in_fragments_passes_if_all_of_them_do() {
    for (request, id) in [(skf_request as fn(&[usize]) -> Scenario, "V2-AUTH-NO-REPLY"), (message_5, "P1-AUTH-SILENT")]
    {
        let near = request(&[]).repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(40)).capture();
        let found = find(&judge_together(&[near.clone(), second_point(&near, ms(3))]), id).expect("a finding");
        assert!(found.seen.ends_with("passes both capture points"), "{}", found.seen);
    }
}

/// What the pattern itself would look at says more than what anybody would look at.
#[test]
fn what_two_points_do_not_settle_is_asked_of_the_log_that_knows() {
    let told = Scenario::new().am1(&[usual_transform()]).am2(&usual_transform()).after(ms(9));
    let refusal = [v1::notify(v1::AUTHENTICATION_FAILED)];
    let story = told.informational(Side::Initiator, &refusal).quiet(secs(40)).capture();
    let found =
        find(&judge_together(&[story.clone(), second_point(&story, ms(3))]), "P1-AGGR-AUTH").expect("a finding");
    assert!(found.seen.contains("passes both capture points"), "{}", found.seen);
    let own = find(&judge(&story), "P1-AGGR-AUTH").expect("a finding").settle.clone();
    assert!(own.is_some() && found.settle == own, "{:?}", found.settle);
}

/// The capture misses the answers to the first attempt: nobody can say that the second had none.
#[test]
fn of_an_attempt_after_one_whose_answers_are_missed_nothing_is_said() {
    let story = main_mode_psk().quick_mode();
    let initiator = story.address(Side::Initiator);
    let told = story.after(secs(30)).new_attempt().mm1(&[usual_transform()]).repeat(3, &[4.0, 7.2, 13.0]);
    assert_eq!(alarms(&judge(&told.quiet(secs(40)).capture().only_from(initiator))), ["C-ONE-DIR"]);
}

/// One capture records what one side sends twice, and another one is about somebody else: these are not two points.
#[test]
fn packets_that_one_capture_doubles_are_not_seen_at_two_points() {
    let story = main_mode_psk().quick_mode();
    let initiator = story.address(Side::Initiator);
    let once = story.traffic(60).quiet(secs(10)).capture();
    let mut again = once.clone().only_from(initiator);
    again.frames.iter_mut().for_each(|frame| frame.at += 50_000);
    let elsewhere = Scenario::between(address("192.0.2.77"), address("192.0.2.78")).mm1(&[usual_transform()]);
    let elsewhere = elsewhere.mm2(&usual_transform()).quiet(secs(20)).capture();
    let analysis = judge_together(&[once.merge(&again), elsewhere]);
    assert!(find(&analysis, "C-TWO-POINT").is_none());
    assert!(find(&analysis, "OK-UP").is_some());
}

/// The causes of a finding that are called likely.
fn likely(found: &Finding) -> Vec<&str> {
    let likely = found.causes.iter().filter(|cause| cause.likelihood == "likely");
    likely.map(|cause| cause.text).collect()
}

fn ikev2_psk_init() -> Scenario {
    Scenario::new().floats().ikev2_init(&v2::ike_cbc(14))
}

/// The capture cut the end off; of an error the type is there.
#[test]
fn an_error_whose_end_was_cut_off_is_read() {
    let refused = || {
        let story = Scenario::new().mm1(&[usual_transform()]);
        let (mine, yours) = story.ike_spis();
        let spi = [mine.to_be_bytes(), yours.to_be_bytes()].concat();
        let notify = v1::notify_about(v1::PROTO_ISAKMP, &spi, v1::NO_PROPOSAL_CHOSEN, &[]);
        story.informational_clear(Side::Responder, notify).quiet(secs(30)).capture()
    };
    let frame = refused().frames[1].octets.len();
    for cut in 0..=16 {
        let analysis = judge(&refused().snap(frame - cut));
        assert_eq!(alarms(&analysis), ["P1-PROPOSAL"], "without the last {cut} octets");
        assert!(find(&analysis, "M-LENGTH").is_none(), "without the last {cut} octets");
    }
}

/// A tap that loses one direction while the tunnel goes on: what only follows an answer shows that there was one.
#[test]
fn a_direction_that_is_lost_in_mid_course_is_no_silence() {
    let told = ikev2_psk();
    let (address, spis) = (told.address(Side::Initiator), told.esp_spis());
    let used = (0..6).fold(told, |told, round| {
        let asked = told.after(secs(10)).liveness(Side::Initiator);
        asked.traffic_on(spis, round * 5 + 1..round * 5 + 6, ms(500))
    });
    let whole = used.quiet(secs(10)).capture();
    let lost = whole.clone().first(4).merge(&whole.clone().skip(4).only_from(address));
    let analysis = judge(&lost);
    assert_eq!(alarms(&analysis), ["C-ONE-DIR"]);
    assert!(alarms(&judge(&whole)).is_empty());
}

/// A refusal that passes both points asks for no answer: why it was sent is in the log of who sent it.
#[test]
fn a_refusal_is_explained_by_the_log_of_who_refuses() {
    let aggressive = Scenario::new().am1(&[usual_transform()]);
    let refused = aggressive.clone().after(ms(20)).informational_clear(Side::Responder, v1::notify(24));
    let declined =
        aggressive.am2(&usual_transform()).after(ms(20)).informational_clear(Side::Initiator, v1::notify(23));
    for (told, log) in [(refused, "the responder's log at that time"), (declined, "the initiator's log at that time")] {
        let near = told.quiet(secs(60)).capture();
        let found =
            find(&judge_together(&[near.clone(), second_point(&near, ms(3))]), "P1-AGGR-AUTH").expect("a finding");
        assert!(found.seen.ends_with("INF passes both capture points"), "{}", found.seen);
        assert_eq!(found.settle.as_deref(), Some(log));
    }
}
